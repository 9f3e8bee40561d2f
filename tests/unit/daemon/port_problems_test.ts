import assert from "node:assert/strict";
import { holderText } from "../../../src/daemon/port_problems.ts";

const PURE = { permissions: "none" } as const;

Deno.test(
  "holderText() tells of a program what fits, and no option of it",
  PURE,
  () => {
    const told = (command: string) => holderText({ command, pid: 7 });
    assert.equal(told("nginx"), "nginx (pid 7)");
    assert.equal(
      told("/usr/bin/deno run --quiet --token secret main.ts"),
      "/usr/bin/deno run … (pid 7)",
    );
    assert.equal(told("x".repeat(99)), `${"x".repeat(60)} … (pid 7)`);
    assert.equal(told("-bash"), "-bash (pid 7)");
  },
);
