import assert from "node:assert/strict";
import {
  accessOf,
  addressProblem,
  conflictWith,
} from "../../../src/contract/access.ts";

const at = (query: string): URL => new URL(`http://localhost/mcp${query}`);

Deno.test("addressProblem() refuses whatever would have to be guessed", () => {
  for (const query of ["", "?session=", "?session=a-1&access=read"]) {
    assert.equal(addressProblem(at(query)), null, query);
  }
  for (
    const query of [
      "?sesion=a",
      "?session=A",
      "?session=a/b",
      "?session=-a",
      `?session=${"a".repeat(64)}`,
      "?session=a&session=b",
      "?access=reda",
      "?access=read&access=full",
    ]
  ) assert.match(addressProblem(at(query)) ?? "", /^Cannot connect/, query);
});

Deno.test("accessOf() grants nothing that addressProblem() does not see", () => {
  const access = accessOf(
    at("?session=&session=%20a%20&access=&access=%20read"),
  );
  assert.deepEqual(access, { pin: "a", isReadOnly: true });
  assert.deepEqual(accessOf(at("?session=%20&access=full")), {
    pin: null,
    isReadOnly: false,
  });
});

Deno.test("conflictWith() lets an address name what was granted, and nothing else", () => {
  const granted = accessOf(at("?session=a&access=read"));
  for (const query of ["", "?session=a", "?access=read&session=a"]) {
    assert.equal(conflictWith(granted, at(query)), null, query);
  }
  for (const query of ["?session=b", "?access=full", "?session=a&session=b"]) {
    assert.match(conflictWith(granted, at(query)) ?? "", /^Cannot ask/, query);
  }
  assert.match(conflictWith(accessOf(at("")), at("?session=a")) ?? "", /no/);
});
