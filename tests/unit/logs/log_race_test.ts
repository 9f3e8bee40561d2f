/**
 * Reading while the keeper's own writer writes and rotates in another process.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { followLogs } from "../../../src/logs/log_follow.ts";
import { readLogs } from "../../../src/logs/log_reader.ts";
import { LogView } from "../../../src/logs/log_view.ts";
import { LogFolder, queryOf } from "../../support/log_folder.ts";

const PROGRAM = fileURLToPath(
  new URL("../../fixtures/programs/write_log.ts", import.meta.url),
);

const LINES = 20_000;

/** Accepts lines in the order of their numbers. A hole is fine only where a loss is told. */
class Sequence {
  #next = 0;

  get isComplete(): boolean {
    return this.#next === LINES;
  }

  add(text: string, isLossTold: boolean): void {
    const number = Number(text.split(" ")[1]);
    const isInOrder = isLossTold ? number >= this.#next : number === this.#next;
    assert.ok(isInOrder, `line ${number} came instead of ${this.#next}`);
    this.#next = number + 1;
  }
}

async function withWriter(
  maxFiles: number,
  read: (folder: LogFolder, sequence: Sequence) => Promise<void>,
): Promise<void> {
  using folder = new LogFolder();
  const writer = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", PROGRAM, folder.path, `${LINES}`]
      .concat(`${maxFiles}`),
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const sequence = new Sequence();
  await read(folder, sequence);
  assert.equal((await writer.status).code, 0);
  assert.ok(sequence.isComplete);
}

for (const maxFiles of [1000, 2]) {
  const name = maxFiles === 2 ? "are lost only as told" : "all arrive in order";

  Deno.test(`lines that are followed during rotation ${name}`, async () => {
    await withWriter(maxFiles, async (folder, sequence) => {
      const query = queryOf([folder.source("web")]);
      const { signal } = new AbortController();
      for await (const { text, dropped } of followLogs(query, signal)) {
        sequence.add(text, dropped !== undefined);
        if (sequence.isComplete) break;
      }
    });
  });

  Deno.test(`lines that are polled during rotation ${name}`, async () => {
    await withWriter(maxFiles, async (folder, sequence) => {
      let cursor: string | null = null;
      // What was rotated away before the first poll is nobody's loss, but a hole.
      let isLossTold = true;
      for (let poll = 0; !sequence.isComplete; poll++) {
        const lines = 1 + (poll * 131) % 700;
        const page = await readLogs(
          queryOf([folder.source("web")], { lines, cursor }),
        );
        isLossTold ||= page.dropped > 0;
        for (const { text } of page.records) {
          sequence.add(text, isLossTold);
          isLossTold = false;
        }
        cursor = page.cursor;
      }
    });
  });
}

Deno.test("reading ends where a file was cut in the middle of a line meanwhile", async () => {
  // The short one is read without giving way, so that even a timer would never have its turn.
  for (const length of [1_000, 200_000]) {
    using folder = new LogFolder();
    const first = folder.line("first");
    folder.append("web", [first, folder.line("x".repeat(length))]);
    using view = LogView.open(folder.file("web"));
    Deno.truncateSync(folder.file("web"), length / 2);
    const texts: string[] = [];
    for await (const { bytes } of view.forward(0, view.end)) {
      texts.push(new TextDecoder().decode(bytes));
    }
    assert.deepEqual(texts, [`${first}\n`]);
  }
});
