import assert from "node:assert/strict";
import {
  MAX_FILE_LINES,
  MAX_FUNCTION_LINES,
  MAX_TEST_FILE_LINES,
} from "../../tools/layers.ts";
import plugin from "../../tools/lint_taskmux.ts";

/** Lints a source as if it stood at `path`, and compares the rules that complain. */
function check(
  path: string,
  source: string,
  expected: readonly string[],
): void {
  const rules = Deno.lint.runPlugin(plugin, path, source)
    .map(({ id }) => id.replace("taskmux/", ""));
  assert.deepEqual(rules, expected, `${path}: ${source.slice(0, 200)}`);
}

/** A source of so many lines. */
function lines(count: number): string {
  return Array.from({ length: count }, (_, n) => `// ${n}`).join("\n") + "\n";
}

/** A function of so many lines. */
function longFunction(count: number): string {
  return `export function long(): void {\n${lines(count - 2)}}\n`;
}

Deno.test("layers: a file looks down, never up or sideways", () => {
  const at = (path: string, specifier: string, expected: string[]) =>
    check(path, `import { x } from "${specifier}"; x();`, expected);
  at("src/domain/a.ts", "./b.ts", []);
  at("src/domain/a.ts", "../kit/clock.ts", []);
  at("src/daemon/handlers/a.ts", "../registry.ts", []);
  at("src/domain/a.ts", "../store/db.ts", ["layers"]);
  at("src/contract/a.ts", "../config/paths.ts", ["layers"]);
  at("src/store/a.ts", "../logs/writer.ts", ["layers"]);
  at("src/supervisor/a.ts", "../transports/rpc.ts", ["layers"]);
  at("src/keeper/a.ts", "../store/db.ts", ["layers"]);
  at("src/cli/a.ts", "../daemon/main.ts", ["layers"]);
  at("src/kit/a.ts", "../../tools/layers.ts", ["layers"]);
  at("src/cli/a.ts", "../../schema/taskmux.schema.json", []);
  at("src/domain/step.ts", "./_step_base.ts", []);
  at("src/supervisor/a.ts", "../domain/_step_base.ts", ["layers"]);
  at("src/cli/commands/a.ts", "../_table.ts", ["layers"]);
  at("src/nowhere/a.ts", "../kit/clock.ts", ["layers"]);
  at("main.ts", "./src/cli/cli.ts", []);
  at("main.ts", "./src/store/db.ts", ["layers"]);
  at("tests/unit/a_test.ts", "../../src/store/db.ts", []);
});

Deno.test("layers: types, re-exports and import() are imports", () => {
  const contract = "../contract/mod.ts";
  check("src/cli/a.ts", `import type { N } from "${contract}";`, []);
  check("src/cli/a.ts", `import { type N } from "${contract}";`, []);
  check("src/cli/a.ts", `import { contract } from "${contract}";`, ["layers"]);
  check("src/cli/a.ts", `await import("${contract}");`, []);
  check("src/cli/a.ts", `import { V } from "../contract/wire.ts"; V;`, []);
  check("src/cli/a.ts", `await import("../daemon/main.ts");`, ["layers"]);
  check("src/domain/a.ts", `export { x } from "../store/db.ts";`, ["layers"]);
  check("src/domain/a.ts", `export * from "../store/db.ts";`, ["layers"]);
  check("src/domain/a.ts", `import type { X } from "../store/db.ts";`, [
    "layers",
  ]);
});

Deno.test("layers: packages have their folders", () => {
  const at = (path: string, specifier: string, expected: string[]) =>
    check(path, `import { x } from "${specifier}"; x();`, expected);
  at("src/contract/a.ts", "zod", []);
  at("src/contract/a.ts", "zod/mini", []);
  at("src/contract/a.ts", "npm:zod@4.6.7", []);
  at("src/cli/a.ts", "zod", ["layers"]);
  at("src/store/a.ts", "node:sqlite", []);
  at("src/daemon/a.ts", "node:sqlite", ["layers"]);
  at("src/store/a.ts", "node:path", []);
  at("src/store/a.ts", "left-pad", ["layers"]);
  at("src/domain/a.ts", "node:util", []);
  at("src/domain/a.ts", "node:fs", ["layers"]);
  at("tools/a.ts", "left-pad", []);
});

Deno.test("confined: surroundings are named in their places", () => {
  const places: readonly [source: string, allowed: string, refused: string][] =
    [
      ["Date.now();", "src/kit/a.ts", "src/store/a.ts"],
      ["new Date();", "src/kit/a.ts", "src/store/a.ts"],
      ["performance.now();", "src/kit/a.ts", "src/supervisor/a.ts"],
      ["setTimeout(() => 1, 5);", "src/kit/a.ts", "src/supervisor/a.ts"],
      ["globalThis.setTimeout(f, 5);", "src/kit/a.ts", "src/store/a.ts"],
      ["setInterval(() => 1, 5);", "src/kit/a.ts", "src/health/a.ts"],
      ["const now = Date.now;", "src/kit/a.ts", "src/health/a.ts"],
      ['Deno.dlopen("libc.so.6", {});', "src/pty/a.ts", "src/daemon/a.ts"],
      ["Deno.UnsafePointer.of(b);", "src/pty/a.ts", "src/daemon/a.ts"],
      ['console.log("x");', "src/cli/a.ts", "src/daemon/a.ts"],
      ["Deno.stdout.writeSync(b);", "src/cli/a.ts", "src/daemon/a.ts"],
      ["Deno.exit(1);", "main.ts", "src/cli/a.ts"],
      ["Deno.args.length;", "src/daemon/main.ts", "src/daemon/daemon.ts"],
      ['Deno.env.get("HOME");', "src/cli/a.ts", "src/config/a.ts"],
      ["Deno.cwd();", "src/cli/a.ts", "src/supervisor/a.ts"],
    ];
  for (const [source, allowed, refused] of places) {
    check(allowed, source, []);
    check(refused, source, ["confined"]);
  }
  check("src/store/a.ts", "new Date(0); clock.now(); a.Date.now();", []);
});

Deno.test("pure-folder: domain/ fetches nothing", () => {
  check("src/domain/a.ts", "Deno.readTextFileSync(p);", ["pure-folder"]);
  check("src/domain/a.ts", "Math.random();", ["pure-folder"]);
  check("src/domain/a.ts", "crypto.randomUUID();", ["pure-folder"]);
  check("src/domain/a.ts", "await fetch(url);", ["pure-folder"]);
  check("src/domain/a.ts", "Math.max(1, 2);", []);
  check("src/store/a.ts", "crypto.randomUUID();", []);
});

Deno.test("no-sleep: a test waits for a condition", () => {
  const sleep = "await new Promise((resolve) => setTimeout(resolve, 500));";
  check("tests/unit/store/a_test.ts", sleep, ["no-sleep"]);
  check("tests/e2e/a_test.ts", "await clock.sleep(5);", ["no-sleep"]);
  check("tests/e2e/a_test.ts", "await delay(5);", ["no-sleep"]);
  check("tests/e2e/a_test.ts", 'import "node:timers/promises";', ["no-sleep"]);
  check("tests/support/until.ts", sleep, []);
  check("tests/unit/kit/clock_test.ts", "await systemClock.sleep(5);", []);
  check("tests/fixtures/programs/listens_late.ts", sleep, []);
  check("tests/e2e/a_test.ts", "await until(() => done);", []);
});

Deno.test("no-empty-catch: a dropped failure is named first", () => {
  check("src/store/a.ts", "try { f(); } catch {}", ["no-empty-catch"]);
  check("src/store/a.ts", "try { f(); } catch { /* why */ }", [
    "no-empty-catch",
  ]);
  check("src/store/a.ts", "p.catch(() => {});", ["no-empty-catch"]);
  check("src/store/a.ts", "try { f(); } catch (e) { g(e); }", []);
  check("src/store/a.ts", "p.catch(() => null);", []);
});

Deno.test("no-module-state: nothing changes at module level", () => {
  check("src/store/a.ts", "let count = 0; count++;", ["no-module-state"]);
  check("src/store/a.ts", "export let count = 0;", ["no-module-state"]);
  check("src/store/a.ts", "const cache = new Map();", ["no-module-state"]);
  check("src/store/a.ts", 'const known = new Set(["a"]);', []);
  check("src/store/a.ts", "function f() { let n = 0; n++; }", []);
  check("tools/a.ts", "let count = 0; count++;", []);
});

Deno.test("error-message: a sentence, its end open", () => {
  const word = (message: string, expected: string[]) =>
    check(
      "src/store/a.ts",
      `throw new TaskmuxError("E900", ${message});`,
      expected,
    );
  word('"Cannot start task: its folder is missing"', []);
  word('`Cannot start "${name}": it runs`', []);
  word('`"${name}" is gone`', []);
  word("message", []);
  word('"Cannot start task."', ["error-message"]);
  word('"cannot start task"', ["error-message"]);
  word('"Task doesn\'t exist"', ["error-message"]);
  word('"Failed to start task"', ["error-message"]);
  word("`Cannot start ${name}: it runs!`", ["error-message"]);
});

Deno.test("file-name: snake_case, and it says something", () => {
  for (const name of ["utils", "helpers", "common", "types", "index"]) {
    check(`src/store/${name}.ts`, "", ["file-name"]);
  }
  check("src/store/eventStore.ts", "", ["file-name"]);
  check("src/store/event-store.ts", "", ["file-name"]);
  check("src/store/event_store.ts", "", []);
  check("src/store/mod.ts", "", []);
  check("tests/architecture/_module_graph.ts", "", []);
  check("examples/shop/web/vite.config.ts", "", []);
});

Deno.test("file-length: the limit is the last permitted line", () => {
  check("src/store/a.ts", lines(MAX_FILE_LINES), []);
  check("src/store/a.ts", lines(MAX_FILE_LINES + 1), ["file-length"]);
  check("tests/unit/a_test.ts", lines(MAX_TEST_FILE_LINES), []);
  check("tests/unit/a_test.ts", lines(MAX_TEST_FILE_LINES + 1), [
    "file-length",
  ]);
});

Deno.test("function-length: the limit is the last permitted line", () => {
  check("src/store/a.ts", longFunction(MAX_FUNCTION_LINES), []);
  check("src/store/a.ts", longFunction(MAX_FUNCTION_LINES + 1), [
    "function-length",
  ]);
  const method = longFunction(MAX_FUNCTION_LINES + 1)
    .replace("export function ", "");
  check("src/store/a.ts", `class A { ${method} }`, ["function-length"]);
});
