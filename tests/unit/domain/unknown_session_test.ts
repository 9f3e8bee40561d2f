import assert from "node:assert/strict";
import { unknownSession } from "../../../src/domain/unknown_session.ts";

Deno.test("unknownSession() names what was probably meant, else where to look", () => {
  const { code, hint, details } = unknownSession("shpo", ["blog", "shop"]);
  assert.equal(code, "E303");
  assert.equal(hint, 'did you mean "shop"?');
  assert.deepEqual(details, { session: "shpo", known: ["blog", "shop"] });
  assert.equal(unknownSession("shop", []).hint, "taskmux daemon list");
  assert.equal(unknownSession("shop", ["x"], "look here").hint, "look here");
});
