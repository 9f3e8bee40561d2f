/**
 * The MCP inspector, the official Python client, and our own client for scripts under Node, of pinned versions, against a
 * real daemon. The TypeScript client of MCP is in `tests/e2e/mcp_official_client_test.ts`; this needs packages that the
 * suite does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { mcpUrl } from "../support/mcp_client.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";

const INSPECTOR = "@modelcontextprotocol/inspector@0.15.0";
const PYTHON = "mcp==2.3.0";

/** The oldest that the README promises. It drops the types of a `.ts` file by itself. */
const NODE = "node@22.23.3";

const PYTHON_CLIENT = fileURLToPath(
  new URL("python_client.py", import.meta.url),
);

const NODE_CLIENT = fileURLToPath(new URL("node_client.ts", import.meta.url));

const SHOP = `
name = "shop"
[tasks.web]
command = "echo up; exec sleep 1000"
`;

/** A folder of the cache between runs, filled by these commands in it if it is new. */
async function installed(
  name: string,
  program: string,
  ...commands: readonly (readonly [string, ...string[]])[]
): Promise<string> {
  const cache = Deno.env.get("TASKMUX_CLIENTS_CACHE") ??
    `${Deno.env.get("HOME")}/.cache/taskmux-clients`;
  const cwd = `${cache}/${name.replaceAll("/", "_")}`;
  const path = `${cwd}/${program}`;
  try {
    await Deno.stat(path);
    return path;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(cwd, { recursive: true });
  console.error(`installing ${name} into ${cwd}`);
  for (const command of commands) await output(command, { cwd });
  return path;
}

/** Runs a program that must succeed. @returns What it printed. */
async function output(
  [program = "", ...args]: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    ...options,
  }).output();
  const decoder = new TextDecoder();
  assert(success, `${program} ${args.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

async function shop(): Promise<{ taskmux: Taskmux; url: string }> {
  const taskmux = await testTaskmux();
  const project = await taskmux.project(SHOP);
  await project.ok(["start"]);
  return { taskmux, url: await mcpUrl(taskmux, "session=shop") };
}

Deno.test("the MCP inspector lists, calls and reads", async () => {
  const program = await installed(
    INSPECTOR,
    "node_modules/.bin/mcp-inspector",
    ["npm", "install", "--prefix", ".", "--no-audit", "--no-fund", INSPECTOR],
  );
  const { taskmux, url } = await shop();
  await using _ = taskmux;
  const ask = async (...args: readonly string[]) =>
    JSON.parse(
      await output([program, "--cli", url, "--transport", "http", ...args]),
    );
  const { tools } = await ask("--method", "tools/list");
  assert(tools.length >= 10);
  const call = ["--method", "tools/call", "--tool-name"];
  const status = await ask(...call, "taskmux_status");
  assert.match(JSON.stringify(status.structuredContent), /web/);
  const stopped = await ask(
    ...call,
    "taskmux_stop",
    "--tool-arg",
    "task=web",
  );
  assert.notEqual(stopped.isError, true, JSON.stringify(stopped));
  const { resources } = await ask("--method", "resources/list");
  assert(resources.length >= 3);
  const read = ["--method", "resources/read", "--uri"];
  const { contents } = await ask(...read, "taskmux://logs/shop/web");
  assert.match(contents[0].text, /up/);
});

for (const mode of ["auto", "legacy"]) {
  Deno.test(`the official Python client gets on (${mode})`, async () => {
    const python = await installed(
      PYTHON,
      "venv/bin/python",
      ["python3", "-m", "venv", "venv"],
      ["venv/bin/pip", "install", "--quiet", PYTHON],
    );
    const { taskmux, url } = await shop();
    await using _ = taskmux;
    const seen = JSON.parse(await output([python, PYTHON_CLIENT, url, mode]));
    assert.equal(seen.server, "taskmux");
    assert.equal(seen.protocol, "2025-11-25");
    assert(seen.tools.length >= 10);
    assert.match(JSON.stringify(seen.status), /web/);
    assert.equal(seen.ghost, true);
    assert(seen.resources.includes("taskmux://status"));
    assert.match(seen.read, /web/);
    assert(seen.messages.some(([, text]: string[]) => text?.includes("web")));
    assert(seen.updated.includes("taskmux://status"));
    assert(seen.progress.length > 0, "progress");
  });
}

Deno.test("Node runs the client for scripts", async () => {
  const node = await installed(
    NODE,
    "node_modules/.bin/node",
    ["npm", "install", "--prefix", ".", "--no-audit", "--no-fund", NODE],
  );
  const { taskmux } = await shop();
  await using _ = taskmux;
  const { home: TASKMUX_HOME } = taskmux.home;
  const told = await output([node, NODE_CLIENT], { env: { TASKMUX_HOME } });
  const { tasks, line, event, code } = JSON.parse(told);
  assert.deepEqual(tasks, ["web"]);
  assert.equal(line, "up");
  assert.equal(typeof event, "string");
  assert.equal(code, "E200");
});
