import assert from "node:assert/strict";
import { closest } from "../../../src/kit/did_you_mean.ts";

const KEYS = ["command", "cwd", "env", "env_file", "host", "health_url"];

function check(word: string, expected: string | null): void {
  assert.equal(closest(word, KEYS), expected, word);
}

Deno.test("closest finds a word one edit away", () => {
  check("comand", "command");
  check("commandd", "command");
  check("commend", "command");
  check("ocmmand", "command");
});

Deno.test("closest allows more edits to longer words", () => {
  check("helth_ulr", "health_url");
  check("en", "env");
  check("e", null);
  check("ports", null);
});

Deno.test("closest ignores case", () => {
  check("ENV", "env");
  check("Health_URL", "health_url");
});

Deno.test("closest does not suggest the word itself", () => {
  check("host", null);
});

Deno.test("closest prefers the nearest, then the first", () => {
  assert.equal(closest("ab", ["abc", "ac"]), "abc");
  assert.equal(closest("web", ["wbe2", "webx", "web1"]), "webx");
});

Deno.test("closest does not compare endless words", () => {
  check("command".repeat(1000), null);
  assert.equal(closest("web", ["w".repeat(100_000)]), null);
});
