/**
 * Whether what `mcp install` writes really takes effect: real agents, of the versions in `npm_client.ts`, tell that they
 * are connected, and the daemon tells that they are.
 *
 * @module
 */

import assert from "node:assert/strict";
import { cliCommand } from "../support/deno_flags.ts";
import { freePort } from "../support/free_port.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import {
  askCodex,
  type ClientRun,
  type NpmClient,
  npmClient,
  OFFLINE,
  runClient,
  surroundings,
} from "./npm_client.ts";

const SHOP = 'name = "shop"\n[tasks.web]\ncommand = "sleep 1000"\n';

/** A project in a repository, a daemon with a port that agents can know, and an agent's surroundings in a home of its own. */
interface World extends AsyncDisposable {
  readonly taskmux: Taskmux;
  readonly home: string;
  readonly run: ClientRun;
}

async function world(): Promise<World> {
  const taskmux = await testTaskmux({
    hostConfig: `api_port = ${freePort()}\nproxy_enabled = false\n`,
    env: OFFLINE,
  });
  const { folder: cwd } = await taskmux.project(SHOP);
  await new Deno.Command("git", { args: ["init", "--quiet"], cwd }).output();
  await taskmux.ok(["start"], { cwd });
  return {
    taskmux,
    home: taskmux.home.root,
    run: surroundings(cwd, taskmux.home.env),
    [Symbol.asyncDispose]: () => taskmux[Symbol.asyncDispose](),
  };
}

/** What an agent says, and which clients the daemon saw of this project meanwhile. */
async function watched(
  { taskmux }: World,
  acting: Promise<string>,
): Promise<{ readonly text: string; readonly seen: readonly string[] }> {
  const seen = new Set<string>();
  const look = async (): Promise<void> => {
    const { sessions } = await taskmux.call("mcp.status", {});
    for (const { client, pin } of sessions) seen.add(`${client} ${pin}`);
  };
  let isOver = false;
  const looking = (async () => {
    while (!isOver) await look();
  })();
  const text = await acting.finally(() => isOver = true);
  await looking;
  await look();
  return { text, seen: [...seen] };
}

async function installed(
  { taskmux, run: { cwd } }: World,
  client: string,
): Promise<void> {
  await taskmux.ok(["mcp", "install", client], { cwd });
}

async function uninstalled(
  { taskmux, run: { cwd } }: World,
  client: string,
): Promise<void> {
  await taskmux.ok(["mcp", "uninstall", client], { cwd });
}

/** Asserts that the agent says so itself, and that the daemon agrees. */
async function connects(
  world: World,
  acting: Promise<string>,
  { says, name }: { readonly says: RegExp; readonly name: RegExp },
): Promise<void> {
  const { text, seen } = await watched(world, acting);
  assert.match(text, says);
  assert(
    seen.some((line) => name.test(line) && line.endsWith(" shop")),
    `the daemon saw ${JSON.stringify(seen)}`,
  );
}

function test(client: NpmClient, body: (program: string) => Promise<void>) {
  Deno.test(`${client} is connected after "mcp install"`, async () => {
    await body(await npmClient(client));
  });
}

test("claude", async (program) => {
  await using it = await world();
  const { home, run } = it;
  const list = (): Promise<string> => runClient(program, ["mcp", "list"], run);
  const connected = { says: /taskmux: .* ✔ Connected/, name: /^claude-code / };
  await installed(it, "claude");
  await connects(it, list(), connected);
  assert.match(
    await runClient(program, ["mcp", "get", "taskmux"], run),
    /Scope: User config/,
  );
  // Claude Code has written into the same file meanwhile.
  await uninstalled(it, "claude");
  assert.match(await list(), /No MCP servers configured/);
  const state = JSON.parse(await Deno.readTextFile(`${home}/.claude.json`));
  assert(
    Object.keys(state).length > 1,
    "what Claude Code wrote is still there",
  );

  await installed(it, "claude-project");
  assert.match(await list(), /taskmux: .* Pending approval/);
  // As its dialog does.
  state.projects = {
    [run.cwd]: {
      hasTrustDialogAccepted: true,
      enabledMcpjsonServers: ["taskmux"],
    },
  };
  await Deno.writeTextFile(`${home}/.claude.json`, JSON.stringify(state));
  await connects(it, list(), connected);
  await uninstalled(it, "claude-project");
  assert.match(await list(), /No MCP servers configured/);
  // Where the original wrote it, nothing reads it.
  await Deno.writeTextFile(
    `${home}/.claude/settings.json`,
    '{"mcpServers":{"taskmux":{"type":"http","url":"http://localhost:1/mcp"}}}',
  );
  assert.match(await list(), /No MCP servers configured/);
});

test("codex", async (program) => {
  await using it = await world();
  const { home, run } = it;
  const list = (): Promise<string> =>
    runClient(program, ["mcp", "list", "--json"], run);
  const connected = {
    // What it offers, and what a call of it answers.
    says: /"name":"taskmux",.*"taskmux_status".*"id":4,"result".*\bweb\b/,
    name: /^codex-mcp-client /,
  };
  // Without one, Codex warns of a folder that is not there.
  await Deno.mkdir(`${home}/.codex`);
  await installed(it, "codex");
  assert.match(await list(), /"streamable_http"[^]*session=shop/);
  await connects(it, askCodex(program, run), connected);
  await uninstalled(it, "codex");
  await installed(it, "codex-project");
  assert.match(await list(), /^\[\]/m);
  await Deno.writeTextFile(
    `${home}/.codex/config.toml`,
    `[projects."${run.cwd}"]\ntrust_level = "trusted"\n`,
  );
  assert.match(await list(), /"streamable_http"[^]*session=shop/);
  await connects(it, askCodex(program, run), connected);
  // Why a second entry of another kind is refused: it does not start with both.
  await Deno.writeTextFile(
    `${home}/.codex/config.toml`,
    '[mcp_servers.taskmux]\ncommand = "taskmux"\n',
    { append: true },
  );
  assert.match(await list(), /url is not supported for stdio/);
});

test("opencode", async (program) => {
  await using it = await world();
  const list = (): Promise<string> =>
    runClient(program, ["mcp", "list"], it.run);
  const connected = { says: /✓ +taskmux +connected/, name: /^opencode / };
  for (const client of ["opencode", "opencode-project"]) {
    await installed(it, client);
    await connects(it, list(), connected);
    await uninstalled(it, client);
    assert.doesNotMatch(await list(), /taskmux +connected/);
  }
});

test("gemini", async (program) => {
  await using it = await world();
  const { home, run } = it;
  const list = (): Promise<string> => runClient(program, ["mcp", "list"], run);
  // What its list calls itself; in a conversation it is "gemini-cli-mcp-client".
  const connected = {
    says: /✓ taskmux: .* Connected/,
    name: /^mcp-test-client /,
  };
  await installed(it, "gemini");
  assert.match(await list(), /folder is untrusted/);
  await Deno.writeTextFile(
    `${home}/.gemini/trustedFolders.json`,
    JSON.stringify({ [run.cwd]: "TRUST_FOLDER" }),
  );
  await connects(it, list(), connected);
  await uninstalled(it, "gemini");
  await installed(it, "gemini-project");
  await connects(it, list(), connected);
  await Deno.mkdir(`${run.cwd}/below`);
  assert.match(
    await runClient(program, ["mcp", "list"], {
      ...run,
      cwd: `${run.cwd}/below`,
    }),
    /No MCP servers configured/,
  );
});

Deno.test("each one starts the server itself, in the folder it works in", async () => {
  await using it = await world();
  const { home, taskmux } = it;
  const run = { ...it.run, env: await withTaskmux(it) };
  await Deno.mkdir(`${home}/.codex`);
  const clients = ["claude", "codex", "opencode", "gemini"] as const;
  for (const client of clients) {
    await taskmux.ok(["mcp", "install", client, "--stdio"], { cwd: home });
  }
  await Deno.writeTextFile(
    `${home}/.gemini/trustedFolders.json`,
    JSON.stringify({ [run.cwd]: "TRUST_FOLDER" }),
  );
  const says = {
    claude: /taskmux: .*mcp serve - ✔ Connected/,
    codex: /"name":"taskmux",.*"taskmux_status".*"id":4,"result".*\bweb\b/,
    opencode: /✓ +taskmux +connected/,
    gemini: /✓ taskmux: .* Connected/,
  };
  for (const client of clients) {
    const program = await npmClient(client);
    const text = client === "codex"
      ? await askCodex(program, run)
      : await runClient(program, ["mcp", "list"], run);
    assert.match(text, says[client]);
    // The folder of the project: so each checkout is about itself.
    const served = await Deno.readTextFile(`${home}/served`);
    assert.deepEqual([...new Set(served.trim().split("\n"))], [run.cwd]);
    await Deno.remove(`${home}/served`);
  }
});

/** A `taskmux` on the PATH, which notes down the folders it serves. */
async function withTaskmux(
  { taskmux, home, run }: World,
): Promise<Record<string, string>> {
  const { program, args } = cliCommand(taskmux.home.paths, []);
  await Deno.mkdir(`${home}/bin`);
  await Deno.writeTextFile(
    `${home}/bin/taskmux`,
    `#!/bin/sh\npwd >> ${home}/served\nexec ${program} ${
      args.join(" ")
    } "$@"\n`,
    { mode: 0o755 },
  );
  return { ...run.env, PATH: `${home}/bin:${run.env["PATH"]}` };
}

Deno.test("cursor and vscode are NOT run: their files have the documented form", async () => {
  console.error(
    "NOT VERIFIED: Cursor and VS Code have no headless mode; only the form of " +
      "their files is compared with what they document",
  );
  await using it = await world();
  const { cwd } = it.run;
  for (const client of ["cursor", "cursor-project", "vscode"]) {
    await installed(it, client);
  }
  const read = async (path: string): Promise<Record<string, unknown>> =>
    JSON.parse(await Deno.readTextFile(path));
  const { mcpServers } = await read(`${cwd}/.cursor/mcp.json`);
  assert.deepEqual(
    await read(`${it.home}/.cursor/mcp.json`),
    { mcpServers },
  );
  const { servers } = await read(`${cwd}/.vscode/mcp.json`);
  for (const table of [mcpServers, servers]) {
    const { taskmux } = table as Record<string, Record<string, string>>;
    assert.equal(taskmux?.["type"], "http");
    assert.match(
      taskmux?.["url"] ?? "",
      /^http:\/\/localhost:\d+\/mcp\?session=shop$/,
    );
  }
});
