import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { StoreFolder } from "../../support/store_folder.ts";

const PROGRAM = fileURLToPath(
  new URL("../../fixtures/programs/append_events.ts", import.meta.url),
);

function appender(folder: StoreFolder, count: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", PROGRAM, folder.path, count],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** Reads whole lines; stops after `limit` of them, or at the end. */
async function numbersOf(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
  onCount: (count: number) => void = () => {},
): Promise<number[]> {
  let text = "";
  for await (const part of output.pipeThrough(new TextDecoderStream())) {
    text += part;
    onCount(text.split("\n").length - 1);
  }
  return text.split("\n").slice(0, -1).map(Number);
}

Deno.test("what a killed process has appended is there, in order", async () => {
  using folder = new StoreFolder();
  let expected = 0;
  for (let round = 0; round < 3; round++) {
    const child = appender(folder, "Infinity");
    let isKilled = false;
    const acknowledged = await numbersOf(child.stdout, (count) => {
      if (count < 200 || isKilled) return;
      isKilled = true;
      child.kill("SIGKILL");
    });
    await child.status;
    using store = folder.open();
    assert.deepEqual(store.finding.damage, []);
    const { events } = store.events.list({ limit: 0 });
    const last = acknowledged.at(-1) ?? 0;
    assert.ok(last > expected);
    assert.ok(events.length >= last);
    // Without a hole and without a repetition.
    assert.deepEqual(
      events.map(({ seq }) => seq),
      Array.from({ length: events.length }, (_, n) => n + 1),
    );
    expected = events.length;
  }
});

Deno.test("processes that open and append at the same time never fail", async () => {
  using folder = new StoreFolder();
  const children = [1, 2, 3].map(() => appender(folder, "150"));
  const numbers = await Promise.all(
    children.map(async (child) => {
      const all = await numbersOf(child.stdout);
      assert.equal((await child.status).code, 0);
      return all;
    }),
  );
  assert.deepEqual(
    numbers.flat().sort((a, b) => a - b),
    Array.from({ length: 450 }, (_, n) => n + 1),
  );
  using store = folder.open();
  assert.equal(store.events.list({ limit: 0 }).events.length, 450);
});
