import assert from "node:assert/strict";
import {
  expandVariables,
  missingVariables,
} from "../../../src/domain/expand_variables.ts";

const ENV = { PORT: "3000", HOST: "api", EMPTY: "", X_1: "x", A: "$PORT" };

function check(text: string, expected: string, missing: string[] = []): void {
  assert.equal(expandVariables(text, ENV), expected, text);
  assert.deepEqual(missingVariables(text, ENV), missing, text);
}

Deno.test("expandVariables replaces names with their values", () => {
  check("", "");
  check("plain", "plain");
  check("$PORT", "3000");
  check("${PORT}", "3000");
  check("http://$HOST:$PORT/x", "http://api:3000/x");
  check("${HOST}s$X_1", "apisx");
  check("$PORT$PORT", "30003000");
});

Deno.test("expandVariables takes the longest name", () => {
  check("$HOSTS", "", ["HOSTS"]);
  check("$PORT-1", "3000-1");
  check("$1", "$1");
});

Deno.test("expandVariables replaces what is not set by nothing", () => {
  check("a${NONE}b", "ab", ["NONE"]);
  check("$NONE $OTHER $NONE", "  ", ["NONE", "OTHER"]);
  check("[$EMPTY]", "[]");
});

Deno.test("expandVariables uses a default for what is unset or empty", () => {
  check("${NONE:-8080}", "8080");
  check("${EMPTY:-8080}", "8080");
  check("${PORT:-8080}", "3000");
  check("${NONE:-}", "");
  check("${NONE:-a b:c}", "a b:c");
});

Deno.test("expandVariables keeps every other dollar sign", () => {
  check("$$PORT", "$PORT");
  check("$$$PORT", "$3000");
  check("100$", "100$");
  check("$ {PORT} ${PORT ${} $(date)", "$ {PORT} ${PORT ${} $(date)");
});

Deno.test("expandVariables does not expand values again", () => {
  check("$A", "$PORT");
});

Deno.test("expandVariables does not mistake an object's methods for variables", () => {
  check("$toString$constructor", "", ["toString", "constructor"]);
});
