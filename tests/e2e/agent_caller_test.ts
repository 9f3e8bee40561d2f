/**
 * Coding agents, which run commands on a terminal although nobody looks at it: they get what a pipe gets.
 */

import assert from "node:assert/strict";
import { testTaskmux } from "../support/taskmux.ts";
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

Deno.test("an agent on a terminal gets plain text, no question and no drawing", async (t) => {
  await using taskmux = await testTaskmux();
  const { home } = taskmux;
  const project = await taskmux.project(TOML);
  const onTerminal = async (
    args: readonly string[],
    env: Record<string, string>,
    cwd = project.folder,
  ): Promise<{ text: string; code: number }> => {
    await using terminal = openTerminal(home, args, cwd, env);
    const code = await terminal.ended();
    // What the terminal itself makes of a line feed.
    return { text: terminal.text.replaceAll("\r\n", "\n"), code };
  };
  const plain = async (...args: string[]): Promise<string> => {
    const { text, code } = await onTerminal(args, AGENT);
    assert.equal(code, 0, text);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f]/, args.join(" "));
    return text;
  };

  await t.step("start, status, wait, logs, why, errors, help", async () => {
    assert.match(await plain("start"), /web/);
    assert.match(await plain("ensure", "slow"), /slow/);
    assert.match(await plain("status"), /Healthy  web/);
    assert.match(await plain("wait", "web", "--for", "healthy"), /web/);
    assert.match(await plain("logs", "web"), /red/);
    for (const args of [["why", "web"], ["errors"], ["events"], ["--help"]]) {
      await plain(...args);
    }
  });

  await t.step("the same line for line as a pipe", async () => {
    for (const args of [["status"], ["logs", "web"], ["inspect", "web"]]) {
      const { stdout } = await project.run(args);
      const volatile = /\d+(?:\.\d+)? ?(?:ms|s|m|min)\b|\d+ seconds?/g;
      assert.equal(
        (await plain(...args)).replace(volatile, "T"),
        stdout.replace(volatile, "T"),
      );
    }
  });

  await t.step("a person beside it gets colours", async () => {
    for (const args of [["status"], ["logs", "web"]]) {
      const { text } = await onTerminal(args, PERSON);
      assert.match(text, /\x1b\[\d+m/, args.join(" "));
    }
    // Also below an agent, if that is said.
    const told = { ...AGENT, TASKMUX_AGENT: "0" };
    assert.match((await onTerminal(["status"], told)).text, /\x1b\[\d+m/);
  });

  await t.step("nobody is asked", async () => {
    const clean = await onTerminal(["clean"], AGENT);
    assert.match(clean.text, /Error \[E500\].*nobody can be asked/);
    assert.equal(clean.code, 2);
    const attach = await onTerminal(["attach", "web"], AGENT);
    assert.match(attach.text, /Error \[E500\].*for a person/);
    assert.equal(attach.code, 2);

    const folder = `${home.work}/fresh`;
    await Deno.mkdir(folder);
    const init = await onTerminal(["init"], AGENT, folder);
    assert.match(init.text, /Created .*AGENTS\.md/);
    assert.equal(init.code, 0);
    const inject = await onTerminal(["inject"], AGENT, folder);
    assert.match(inject.text, /Up to date: .*AGENTS\.md/);
    assert.equal(inject.code, 0);

    await using person = openTerminal(
      home,
      ["clean"],
      project.folder,
      PERSON,
    );
    await person.shows("forget it? [y/N]");
    await person.type("n\r");
    assert.equal(await person.ended(), 1);
  });

  await t.step("what does not end says so", async () => {
    for (const args of [["logs", "-f"], ["events", "-f"], ["watch"]]) {
      await using terminal = openTerminal(home, args, project.folder, AGENT);
      await terminal.shows("note: this goes on until it is ended; taskmux ");
      await terminal.type("\x03");
      await terminal.ended();
    }
  });
});
