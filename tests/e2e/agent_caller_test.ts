/**
 * Coding agents, which run commands on a terminal although nobody looks at it: they get what a pipe gets.
 */

import assert from "node:assert/strict";
import { runCli } from "../support/cli.ts";
import { REPOSITORY } from "../support/deno_flags.ts";
import { testTaskmux } from "../support/taskmux.ts";
import type { TempHome } from "../support/temp_home.ts";
import { openTerminal } from "../support/terminal.ts";

const TOML = `
name = "agents"
[tasks.web]
command = "printf '\\\\033[31mred\\\\033[0m\\\\n'; exec sleep 1000"
ready_log = "red"
[tasks.slow]
command = "sleep 0.5; echo up; exec sleep 1000"
ready_log = "up"
auto_start = false
`;

const AGENT = { CLAUDECODE: "1", NO_COLOR: "" };
/** A person in the terminal of an editor for agents. */
const PERSON = { CURSOR_TRACE_ID: "f00", TERM_PROGRAM: "vscode", NO_COLOR: "" };

/** Without what has changed when it is said again, and the width of a column for it. */
function timeless(text: string): string {
  return text.replace(/(?:\d+(?:\.\d+)? ?(?:ms|s|m|min|h)\b ?)+/g, "T ")
    .replace(/ +/g, " ");
}

/** Command lines in a terminal, to their end. */
class Screen {
  readonly #home: TempHome;
  readonly #folder: string;

  constructor(home: TempHome, folder: string) {
    this.#home = home;
    this.#folder = folder;
  }

  async run(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    folder = this.#folder,
  ): Promise<{ readonly text: string; readonly code: number }> {
    await using terminal = openTerminal(this.#home, args, folder, env);
    const code = await terminal.ended();
    // What the terminal itself makes of a line feed.
    return { text: terminal.text.replaceAll("\r\n", "\n"), code };
  }

  /** For an agent; fails if anything in it is for a terminal. */
  async plain(...args: readonly string[]): Promise<string> {
    const { text, code } = await this.run(args, AGENT);
    assert.equal(code, 0, text);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f]/, args.join(" "));
    return text;
  }
}

Deno.test("an agent on a terminal gets plain text, a person beside it colours", async (t) => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TOML);
  const screen = new Screen(taskmux.home, project.folder);

  await t.step("start, status, wait, logs, why, errors, help", async () => {
    assert.match(await screen.plain("start"), /web/);
    assert.match(await screen.plain("ensure", "slow"), /slow/);
    assert.match(await screen.plain("wait", "web"), /web/);
    assert.match(await screen.plain("status"), /Healthy +web/);
    assert.match(await screen.plain("logs", "web"), /red/);
    for (const args of [["why", "web"], ["errors"], ["events"], ["--help"]]) {
      await screen.plain(...args);
    }
  });

  await t.step("the same line for line as a pipe", async () => {
    for (const args of [["status"], ["logs", "web"], ["inspect", "web"]]) {
      const { stdout } = await project.run(args);
      assert.equal(timeless(await screen.plain(...args)), timeless(stdout));
    }
  });

  await t.step("a person gets colours, below an agent, too", async () => {
    const told = { ...AGENT, TASKMUX_AGENT: "0" };
    for (const env of [PERSON, told]) {
      for (const args of [["status"], ["logs", "web"]]) {
        const { text } = await screen.run(args, env);
        assert(text.includes("\x1b["), `${args.join(" ")}: ${text}`);
      }
    }
  });

  await t.step("what does not end says so", async () => {
    const { folder } = project;
    for (const args of [["logs", "-f"], ["events", "-f"], ["watch"]]) {
      await using terminal = openTerminal(taskmux.home, args, folder, AGENT);
      await terminal.shows("note: this goes on until it is ended; taskmux ");
      await terminal.type("\x03");
      await terminal.ended();
    }
  });
});

Deno.test("nobody asks an agent anything", async () => {
  await using taskmux = await testTaskmux();
  const { home } = taskmux;
  const project = await taskmux.project(TOML);
  const screen = new Screen(home, project.folder);
  const clean = await screen.run(["clean"], AGENT);
  assert.match(clean.text, /Error \[E500\].*nobody can be asked/);
  assert.equal(clean.code, 2);
  const attach = await screen.run(["attach", "web"], AGENT);
  assert.match(attach.text, /Error \[E500\].*for a person/);
  assert.equal(attach.code, 2);

  const folder = `${home.work}/fresh`;
  await Deno.mkdir(folder);
  const init = await screen.run(["init"], AGENT, folder);
  assert.match(init.text, /Created .*AGENTS\.md/);
  assert.equal(init.code, 0);
  const inject = await screen.run(["inject"], AGENT, folder);
  assert.match(inject.text, /Up to date: .*AGENTS\.md/);
  assert.equal(inject.code, 0);

  const install = ["mcp", "install", "--stdio"];
  const installed = await screen.run(install, AGENT, folder);
  assert(!installed.text.includes("\x1b"), installed.text);

  await using person = openTerminal(home, ["clean"], project.folder, PERSON);
  await person.shows("forget it? [y/N]");
  await person.type("n\r");
  assert.equal(await person.ended(), 1);
});

Deno.test("in an agent's sandbox without sockets the error says so, and nothing is guessed", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TOML);
  const fenced = `${REPOSITORY}/tests/fixtures/programs/without_connect.py`;
  const home = { ...taskmux.home, launcher: ["python3", fenced] };
  for (const command of ["status", "start"]) {
    const run = await runCli(home, [command, "--json"], {
      cwd: project.folder,
    });
    const answer = run.json();
    assert.equal(answer["error_code"], "E600");
    assert.match(String(answer["error"]), /sandbox/);
    assert.match(String(answer["hint"]), /MCP tools/);
    assert.equal(run.code, 6);
  }
});
