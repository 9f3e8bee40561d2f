import assert from "node:assert/strict";
import { accessOf } from "../../../src/contract/access.ts";

Deno.test("accessOf() takes a project and the right to look alone from an address", () => {
  const of = (query: string) =>
    accessOf(new URL(`http://localhost/mcp${query}`));
  const all = { pin: null, isReadOnly: false };
  assert.deepEqual(of(""), all);
  assert.deepEqual(of("?session=%20"), all);
  const shop = { pin: "shop", isReadOnly: false };
  assert.deepEqual(of("?session=shop"), shop);
  assert.deepEqual(of("?session=%20shop%20&session=cafe"), shop);
  assert.deepEqual(of("?session=&session=shop"), shop);
  assert.deepEqual(of("?access=read"), { ...all, isReadOnly: true });
  for (const slip of ["readonly", "READ", "red", ""]) {
    assert.equal(of(`?access=${slip}`).isReadOnly, true, slip);
  }
});
