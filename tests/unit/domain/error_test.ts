import assert from "node:assert/strict";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { ERROR_CODES } from "../../../src/domain/error_codes.ts";

const PURE = { permissions: "none" } as const;

Deno.test(
  "toShape() has only what the error has, and never the cause",
  PURE,
  () => {
    const cause = new Error("secret");
    assert.deepEqual(
      new TaskmuxError("E200", "Cannot find it", { cause }).toShape(),
      {
        ok: false,
        error_code: "E200",
        error: "Cannot find it",
      },
    );
    assert.deepEqual(
      new TaskmuxError("E200", "Cannot find it", {
        hint: "taskmux status",
        details: { task: "ghost" },
      }).toShape(),
      {
        ok: false,
        error_code: "E200",
        error: "Cannot find it",
        hint: "taskmux status",
        details: { task: "ghost" },
      },
    );
  },
);

Deno.test("fromShape() is the inverse of toShape()", PURE, () => {
  for (
    const options of [{}, { hint: "try" }, { hint: "try", details: { a: 1 } }]
  ) {
    const shape = new TaskmuxError("E900", "Cannot go on", options).toShape();
    assert.deepEqual(TaskmuxError.fromShape(shape).toShape(), shape);
  }
});

Deno.test("every code exits as its family does", PURE, () => {
  const exceptions: Readonly<Record<string, number>> = {
    E200: 4,
    E201: 5,
    E202: 4,
    E214: 5,
    E300: 4,
    E301: 5,
    E303: 4,
    E305: 5,
    E500: 2,
    E600: 6,
    E601: 6,
    E602: 124,
    E603: 130,
  };
  for (const [code, { exit }] of Object.entries(ERROR_CODES)) {
    const isConfig = /^E(1|21)/.test(code);
    // Names, tunnels and sessions have conflicts and unknown names of their own.
    if (/^E[78]/.test(code)) continue;
    assert.equal(exit, exceptions[code] ?? (isConfig ? 3 : 1), code);
  }
});

Deno.test("no two codes share a slug", PURE, () => {
  const slugs = Object.values(ERROR_CODES).map(({ slug }) => slug);
  assert.equal(new Set(slugs).size, slugs.length);
});
