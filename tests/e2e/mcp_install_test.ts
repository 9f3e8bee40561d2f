import assert from "node:assert/strict";
import { freePort } from "../support/free_port.ts";
import { openTerminal } from "../support/terminal.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";

const PORT = 18_765;
const URL_OF_SHOP = `http://localhost:${PORT}/mcp?session=shop`;
const SHOP = 'name = "shop"\n[tasks.web]\ncommand = "true"\n';

interface Result {
  readonly client: string;
  readonly ok: boolean;
  readonly path: string;
  readonly action: string;
  readonly url: string | null;
  readonly warnings: readonly string[];
  readonly diff?: string;
  readonly error?: string;
  readonly error_code?: string;
  readonly hint?: string | null;
}

interface Installed {
  readonly ok: boolean;
  readonly session: string | null;
  readonly warnings: readonly string[];
  readonly results: readonly Result[];
  readonly next: readonly { readonly command: string }[];
}

async function shop(port = PORT): Promise<{ taskmux: Taskmux; cwd: string }> {
  const taskmux = await testTaskmux({
    hostConfig: `api_port = ${port}\nproxy_enabled = false\n`,
    env: { CLAUDE_CONFIG_DIR: "", CODEX_HOME: "", GEMINI_CLI_HOME: "" },
  });
  const { folder } = await taskmux.project(SHOP);
  return { taskmux, cwd: folder };
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await Deno.readTextFile(path));
}

async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o777;
}

Deno.test("mcp install all writes what each program reads, a second time nothing", async () => {
  const { taskmux, cwd } = await shop();
  await using _ = taskmux;
  const home = taskmux.home.root;
  const first = await taskmux.ok<Installed & { ok: true }>(
    ["mcp", "install", "all"],
    { cwd },
  );
  assert.equal(first.session, "shop");
  assert.deepEqual(
    first.results.map((
      { client, path, action, url },
    ) => [client, path, action, url]),
    [
      ["claude-project", `${cwd}/.mcp.json`],
      ["cursor-project", `${cwd}/.cursor/mcp.json`],
      ["codex-project", `${cwd}/.codex/config.toml`],
      ["opencode-project", `${cwd}/opencode.json`],
      ["gemini-project", `${cwd}/.gemini/settings.json`],
      ["vscode", `${cwd}/.vscode/mcp.json`],
      ["claude", `${home}/.claude.json`],
      ["cursor", `${home}/.cursor/mcp.json`],
      ["codex", `${home}/.codex/config.toml`],
      ["opencode", `${home}/.config/opencode/opencode.json`],
      ["gemini", `${home}/.gemini/settings.json`],
    ].map((line) => [...line, "created", URL_OF_SHOP]),
  );
  const typed = { type: "http", url: URL_OF_SHOP };
  const servers = { mcpServers: { taskmux: typed } };
  assert.deepEqual(await readJson(`${cwd}/.mcp.json`), servers);
  assert.deepEqual(await readJson(`${home}/.claude.json`), servers);
  assert.deepEqual(await readJson(`${cwd}/.cursor/mcp.json`), servers);
  assert.deepEqual(await readJson(`${cwd}/.vscode/mcp.json`), {
    servers: { taskmux: typed },
  });
  assert.deepEqual(await readJson(`${cwd}/.gemini/settings.json`), {
    mcpServers: { taskmux: { httpUrl: URL_OF_SHOP } },
  });
  assert.deepEqual(await readJson(`${cwd}/opencode.json`), {
    $schema: "https://opencode.ai/config.json",
    mcp: { taskmux: { type: "remote", url: URL_OF_SHOP, enabled: true } },
  });
  assert.equal(
    await Deno.readTextFile(`${home}/.codex/config.toml`),
    `[mcp_servers.taskmux]\nurl = "${URL_OF_SHOP}"\n`,
  );
  assert.equal(await modeOf(`${home}/.codex/config.toml`), 0o600);
  assert.equal(await modeOf(`${home}/.codex`), 0o700);
  assert.equal(
    await modeOf(`${cwd}/.mcp.json`),
    await modeOf(`${cwd}/taskmux.toml`),
  );
  for (const { client, warnings } of first.results) {
    const isUsers = !client.endsWith("-project") && client !== "vscode";
    assert.deepEqual(warnings, isUsers ? ["user_scope_pinned"] : [], client);
  }
  await againAndBack(taskmux, cwd);
});

/** A second installation changes nothing, and what it did can be undone. */
async function againAndBack(taskmux: Taskmux, cwd: string): Promise<void> {
  const second = await taskmux.ok<Installed & { ok: true }>(
    ["mcp", "install", "all"],
    { cwd },
  );
  assert(second.results.every(({ action }) => action === "unchanged"));
  const gone = await taskmux.ok<Installed & { ok: true }>(
    ["mcp", "uninstall", "all"],
    { cwd },
  );
  assert.equal(gone.results.length, 11);
  const left = [...Deno.readDirSync(cwd)].map(({ name }) => name).sort();
  assert.deepEqual(left, ["taskmux.toml"]);
  assert.deepEqual(await readJson(`${taskmux.home.root}/.claude.json`), {
    mcpServers: {},
  });
}

Deno.test("mcp install outside a project guesses nothing and writes nothing", async () => {
  const { taskmux } = await shop();
  await using _ = taskmux;
  const outside = `${taskmux.home.work}/elsewhere`;
  await Deno.mkdir(outside);
  for (const args of [["claude"], ["all"], ["claude-project", "--print"]]) {
    await taskmux.fails("E100", ["mcp", "install", ...args], { cwd: outside });
  }
  await taskmux.fails("E100", ["mcp", "show"], { cwd: outside });
  // A program that runs everywhere finds the project by itself, one of a project needs it.
  const { results } = (await taskmux.run(
    ["mcp", "install", "claude-project", "codex", "--stdio", "--json"],
    { cwd: outside },
  )).json() as unknown as Installed;
  assert.deepEqual(
    results.map(({ ok, error_code }) => [ok, error_code]),
    [[false, "E100"], [true, undefined]],
  );
  assert.deepEqual([...Deno.readDirSync(outside)], []);
  const named = await taskmux.ok<Installed & { ok: true }>(
    ["mcp", "install", "claude-project", "--session", "a&b", "--read-only"],
    { cwd: outside },
  );
  assert.equal(
    named.results[0]?.url,
    `http://localhost:${PORT}/mcp?session=a%26b&access=read`,
  );
  assert.deepEqual(named.warnings, ["unknown_session"]);
  const open = await taskmux.run(["mcp", "install", "claude", "--unscoped"], {
    cwd: outside,
  });
  assert.equal(open.code, 0, open.stderr);
  assert.match(open.stdout, /UNSCOPED/);
  const again = await taskmux.ok<Installed & { ok: true }>(
    ["mcp", "install", "claude", "--unscoped"],
    { cwd: outside },
  );
  assert.deepEqual(again.warnings, ["unscoped_install"]);
  assert.equal(again.results[0]?.url, `http://localhost:${PORT}/mcp`);
});

Deno.test("mcp install leaves what it cannot read alone and does the others", async () => {
  const { taskmux, cwd } = await shop();
  await using _ = taskmux;
  const broken = `{\n  "mcpServers": {\n    "x": {}\n  "y": 1\n}\n`;
  await Deno.writeTextFile(`${cwd}/.mcp.json`, broken);
  const kept = `${taskmux.home.work}/dotfiles.toml`;
  await Deno.writeTextFile(kept, '# mine\r\nmodel = "o3" # best\r\n');
  await Deno.chmod(kept, 0o640);
  await Deno.mkdir(`${taskmux.home.root}/.codex`);
  await Deno.symlink(kept, `${taskmux.home.root}/.codex/config.toml`);
  const run = await taskmux.run(
    ["mcp", "install", "claude-project", "codex", "--json"],
    { cwd },
  );
  const { ok, results } = run.json() as unknown as Installed;
  assert.equal(run.code, 3);
  assert.equal(ok, false);
  assert.equal(results[0]?.error_code, "E101");
  assert.match(results[0]?.error ?? "", /line 4, column 3/);
  assert.equal(await Deno.readTextFile(`${cwd}/.mcp.json`), broken);
  assert.equal(results[1]?.action, "updated");
  assert.equal(
    await Deno.readTextFile(kept),
    '# mine\r\nmodel = "o3" # best\r\n\r\n' +
      `[mcp_servers.taskmux]\r\nurl = "${URL_OF_SHOP}"\r\n`,
  );
  assert.equal(await modeOf(kept), 0o640);
  assert(
    (await Deno.lstat(`${taskmux.home.root}/.codex/config.toml`)).isSymlink,
  );
});

Deno.test("mcp install without a name takes the agents in use, or those that are chosen", async () => {
  const { taskmux, cwd } = await shop();
  await using _ = taskmux;
  const none = await taskmux.fails("E500", ["mcp", "install"], { cwd });
  assert.match(none.hint ?? "", /claude-project, .*, all/);
  await Deno.mkdir(`${cwd}/.cursor`);
  await Deno.mkdir(`${taskmux.home.root}/.codex`);
  const used = await taskmux.ok<Installed & { ok: true }>(
    ["mcp", "install", "--print"],
    { cwd },
  );
  assert.deepEqual(
    used.results.map(({ client, action }) => [client, action]),
    [["cursor-project", "would_create"]],
  );
  assert.match(used.results[0]?.diff ?? "", /\+ {5}"taskmux": \{/);
  assert.deepEqual([...Deno.readDirSync(`${cwd}/.cursor`)], []);
  await using terminal = openTerminal(taskmux.home, ["mcp", "install"], cwd);
  await terminal.shows("gemini");
  // The first of the list; Cursor is chosen already, and nothing of the user.
  await terminal.type(" \r");
  assert.equal(await terminal.ended(), 0, terminal.text);
  assert.match(terminal.text, /claude-project: made/);
  assert.match(terminal.text, /cursor-project: made/);
  assert.doesNotMatch(terminal.text, /codex(-project)?: made/);
});

Deno.test("mcp install refuses what would not work", async () => {
  const taskmux = await testTaskmux();
  await using _ = taskmux;
  const { folder: cwd } = await taskmux.project(SHOP);
  const moving = await taskmux.fails("E104", ["mcp", "install", "claude"], {
    cwd,
  });
  assert.match(moving.hint ?? "", /api_port/);
  await taskmux.fails("E500", ["mcp", "install", "cloude"], { cwd });
  await taskmux.fails("E500", [
    "mcp",
    "install",
    "claude",
    "--unscoped",
    "--session",
    "x",
  ], { cwd });
  const stdio = await taskmux.ok<{ snippet: string; url: null }>(
    ["mcp", "show", "opencode-project", "--stdio"],
    { cwd },
  );
  assert.equal(stdio.url, null);
  assert.deepEqual(JSON.parse(stdio.snippet), {
    mcp: {
      taskmux: {
        type: "local",
        command: ["taskmux", "mcp", "serve"],
        environment: { TASKMUX_HOME: taskmux.home.home },
        enabled: true,
      },
    },
  });
});

Deno.test("what a user has everywhere names the program by its path, what is shared by its name", async () => {
  const { taskmux, cwd } = await shop();
  await using _ = taskmux;
  const { root, env } = taskmux.home;
  const command = async (client: string, path: string): Promise<unknown> => {
    const { snippet } = await taskmux.ok<{ ok: true; snippet: string }>(
      ["mcp", "show", client, "--stdio"],
      { cwd, env: { PATH: path } },
    );
    return JSON.parse(snippet).mcpServers.taskmux.command;
  };
  await Deno.mkdir(`${root}/bin`);
  await Deno.writeTextFile(`${root}/bin/taskmux`, "");
  const path = `${root}/bin:${env["PATH"]}`;
  assert.equal(await command("claude", path), `${root}/bin/taskmux`);
  assert.equal(await command("claude-project", path), "taskmux");
});

interface Status {
  readonly running: boolean;
  readonly url: string | null;
  readonly local: { readonly session: string; readonly url: string } | null;
  readonly clients: readonly {
    readonly client: string;
    readonly state: string;
    readonly problems: readonly string[];
    readonly session: string | null;
  }[];
  readonly next: readonly { readonly command: string }[];
}

/** What is suggested, in its order. */
function commandsOf(
  { next }: Pick<Status, "next"> | Pick<Installed, "next">,
): string[] {
  return next.map(({ command }) => command);
}

Deno.test("mcp status tells of the daemon, and of settings that lead elsewhere", async () => {
  const port = freePort();
  const { taskmux, cwd } = await shop(port);
  await using _ = taskmux;
  await taskmux.ok(["mcp", "install", "claude-project", "gemini"], { cwd });
  await Deno.writeTextFile(
    `${cwd}/opencode.json`,
    '{"mcp":{"taskmux":{"type":"remote","url":"http://localhost:1/mcp?session=x"}}}',
  );
  await Deno.writeTextFile(`${taskmux.home.root}/.claude.json`, "{");
  const stateOf = ({ clients }: Status, name: string) => {
    const found = clients.find(({ client }) => client === name);
    return [found?.state, found?.problems];
  };
  const off = await taskmux.ok<Status & { ok: true }>(["mcp", "status"], {
    cwd,
  });
  assert.equal(off.running, false);
  assert.equal(off.url, null);
  assert.deepEqual(stateOf(off, "claude-project"), ["ready", []]);
  assert.equal(commandsOf(off)[0], "taskmux daemon start");
  await taskmux.ok(["daemon", "start"], { cwd });
  const on = await taskmux.ok<Status & { ok: true }>(["mcp", "status"], {
    cwd,
  });
  assert.equal(on.running, true);
  assert.equal(on.local?.session, "shop");
  assert.equal(on.local?.url, `http://localhost:${port}/mcp?session=shop`);
  assert.deepEqual(stateOf(on, "claude-project"), ["ready", []]);
  assert.deepEqual(stateOf(on, "gemini"), ["ready", []]);
  assert.deepEqual(stateOf(on, "opencode-project"), [
    "attention",
    ["stale_url", "other_session"],
  ]);
  assert.deepEqual(stateOf(on, "claude"), ["unreadable", []]);
  assert.deepEqual(stateOf(on, "codex"), ["absent", []]);
  assert.deepEqual(commandsOf(on), [
    "taskmux mcp install opencode-project --stdio",
  ]);
  const shown = await taskmux.run(["mcp", "status"], { cwd });
  assert.match(shown.stdout, /claude-project +ready/);
  assert.match(shown.stdout, /claude +cannot be read/);
  assert.match(shown.stdout, /Warning: claude: Cannot parse .*line 1/);
  // The daemon runs, but has never heard of the project.
  const again = await taskmux.ok<Installed & { ok: true }>(
    ["mcp", "install", "claude-project"],
    { cwd },
  );
  assert.deepEqual(commandsOf(again), ["taskmux start"]);
  const set = await taskmux.run(["config", "set", "api_port", "18767"], {
    cwd,
  });
  assert.match(set.stdout, /Next: taskmux daemon restart/);
  const moved = await taskmux.ok<Status & { ok: true }>(["mcp", "status"], {
    cwd,
  });
  assert.equal(commandsOf(moved)[0], "taskmux daemon restart");
  await Deno.writeTextFile(`${cwd}/taskmux.toml`, "a = = 1\n");
  const broken = await taskmux.run(["mcp", "status"], { cwd });
  assert.match(broken.stdout, /Warning: Cannot parse ".*taskmux.toml" at line/);
  assert.match(broken.stdout, /claude-project +ready/);
});

Deno.test("mcp install without a name keeps what an agent may do, with one it says so", async () => {
  const { taskmux, cwd } = await shop();
  await using _ = taskmux;
  const install = (...args: string[]) =>
    taskmux.ok<Installed & { ok: true }>(["mcp", "install", ...args], { cwd });
  await install("cursor-project", "--read-only");
  await install("vscode", "--stdio");
  const kept = await install();
  assert.deepEqual(
    kept.results.map(({ action }) => action),
    ["unchanged", "unchanged"],
  );
  assert.deepEqual(commandsOf(kept), ["taskmux start"]);
  const { results: [wider] } = await install("cursor-project");
  assert.deepEqual(wider?.warnings, ["widened"]);
  assert.equal(wider?.url, URL_OF_SHOP);
});

Deno.test("mcp install writes no second entry that a program cannot live with", async () => {
  const { taskmux, cwd } = await shop();
  await using _ = taskmux;
  const install = async (...args: string[]): Promise<Installed> =>
    (await taskmux.run(["mcp", "install", ...args, "--json"], { cwd }))
      .json() as unknown as Installed;
  const own = `${taskmux.home.root}/.codex/config.toml`;
  assert.equal((await install("codex-project")).ok, true);
  const { ok, results: [refused] } = await install("codex", "--stdio");
  assert.equal(ok, false);
  assert.equal(refused?.error_code, "E104");
  assert.match(refused?.hint ?? "", /taskmux mcp uninstall codex-project/);
  await assert.rejects(Deno.stat(own), Deno.errors.NotFound);
  // Both at once agree with each other.
  const both = await install("codex", "codex-project", "--stdio");
  assert.equal(both.ok, true);
  await Deno.writeTextFile(own, '[mcp_servers.taskmux]\nurl = "http://x"\n');
  const status = await taskmux.ok<Status & { ok: true }>(["mcp", "status"], {
    cwd,
  });
  assert.ok(commandsOf(status).includes("taskmux mcp uninstall codex"));
  // Claude Code takes one of two, and complains.
  await install("claude", "--stdio");
  const { results: [noisy] } = await install("claude-project");
  assert.deepEqual(noisy?.warnings, ["two_entries"]);
});

Deno.test("mcp status and doctor name a port that stays where another program has it", async () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr;
  const { taskmux, cwd } = await shop(port);
  await using _ = taskmux;
  await taskmux.ok(["start", "--no-deps"], { cwd });
  const { stdout } = await taskmux.run(["mcp", "status"], { cwd });
  assert.match(stdout, /^MCP: not served/m);
  const advice = /taskmux config set api_port ([1-9]\d*) && taskmux daemon/;
  assert.match(stdout, advice);
  assert.notEqual(advice.exec(stdout)?.[1], String(port));
  const doctor = await taskmux.run(["doctor"], { cwd });
  assert.match(doctor.stdout, advice);
});
