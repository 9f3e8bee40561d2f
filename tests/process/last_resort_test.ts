import assert from "node:assert/strict";
import { REPOSITORY } from "../support/deno_flags.ts";

async function uncaught(count: number): Promise<{
  readonly code: number;
  readonly said: string;
  readonly logged: string[];
}> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-net=127.0.0.1,0.0.0.0",
      `${REPOSITORY}/tests/fixtures/programs/uncaught.ts`,
      String(count),
    ],
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    code,
    said: text(stdout),
    logged: text(stderr).split("\n").filter((line) =>
      line.startsWith("uncaught")
    ),
  };
}

Deno.test("what nobody catches is logged, and ends nothing", async () => {
  const { code, said, logged } = await uncaught(4);
  assert.equal(said, "alive\n");
  assert.equal(code, 0);
  assert.deepEqual(logged.sort(), [
    "uncaught: Error: microtask",
    "uncaught: Error: promise",
    "uncaught: Error: tick",
    "uncaught: Error: timer",
    "uncaught: RangeError [ERR_HTTP2_STATUS_INVALID]: Invalid status code: 99",
  ]);
});

Deno.test("a loop of it ends the process", async () => {
  const { code, said, logged } = await uncaught(100);
  assert.equal(said, "");
  assert.notEqual(code, 0);
  assert.equal(logged.length, 61);
  assert.match(logged.at(-1)!, /^uncaught too often: /);
});
