/**
 * Real coding agents from npm, of pinned versions, kept in a cache folder between runs. They are run without a network:
 * whatever they want of it ends at a port where nobody listens, while this machine is reached directly.
 *
 * @module
 */

import assert from "node:assert/strict";

/** The agents that can be run without a screen. */
export const NPM_CLIENTS = {
  claude: { name: "@anthropic-ai/claude-code", version: "2.1.328" },
  codex: { name: "@openai/codex", version: "0.169.0" },
  opencode: { name: "opencode-ai", version: "1.18.33" },
  gemini: { name: "@google/gemini-cli", version: "0.61.0" },
} as const;

/** A name of {@linkcode NPM_CLIENTS}. */
export type NpmClient = keyof typeof NPM_CLIENTS;

/** Longest time for one run of an agent: they try to phone home. */
const RUN_TIMEOUT_MS = 90_000;

/** Downloads are up to 400 MB. */
const INSTALL_TIMEOUT_MS = 600_000;

/** Nobody listens on the port of `discard`. */
const NOWHERE = "http://127.0.0.1:9";

/** Variables under which an agent stays on this machine. */
export const OFFLINE: Readonly<Record<string, string>> = {
  HTTP_PROXY: NOWHERE,
  HTTPS_PROXY: NOWHERE,
  NO_PROXY: "localhost,127.0.0.1,::1",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1",
  OPENCODE_DISABLE_AUTOUPDATE: "1",
};

/** Variables by which an agent looks elsewhere than in its home. */
const ELSEWHERE = [
  "CLAUDE_CONFIG_DIR",
  "CODEX_HOME",
  "GEMINI_CLI_HOME",
  "OPENCODE_CONFIG",
  "XDG_CONFIG_HOME",
];

/** The surroundings of an agent in a folder: nothing leads out of its home. */
export function surroundings(
  cwd: string,
  outer: Readonly<Record<string, string>>,
): ClientRun {
  const env = Object.entries(outer).filter(([name]) =>
    !ELSEWHERE.includes(name)
  );
  return { cwd, env: Object.fromEntries(env) };
}

/** The program of an agent, installed if need be. */
export async function npmClient(client: NpmClient): Promise<string> {
  const { name, version } = NPM_CLIENTS[client];
  const cache = Deno.env.get("TASKMUX_CLIENTS_CACHE") ??
    `${Deno.env.get("HOME")}/.cache/taskmux-clients`;
  const folder = `${cache}/${client}-${version}`;
  const program = `${folder}/node_modules/.bin/${client}`;
  if (await isThere(program)) return program;
  await Deno.mkdir(folder, { recursive: true });
  console.error(`installing ${name}@${version} into ${folder}`);
  const { code, stderr } = await new Deno.Command("npm", {
    args: [
      "install",
      "--prefix",
      folder,
      "--no-audit",
      "--no-fund",
      `${name}@${version}`,
    ],
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal: AbortSignal.timeout(INSTALL_TIMEOUT_MS),
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return program;
}

/** Where and as whom an agent runs. */
export interface ClientRun {
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** Runs an agent to its end and gives what it printed, without colours. */
export async function runClient(
  program: string,
  args: readonly string[],
  { cwd, env }: ClientRun,
): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(RUN_TIMEOUT_MS),
  }).output();
  const decoder = new TextDecoder();
  return stripColours(decoder.decode(stdout) + decoder.decode(stderr));
}

/**
 * Has Codex ask its servers what they offer, and call a tool: `codex mcp list` only reads settings, its own server
 * connects. In a thread servers are started as they are for a person in that folder.
 */
export async function askCodex(
  program: string,
  { cwd, env }: ClientRun,
): Promise<string> {
  const child = new Deno.Command(program, {
    args: ["app-server"],
    cwd,
    env: { ...env },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    signal: AbortSignal.timeout(RUN_TIMEOUT_MS),
  }).spawn();
  const keys = child.stdin.getWriter();
  const send = (frame: object): Promise<void> =>
    keys.write(new TextEncoder().encode(JSON.stringify(frame) + "\n"));
  const clientInfo = { name: "taskmux-test", version: "1" };
  await send({ id: 1, method: "initialize", params: { clientInfo } });
  let answer = "";
  let threadId = "";
  for await (const line of linesOf(child.stdout)) {
    const frame = JSON.parse(line);
    if (frame.id === 1) {
      await send({ method: "initialized" });
      await send({ id: 2, method: "thread/start", params: { cwd } });
    }
    if (frame.id === 2) threadId = frame.result.thread.id;
    const { status, name } = frame.params ?? {};
    const isStarted = frame.method === "mcpServer/startupStatus/updated" &&
      name === "taskmux" && status !== "starting";
    if (isStarted && status !== "ready") answer = line;
    if (isStarted) {
      const params = { threadId };
      await send({ id: 3, method: "mcpServerStatus/list", params });
    }
    if (frame.id === 3) {
      answer += line;
      const call = { threadId, server: "taskmux", tool: "taskmux_status" };
      await send({ id: 4, method: "mcpServer/tool/call", params: call });
    }
    if (frame.id !== 4) continue;
    answer += line;
    break;
  }
  await keys.close();
  await child.status;
  return answer;
}

async function* linesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => line.startsWith("{"));
  }
}

function stripColours(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "");
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}
