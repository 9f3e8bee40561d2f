/**
 * A person at the terminal of a task.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRunning } from "../support/process_state.ts";
import { openTerminal } from "../support/terminal.ts";
import { killIfThere, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

/** Answers each line, tells the size when asked, and ends with the number it is told. */
const CONSOLE = `
name = "talk"
[tasks.console]
command = '''
trap 'echo interrupted' INT
echo ready
while :; do
  read -r word number || continue
  case $word in
    size) stty size;;
    exit) exit $number;;
    *) echo "said $word, über";;
  esac
done'''
ready_log = "ready"
stop_signal = "SIGTERM"
restart_policy = "no"
`;

const DETACH = "\x10\x11";

Deno.test("attach shows what a task says, types into it, and leaves it running", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(CONSOLE);
  await project.ok(["start"]);
  const pid = await project.pid("console");
  const { folder } = project;
  await using terminal = openTerminal(
    taskmux.home,
    ["attach", "console"],
    folder,
  );
  await terminal.shows("Attached to console");
  await terminal.shows("ready");
  await terminal.type("hello\r");
  await terminal.shows("said hello, über");
  await terminal.type("size\r");
  await terminal.shows("33 111");
  await terminal.type("\x03");
  await terminal.shows("interrupted");
  await terminal.type(DETACH);
  await terminal.shows("Detached; console runs on");
  assert.equal(await terminal.ended(), 0);
  assert.equal(await project.pid("console"), pid);

  // The log gets its size back, and all that was said.
  await using again = openTerminal(
    taskmux.home,
    ["attach", "console", "--detach-keys", "x,y"],
    folder,
  );
  await again.shows("said hello");
  await again.type("exit 3\r");
  await again.shows("console is over, exit code 3");
  assert.equal(await again.ended(), 1);
  assert.equal((await project.when("console", "failed")).exit_code, 3);
  assert((await project.log("console")).includes("said hello, über"));
});

Deno.test("attach goes on with the next daemon, and says so", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(CONSOLE);
  await project.ok(["start"]);
  const pid = await project.pid("console");
  await using terminal = openTerminal(
    taskmux.home,
    ["attach", "console"],
    project.folder,
  );
  await terminal.shows("ready");
  const daemon = await taskmux.daemonPid();
  assert(daemon !== null);
  killIfThere(daemon);
  await until(async () => !await isRunning(daemon));
  await terminal.shows("the daemon has gone; console runs on");
  await taskmux.ok(["daemon", "start"]);
  await terminal.shows("the daemon is back");
  const mark = terminal.mark();
  await terminal.type("again\r");
  await terminal.shows("said again", mark);
  assert.equal(terminal.text.split("ready").length, 2, "nothing comes twice");
  await terminal.type(DETACH);
  assert.equal(await terminal.ended(), 0);
  assert.equal(await project.pid("console"), pid);
});

Deno.test("attach needs a terminal and a task that runs", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(CONSOLE);
  const { hint } = await project.fails("E500", ["attach", "console"]);
  assert.equal(hint, "taskmux logs console -n 50");
  await project.fails("E500", ["attach", "console", "--detach-keys", "esc"]);
  await using terminal = openTerminal(
    taskmux.home,
    ["attach", "console"],
    project.folder,
  );
  await terminal.shows("Error [E202]");
  assert.equal(await terminal.ended(), 4);
});

// A flood must fill neither the keeper nor the daemon while its reader stands still.
Deno.test("attach skips what its terminal does not take, and counts it", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "flood"
[tasks.flood]
command = "yes 0123456789012345678901234567890123456789"
log_max_size = "1MB"
`);
  await project.ok(["start"]);
  await using terminal = openTerminal(
    taskmux.home,
    ["attach", "flood"],
    project.folder,
  );
  await terminal.shows(/\[taskmux\] \d+ bytes skipped/);
  await terminal.type(DETACH);
  assert.equal(await terminal.ended(), 0);
});
