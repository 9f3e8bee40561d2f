import assert from "node:assert/strict";
import {
  Environments,
  MAX_CHARACTERS,
  MAX_ENVIRONMENTS,
} from "../../../src/kit/environments.ts";

Deno.test("Environments gives back what was put, the last of a name", () => {
  const environments = new Environments();
  environments.put("a", { X: "1" });
  environments.put("a", { X: "2" });
  assert.deepEqual(environments.get("a"), { X: "2" });
  assert.equal(environments.get("b"), null);
});

Deno.test("Environments forgets what was not used for longest", () => {
  const environments = new Environments();
  environments.put("used", {});
  environments.put("unused", {});
  for (let index = 0; index < MAX_ENVIRONMENTS - 1; index++) {
    environments.get("used");
    environments.put(`filler ${index}`, {});
  }
  assert.notEqual(environments.get("used"), null);
  assert.equal(environments.get("unused"), null);
});

Deno.test("Environments bounds what they hold together", () => {
  const environments = new Environments();
  const half = { X: "x".repeat(MAX_CHARACTERS / 2) };
  environments.put("first", half);
  environments.put("second", half);
  assert.equal(environments.get("first"), null);
  assert.notEqual(environments.get("second"), null);
});
