import assert from "node:assert/strict";
import { fingerprint } from "../../../src/kit/fingerprint.ts";

Deno.test("fingerprint is FNV-1a with 64 bits", () => {
  assert.equal(fingerprint(""), "cbf29ce484222325");
  assert.equal(fingerprint("a"), "af63dc4c8601ec8c");
  assert.equal(fingerprint("foobar"), "85944171f73967e8");
});
