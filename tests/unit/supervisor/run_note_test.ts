import assert from "node:assert/strict";
import {
  decodeRunNote,
  encodeRunNote,
  type RunNote,
} from "../../../src/supervisor/run_note.ts";

const NOTE: RunNote = {
  port: 20_001,
  command: "serve",
  digest: "d1",
  adhoc: '{"name":"seed"}',
  environment: "e1",
  configPath: "/shop/taskmux.toml",
  name: "shop",
  worktreeId: null,
};

Deno.test("a note on a run comes back as it was", () => {
  assert.deepEqual(decodeRunNote(encodeRunNote(NOTE)), NOTE);
});

Deno.test("a note that is too long loses what the file knows as well, never the address", () => {
  const long = { ...NOTE, adhoc: "x".repeat(100_000) };
  assert.deepEqual(decodeRunNote(encodeRunNote(long)), {
    ...NOTE,
    adhoc: null,
    command: "",
  });
  const endless = { ...long, configPath: "/".repeat(100_000) };
  assert.equal(encodeRunNote(endless), undefined);
});

Deno.test("what is no note counts as none", () => {
  const others = ["", "null", "7", "[]", "{}", "{", '{"port":1}'];
  for (const text of others) assert.equal(decodeRunNote(text), null, text);
  const wrong = JSON.stringify({ ...NOTE, port: "20001" });
  assert.equal(decodeRunNote(wrong), null);
  assert.equal(decodeRunNote(undefined), null);
});
