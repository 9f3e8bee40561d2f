import assert from "node:assert/strict";
import { systemClock } from "../../../src/kit/clock.ts";
import {
  LogWriter,
  type LogWriterOptions,
  RETRY_MS,
} from "../../../src/logs/log_writer.ts";
import { until } from "../../support/until.ts";

/** A folder, a writer's options in it, and what the writer complained about. */
function setup(more: Partial<LogWriterOptions> = {}) {
  const folder = Deno.makeTempDirSync({ prefix: "tmx-" });
  const troubles: { reason: string | null; droppedBytes: number }[] = [];
  const path = `${folder}/logs/task.log`;
  return {
    folder,
    path,
    troubles,
    options: {
      path,
      maxBytes: 1000,
      maxFiles: 2,
      clock: systemClock,
      onTrouble: (reason, droppedBytes) =>
        troubles.push({ reason, droppedBytes }),
      ...more,
    } satisfies LogWriterOptions,
    read: (suffix = "") => Deno.readTextFileSync(path + suffix),
    names: () =>
      [...Deno.readDirSync(`${folder}/logs`)].map(({ name }) => name).sort(),
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

function write(writer: LogWriter, text: string): void {
  writer.write(new TextEncoder().encode(text));
}

Deno.test("LogWriter makes folder and file for the user alone, and appends", () => {
  using at = setup();
  for (const text of ["one\n", "two\n"]) {
    using writer = new LogWriter(at.options);
    write(writer, text);
  }
  assert.equal(at.read(), "one\ntwo\n");
  assert.equal(Deno.statSync(`${at.folder}/logs`).mode! & 0o777, 0o700);
  assert.equal(Deno.statSync(at.path).mode! & 0o777, 0o600);
});

Deno.test("LogWriter rotates before a file would become too large", () => {
  using at = setup({ maxBytes: 10 });
  using writer = new LogWriter(at.options);
  write(writer, "aaaa\nbbbb\ncccc\n");
  assert.deepEqual(at.names(), ["task.log", "task.log.1"]);
  assert.equal(at.read(".1"), "aaaa\nbbbb\n");
  assert.equal(at.read(), "cccc\n");
  write(writer, "dddd\neeee\n");
  write(writer, "ffff\ngggg\nhhhh\niiii\n");
  assert.deepEqual(at.names(), ["task.log", "task.log.1", "task.log.2"]);
  assert.equal(at.read(".2"), "eeee\nffff\n");
  assert.equal(at.read(".1"), "gggg\nhhhh\n");
  assert.equal(at.read(), "iiii\n");
});

Deno.test("LogWriter writes a line that is longer than a file whole", () => {
  using at = setup({ maxBytes: 4 });
  using writer = new LogWriter(at.options);
  write(writer, "a\nlonger than that\nb\n");
  assert.equal(at.read(".2"), "a\n");
  assert.equal(at.read(".1"), "longer than that\n");
  assert.equal(at.read(), "b\n");
});

Deno.test("LogWriter keeps no rotated file when told to, and drops old ones", () => {
  using at = setup({ maxBytes: 4, maxFiles: 3 });
  using writer = new LogWriter(at.options);
  write(writer, "aaa\nbbb\nccc\nddd\n");
  assert.equal(at.names().length, 4);
  writer.setLimits({ maxBytes: 4, maxFiles: 1 });
  write(writer, "eee\n");
  assert.deepEqual(at.names(), ["task.log", "task.log.1"]);
  writer.setLimits({ maxBytes: 4, maxFiles: 0 });
  write(writer, "fff\n");
  assert.deepEqual(at.names(), ["task.log"]);
  assert.equal(at.read(), "fff\n");
});

Deno.test("LogWriter notices that its file was moved, deleted or truncated", () => {
  using at = setup();
  using writer = new LogWriter(at.options);
  write(writer, "one\n");
  Deno.renameSync(at.path, `${at.path}.moved`);
  write(writer, "two\n");
  assert.equal(at.read(".moved"), "one\n");
  assert.equal(at.read(), "two\n");
  Deno.removeSync(at.path);
  write(writer, "three\n");
  assert.equal(at.read(), "three\n");
  Deno.truncateSync(at.path);
  write(writer, "four\n");
  assert.equal(at.read(), "four\n");
  Deno.removeSync(`${at.folder}/logs`, { recursive: true });
  write(writer, "five\n");
  assert.equal(at.read(), "five\n");
  assert.deepEqual(at.troubles, []);
});

Deno.test("LogWriter ends the torn line of a writer that was killed", () => {
  using at = setup();
  Deno.mkdirSync(`${at.folder}/logs`);
  Deno.writeTextFileSync(at.path, "whole\nto");
  using writer = new LogWriter(at.options);
  write(writer, "next\n");
  assert.equal(at.read(), "whole\nto\nnext\n");
});

Deno.test("LogWriter counts what it cannot write, says so once, and recovers by itself", async () => {
  using at = setup();
  // A file where the folder should be cannot be written to, not even by root.
  Deno.writeTextFileSync(`${at.folder}/logs`, "in the way");
  using writer = new LogWriter(at.options);
  assert.equal(at.troubles.length, 1);
  assert.match(at.troubles[0]?.reason ?? "", /^(File exists|Not a directory)$/);
  write(writer, "12345\n");
  write(writer, "6789\n");
  assert.equal(at.troubles.length, 1);
  Deno.removeSync(`${at.folder}/logs`);
  await until(() => at.troubles.length === 2, { timeoutMs: 5 * RETRY_MS });
  assert.deepEqual(at.troubles[1], { reason: null, droppedBytes: 11 });
  write(writer, "again\n");
  assert.match(
    at.read(),
    /^\S{23} \[taskmux\] 11 bytes of output were dropped: .+\nagain\n$/,
  );
});

Deno.test("LogWriter announces what it dropped at the latest when it is disposed", () => {
  using at = setup();
  Deno.writeTextFileSync(`${at.folder}/logs`, "in the way");
  const writer = new LogWriter(at.options);
  write(writer, "lost\n");
  Deno.removeSync(`${at.folder}/logs`);
  writer[Symbol.dispose]();
  assert.match(at.read(), /\[taskmux\] 5 bytes of output were dropped/);
});
