import assert from "node:assert/strict";
import {
  exitNumber,
  exitText,
  signalName,
} from "../../../src/domain/task_state.ts";
import { exitOf } from "./_samples.ts";

const PURE = { permissions: "none" } as const;

Deno.test("exitNumber() is the status, or minus the signal", PURE, () => {
  const check = (how: number | string, expected: number) =>
    assert.equal(exitNumber(exitOf(how)), expected);
  check(0, 0);
  check(143, 143);
  check("SIGHUP", -1);
  check("SIGINT", -2);
  check("SIGTERM", -15);
  check("SIGRTMIN", -1);
});

Deno.test("exitText() says how a process ended", PURE, () => {
  const check = (how: number | string, expected: string) =>
    assert.equal(exitText(exitOf(how)), expected);
  check(0, "exited with code 0");
  check(2, "exited with code 2");
  check("SIGSEGV", "was ended by SIGSEGV");
  assert.equal(
    exitText({ code: null, signal: null, at: 0 }),
    "was ended by a signal",
  );
});

Deno.test("signalName() is the inverse of the numbers", PURE, () => {
  assert.equal(signalName(9), "SIGKILL");
  assert.equal(signalName(15), "SIGTERM");
  assert.equal(signalName(63), "SIG63");
});
