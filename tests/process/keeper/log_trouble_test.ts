import assert from "node:assert/strict";
import type { KeeperNotice } from "../../../src/pty/protocol.ts";
import { logTexts, testKeeper } from "../../support/keeper.ts";
import { until } from "../../support/until.ts";

const LINES = 300_000;

type LogNotice = Extract<KeeperNotice, { notice: "log" }>;

/** Numbers that a flood was seen to have written, without those that stand in several files. */
function numbersIn(files: readonly string[]): Set<number> {
  return new Set(files.flatMap(logTexts).map(Number));
}

function checkComplete(numbers: ReadonlySet<number>): void {
  const missing = Array.from({ length: LINES }, (_, index) => index + 1)
    .filter((number) => !numbers.has(number));
  assert.deepEqual(missing.slice(0, 10), [], `${missing.length} are missing`);
}

Deno.test("moving the log away under a flood loses nothing", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh(`seq 1 ${LINES}`);
  const path = keeper.logOf("task");
  const moved: string[] = [];
  for (let n = 0; n < 5; n++) {
    await until(() => logTexts(path).length > 1000);
    moved.push(`${path}.moved${n}`);
    await Deno.rename(path, `${path}.moved${n}`);
  }
  await keeper.ended(run.runId);
  const texts = [...moved, path].flatMap(logTexts);
  assert.equal(texts.length, LINES);
  checkComplete(numbersIn([...moved, path]));
});

Deno.test("deleting the log under a flood loses nothing that comes after", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh(`seq 1 ${LINES}`);
  const path = keeper.logOf("task");
  const kept: string[] = [];
  for (let n = 0; n < 5; n++) {
    await until(() => logTexts(path).length > 1000);
    // A second name shows what the deleted file held in the end.
    await Deno.link(path, `${path}.kept${n}`);
    kept.push(`${path}.kept${n}`);
    await Deno.remove(path);
  }
  await keeper.ended(run.runId);
  checkComplete(numbersIn([...kept, path]));
});

Deno.test("a log deleted with its folder is made anew", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh("echo before; read -r _; echo after");
  await until(() => keeper.lines("task").length === 1);
  await Deno.remove(`${keeper.home.root}/logs`, { recursive: true });
  await keeper.client.request("write", { runId: run.runId, data: "\r" });
  await keeper.ended(run.runId);
  assert.deepEqual(keeper.lines("task").filter((text) => text !== ""), [
    "after",
  ]);
});

Deno.test("a truncated log goes on without a gap", async () => {
  await using keeper = await testKeeper();
  const run = await keeper.sh(`seq 1 ${LINES}`);
  const path = keeper.logOf("task");
  for (let n = 0; n < 3; n++) {
    await until(() => logTexts(path).length > 1000);
    await Deno.truncate(path);
  }
  await keeper.ended(run.runId);
  const numbers = logTexts(path).map(Number);
  const first = numbers[0] ?? 0;
  assert.deepEqual(
    numbers,
    Array.from({ length: LINES - first + 1 }, (_, index) => first + index),
  );
});

/** A full disk needs a disk of its own, and that needs root. */
async function mountSmallDisk(path: string): Promise<boolean> {
  await Deno.mkdir(path);
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const { success } = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path],
    stderr: "inherit",
  }).output();
  return success;
}

Deno.test("a full disk costs counted bytes, one notice, and nothing after it", async () => {
  await using keeper = await testKeeper();
  const disk = `${keeper.home.root}/disk`;
  if (!await mountSmallDisk(disk)) {
    console.warn("NOT TESTED: a full disk, because mounting needs root");
    return;
  }
  try {
    const path = `${disk}/task.log`;
    await Deno.writeFile(`${disk}/filler`, new Uint8Array(900_000));
    const run = await keeper.sh(
      `seq 1 ${LINES}; echo flooded; read -r _; ` +
        "while :; do echo again; sleep 0.1; done",
      { log: { path } },
    );
    const notices = () =>
      keeper.notices.filter((notice): notice is LogNotice =>
        notice.notice === "log"
      );
    await keeper.client.request("waitForLine", {
      runId: run.runId,
      pattern: "flooded",
      flags: "",
    });
    assert.deepEqual(
      notices().map(({ message }) => message),
      ["No space left on device"],
    );
    await Deno.remove(`${disk}/filler`);
    await keeper.client.request("write", { runId: run.runId, data: "\r" });
    await until(() => notices().length === 2);
    await until(() => logTexts(path).at(-1) === "again");
    const recovered = notices()[1];
    assert.equal(recovered?.message, null);
    const texts = logTexts(path);
    const mark = texts.findIndex((text) => text.startsWith("[taskmux]"));
    const dropped = Number(texts[mark]?.match(/ (\d+) bytes of output/)?.[1]);
    assert.match(texts[mark] ?? "", /dropped: No space left on device$/);
    assert.equal(recovered?.droppedBytes, dropped);
    const lost = texts.slice(mark + 1).filter((text) => /^\d+$/.test(text));
    assert.deepEqual(lost, [], "all numbers come before the mark");
    const written = texts.slice(0, mark).reduce(
      (sum, text) => sum + 25 + text.length,
      0,
    );
    const said = LINES * 25 + 1_988_895 - LINES;
    assert.ok(written + dropped >= said, "every byte is written or counted");
  } finally {
    await keeper.client.request("terminate", {
      runId: (await keeper.client.request("list", {})).runs[0]?.runId ??
        "0123456789ab",
      steps: [{ signal: "SIGKILL", waitMs: 1_000 }],
    });
    await new Deno.Command("umount", { args: [disk] }).output();
  }
});
