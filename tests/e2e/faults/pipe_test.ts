/**
 * Named pipes where files are expected: whoever opens one waits for somebody at its other end.
 *
 * @module
 */

import assert from "node:assert/strict";
import { testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

async function makePipe(path: string): Promise<void> {
  const { success } = await new Deno.Command("mkfifo", { args: [path] })
    .output();
  assert(success);
}

const SIMPLE = `
[tasks.web]
command = "exec sleep 1000"
`;

// Deno's file watcher opened the pipe, and the watcher of the next project then never came back: the daemon was deaf.
Deno.test("a named pipe in the folder of a project stops nobody, and keeps what is written to it", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`name = "one"\n${SIMPLE}`);
  await project.ok(["start"]);
  const pipe = `${project.folder}/pipe`;
  await makePipe(pipe);
  const writer = new Deno.Command("sh", {
    args: ["-c", 'echo secret > "$0"', pipe],
  }).spawn();
  const other = await taskmux.project(`name = "two"\n${SIMPLE}`, "two");
  await other.ok(["start"]);
  await project.replace(
    `name = "one"\n${SIMPLE}[tasks.late]\ncommand = "exec sleep 1000"\n`,
  );
  await project.when("late", "running");
  assert.equal(await Deno.readTextFile(pipe), "secret\n");
  assert.equal((await writer.status).code, 0);
});

// The keeper waited for a reader, and with it every task of every project.
Deno.test("a log file that is a named pipe costs its task the log, and others nothing", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "piped"
[tasks.piped]
command = "echo one; exec sleep 1000"
log_file = "pipe"
[tasks.other]
command = "echo two; exec sleep 1000"
`);
  await makePipe(`${project.folder}/pipe`);
  await project.ok(["start"]);
  await until(async () => (await project.log("other")).includes("two"));
  const event = await project.whenEvent("log_error", "piped");
  assert.match(String(event["reason"]), /not a regular file/);
  await project.ok(["stop"]);
});
