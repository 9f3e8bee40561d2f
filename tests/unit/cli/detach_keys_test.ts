import assert from "node:assert/strict";
import { DetachKeys } from "../../../src/cli/detach_keys.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

/** Types piece by piece; `null` in what is forwarded stands for the end. */
function check(
  keys: string,
  pieces: readonly string[],
  forwarded: string,
  isDetached: boolean,
): void {
  const detach = new DetachKeys(keys);
  let text = "";
  let isOver = false;
  for (const piece of pieces) {
    const typed = detach.feed(new TextEncoder().encode(piece));
    text += new TextDecoder().decode(typed.forward);
    isOver ||= typed.isDetached;
  }
  assert.deepEqual([text, isOver], [forwarded, isDetached]);
}

Deno.test("DetachKeys finds the keys, however they come, and keeps nothing else", () => {
  check("ctrl-p,ctrl-q", ["abc"], "abc", false);
  check("ctrl-p,ctrl-q", ["a\x10\x11b"], "a", true);
  check("ctrl-p,ctrl-q", ["a\x10", "\x11"], "a", true);
  check("ctrl-p,ctrl-q", ["\x10", "x"], "\x10x", false);
  check("ctrl-p,ctrl-q", ["\x10\x10\x11"], "\x10", true);
  check("ctrl-p,ctrl-q", ["\x11\x10"], "\x11", false);
  check("a,a,b", ["aaa", "b"], "a", true);
  check("a,a,b", ["a", "ac"], "aac", false);
  check("ctrl-]", ["\x1d"], "", true);
  check("CTRL-A,d", ["\x01d"], "", true);
});

Deno.test("DetachKeys refuses what is no key", () => {
  for (const keys of ["", "esc", "ctrl-", "ctrl-1", "a,,b", "ü"]) {
    assert.throws(() => new DetachKeys(keys), TaskmuxError);
  }
});
