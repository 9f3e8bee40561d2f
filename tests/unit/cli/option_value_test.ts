import assert from "node:assert/strict";
import { exitStatus } from "../../../src/cli/exit_status.ts";
import {
  pointInTime,
  seconds,
  wholeNumber,
} from "../../../src/cli/option_value.ts";
import {
  fishQuote,
  shellQuote,
  shellText,
} from "../../../src/kit/shell_words.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

function refused(work: () => unknown): void {
  assert.throws(work, (error) => {
    assert(error instanceof TaskmuxError);
    assert.equal(error.code, "E500");
    assert.match(error.message, /^Cannot use --x "/);
    return true;
  });
}

Deno.test("seconds() takes numbers and durations", () => {
  assert.equal(seconds("x", null), null);
  assert.equal(seconds("x", "30"), 30);
  assert.equal(seconds("x", "1.5"), 1.5);
  assert.equal(seconds("x", "2m"), 120);
  assert.equal(seconds("x", "0"), 0);
});

Deno.test("seconds() refuses what is no duration, and 0 where that means nothing", () => {
  for (const text of ["soon", "-1", "", "1 2"]) {
    refused(() => seconds("x", text));
  }
  refused(() => seconds("x", "0", { zero: false }));
});

Deno.test("wholeNumber() takes digits within its range only", () => {
  assert.equal(wholeNumber("x", null), null);
  assert.equal(wholeNumber("x", "0"), 0);
  assert.equal(wholeNumber("x", "65535", { min: 1, max: 65_535 }), 65_535);
  for (const text of ["-1", "1.5", "0x10", "", " 1", "1e3", "all"]) {
    refused(() => wholeNumber("x", text));
  }
  refused(() => wholeNumber("x", "0", { min: 1 }));
  refused(() => wholeNumber("x", "65536", { max: 65_535 }));
});

Deno.test("pointInTime() makes UTC of durations and times", () => {
  const now = Date.UTC(2026, 10, 20, 12, 0, 0);
  assert.equal(pointInTime("x", null, now), null);
  assert.equal(pointInTime("x", "5m", now), "2026-11-20T11:55:00.000Z");
  assert.equal(
    pointInTime("x", "2026-11-20T10:00:00+02:00", now),
    "2026-11-20T08:00:00.000Z",
  );
  refused(() => pointInTime("x", "abc5m", now));
});

Deno.test("shellQuote() quotes only what a shell would change", () => {
  for (
    const [word, quoted] of [
      ["npm", "npm"],
      ["--port=$PORT", "'--port=$PORT'"],
      ["a b", "'a b'"],
      ["it's", `'it'\\''s'`],
      ["", "''"],
      ["./x/y-1.0:z@2,3%4+5", "./x/y-1.0:z@2,3%4+5"],
      ["*", "'*'"],
      ["~/x", "'~/x'"],
      ["a\nb", "'a\nb'"],
    ] as const
  ) assert.equal(shellQuote(word), quoted);
});

Deno.test("shellText() takes one word as shell text and several as words", () => {
  assert.equal(shellText(["a | b"]), "a | b");
  assert.equal(shellText(["a", "b | c"]), "a 'b | c'");
  assert.equal(shellText([]), "");
});

Deno.test("shellText() of several words is read back by a shell as they were", async () => {
  const words = ["printf", "%s\\n", "a b", "$HOME", "it's", "*", "", "x\\y"];
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", shellText(words)],
  }).output();
  assert.equal(
    new TextDecoder().decode(stdout),
    words.slice(2).map((word) => `${word}\n`).join(""),
  );
});

Deno.test("fishQuote() escapes quotes and backslashes", () => {
  assert.equal(fishQuote(`it's a \\ b`), `'it\\'s a \\\\ b'`);
});

Deno.test("exitStatus() follows the code of the answer, or of its first failed part", () => {
  assert.equal(exitStatus({ ok: true }), 0);
  assert.equal(exitStatus({ ok: false, error_code: "E200" }), 4);
  assert.equal(
    exitStatus({
      ok: false,
      results: [
        { ok: true },
        { ok: false, error_code: "E201" },
        { ok: false, error_code: "E200" },
      ],
    }),
    5,
  );
  assert.equal(exitStatus({ ok: false }), 1);
  assert.equal(exitStatus({ ok: false, error_code: "E999" }), 1);
  assert.equal(exitStatus({ ok: false, error_code: "toString" }), 1);
});
