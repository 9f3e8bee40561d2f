/**
 * The rules of this code base that a program can check, as a plugin of `deno lint`. The data stands in `layers.ts`.
 * Rules that need the whole graph (cycles, publishing) are tests in `tests/architecture/` instead.
 *
 * @module
 */

import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import {
  BANNED_NAMES,
  CONFINED,
  type ImportKind,
  IMPURE_NAMES,
  isInPlaces,
  layerViolation,
  MAX_FILE_LINES,
  MAX_FUNCTION_LINES,
  MAX_TEST_FILE_LINES,
  packageViolation,
  PURE_FOLDERS,
  SLEEP_PLACES,
} from "./layers.ts";

type Context = Deno.lint.RuleContext;
type Visitor = Deno.lint.LintVisitor;
type Node = Deno.lint.Node;

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What a rule sees: where it is, and how to complain. */
interface Site {
  /** Path relative to the repository, slashes forward. */
  readonly path: string;
  readonly context: Context;
}

/** The plugin, named `taskmux`; its rules are tested in `tests/architecture/lint_plugin_test.ts`. */
const plugin: Deno.lint.Plugin = {
  name: "taskmux",
  rules: {
    "layers": rule(layers),
    "confined": rule(confined),
    "pure-folder": rule(pureFolder),
    "no-sleep": rule(noSleep),
    "no-empty-catch": rule(noEmptyCatch),
    "no-module-state": rule(noModuleState),
    "error-message": rule(errorMessage),
    "file-name": rule(fileName),
    "file-length": rule(fileLength),
    "function-length": rule(functionLength),
  },
};

export default plugin;

function rule(visit: (site: Site) => Visitor): Deno.lint.Rule {
  return {
    create: (context) => {
      const path = repositoryPath(context);
      return path.startsWith("examples/") ? {} : visit({ path, context });
    },
  };
}

/** Imports and re-exports follow the table, packages their list. */
function layers({ path, context }: Site): Visitor {
  const check = (node: Node, source: Node | null, kind: ImportKind): void => {
    const specifier = literalText(source);
    if (specifier === null) return;
    const reason = /^\.{0,2}\//.test(specifier)
      ? layerViolation({
        from: path,
        to: posix.join(posix.dirname(path), specifier),
        kind,
      })
      : packageViolation(path, specifier);
    if (reason === null) return;
    context.report({
      node,
      message: `Cannot import "${specifier}" here: ${reason}`,
      hint: "The import table is in tools/layers.ts",
    });
  };
  return {
    ImportDeclaration: (node) => check(node, node.source, importKind(node)),
    ExportNamedDeclaration: (node) =>
      check(node, node.source, node.exportKind === "type" ? "type" : "code"),
    ExportAllDeclaration: (node) =>
      check(node, node.source, node.exportKind === "type" ? "type" : "code"),
    ImportExpression: (node) => check(node, node.source, "dynamic"),
  };
}

/** Clock, environment, printing, native code and the end of the process have their places. */
function confined({ path, context }: Site): Visitor {
  const table = CONFINED.filter((entry) => !isInPlaces(path, entry.places));
  return globalNames((node, name) => {
    const entry = table.find(({ names }) => matchesName(name, names));
    if (entry === undefined) return;
    context.report({
      node,
      message: `Cannot use ${name} here: ${entry.why}`,
      hint: `Allowed in: ${entry.places.join(", ")}`,
    });
  });
}

/** Pure folders get values, they fetch none. */
function pureFolder({ path, context }: Site): Visitor {
  if (!isInPlaces(path, PURE_FOLDERS)) return {};
  return globalNames((node, name) => {
    if (!matchesName(name, IMPURE_NAMES)) return;
    context.report({
      node,
      message: `Cannot use ${name} here: the folder is pure`,
      hint: "Take the value as an argument",
    });
  });
}

/** Tests wait for a condition, never for time. */
function noSleep({ path, context }: Site): Visitor {
  if (!path.startsWith("tests/") || isInPlaces(path, SLEEP_PLACES)) return {};
  const report = (node: Node): void =>
    context.report({
      node,
      message: "Cannot wait for time in a test: the machine may be slower",
      hint: "Await an event, or until(condition) of tests/support/until.ts",
    });
  return {
    CallExpression: (node) => {
      const name = calledName(node.callee);
      if (name === "setTimeout" || name === "sleep" || name === "delay") {
        report(node);
      }
    },
    ImportDeclaration: (node) => {
      if (node.source.value.startsWith("node:timers")) report(node);
    },
  };
}

/** A failure that is dropped is named first. */
function noEmptyCatch({ context }: Site): Visitor {
  const report = (node: Node): void =>
    context.report({
      node,
      message: "Cannot drop every error: only the expected one may pass",
      hint: "Match the error, handle it, rethrow the rest",
    });
  return {
    CatchClause: (node) => {
      if (node.body.body.length === 0) report(node);
    },
    CallExpression: (node) => {
      const [handler] = node.arguments;
      if (calledName(node.callee) !== "catch") return;
      if (handler?.type !== "ArrowFunctionExpression") return;
      const { body } = handler;
      if (body?.type === "BlockStatement" && body.body.length === 0) {
        report(node);
      }
    },
  };
}

/** Two daemons can live in one process: nothing changes at module level. */
function noModuleState({ path, context }: Site): Visitor {
  if (!path.startsWith("src/")) return {};
  const check = (node: Deno.lint.VariableDeclaration): void => {
    const isState = node.kind !== "const" ||
      node.declarations.some(({ init }) =>
        init?.type === "NewExpression" && init.arguments.length === 0 &&
        init.callee.type === "Identifier" &&
        /^(?:Weak)?(?:Map|Set)$/.test(init.callee.name)
      );
    if (!isState) return;
    context.report({
      node,
      message: "Cannot keep state in a module: two daemons would share it",
      hint: "Move it into the object that owns it",
    });
  };
  return {
    "Program > VariableDeclaration": check,
    "Program > ExportNamedDeclaration > VariableDeclaration": check,
  };
}

/** "Cannot <do> <thing>: <state>": a sentence without its full stop. */
function errorMessage({ path, context }: Site): Visitor {
  if (!path.startsWith("src/")) return {};
  return {
    NewExpression: (node) => {
      if (calledName(node.callee) !== "TaskmuxError") return;
      const [, message] = node.arguments;
      const problem = message === undefined ? null : wordingProblem(message);
      if (message === undefined || problem === null) return;
      context.report({
        node: message,
        message: `Cannot word an error so: ${problem}`,
        hint: 'Write "Cannot start task: its folder is missing"',
      });
    },
  };
}

/** A file's name says what is in it. */
function fileName({ path, context }: Site): Visitor {
  const name = posix.basename(path);
  if (!BANNED_NAMES.includes(name) && /^_?[a-z0-9_]+\.tsx?$/.test(name)) {
    return {};
  }
  return {
    Program: () =>
      context.report({
        range: [0, 0],
        message: `Cannot name a file "${name}": it says nothing, or is not ` +
          "snake_case",
        hint: "Name it after its main export",
      }),
  };
}

/** A file tells one story. */
function fileLength({ path, context }: Site): Visitor {
  const limit = path.startsWith("tests/")
    ? MAX_TEST_FILE_LINES
    : MAX_FILE_LINES;
  return {
    Program: () => {
      const lines = lineCount(context.sourceCode.text.trimEnd());
      if (lines <= limit) return;
      context.report({
        range: [0, 0],
        message: `Cannot keep ${lines} lines in a file: the limit is ${limit}`,
        hint: "Find the second story and give it a file",
      });
    },
  };
}

/** A function fits a screen. */
function functionLength({ context }: Site): Visitor {
  const check = (node: Node): void => {
    const lines = lineCount(context.sourceCode.getText(node));
    if (lines <= MAX_FUNCTION_LINES) return;
    context.report({
      range: [node.range[0], node.range[0] + 1],
      message: `Cannot keep ${lines} lines in a function: the limit is ` +
        `${MAX_FUNCTION_LINES}`,
      hint: "Keep the branches here and move their leaves out",
    });
  };
  return {
    FunctionDeclaration: check,
    FunctionExpression: check,
    ArrowFunctionExpression: check,
  };
}

/** Visits global names as they are used: `Date.now`, `new Date()`, `setTimeout`. */
function globalNames(visit: (node: Node, name: string) => void): Visitor {
  return {
    MemberExpression: (node) => {
      const name = memberName(node);
      if (name !== null) visit(node, name);
    },
    CallExpression: (node) => {
      if (node.callee.type === "Identifier") visit(node, node.callee.name);
    },
    NewExpression: (node) => {
      if (node.callee.type !== "Identifier") return;
      if (node.arguments.length === 0) visit(node, `new ${node.callee.name}()`);
    },
  };
}

/** `Deno.env` for that expression, `setTimeout` for `globalThis.setTimeout`, null for anything deeper. */
function memberName(node: Deno.lint.MemberExpression): string | null {
  if (node.computed || node.property.type !== "Identifier") return null;
  if (node.object.type !== "Identifier") return null;
  return node.object.name === "globalThis"
    ? node.property.name
    : `${node.object.name}.${node.property.name}`;
}

function calledName(callee: Node): string | null {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type !== "MemberExpression") return null;
  return callee.property.type === "Identifier" ? callee.property.name : null;
}

function matchesName(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*")
      ? name.startsWith(pattern.slice(0, -1))
      : name === pattern
  );
}

function importKind(node: Deno.lint.ImportDeclaration): ImportKind {
  const onlyTypes = node.specifiers.length > 0 &&
    node.specifiers.every((specifier) =>
      specifier.type === "ImportSpecifier" && specifier.importKind === "type"
    );
  return node.importKind === "type" || onlyTypes ? "type" : "code";
}

function wordingProblem(message: Node): string | null {
  const parts = textParts(message);
  if (parts === null) return null;
  const first = parts.at(0) ?? "";
  const last = parts.at(-1) ?? "";
  if (/^[a-z]/.test(first)) return "it begins with a small letter";
  if (/[.!]$/.test(last)) return "it ends with a full stop";
  if (/n't\b/.test(parts.join(" "))) return "it holds a contraction";
  if (/^(?:Failed|Error|Unable)\b/.test(first)) {
    return "it does not say what cannot be done";
  }
  return null;
}

/** The literal pieces of a string or template, holes left out; null for anything else. */
function textParts(node: Node): readonly string[] | null {
  const text = literalText(node);
  if (text !== null) return [text];
  if (node.type !== "TemplateLiteral") return null;
  return node.quasis.map((quasi) => quasi.cooked);
}

function literalText(node: Node | null): string | null {
  return node?.type === "Literal" && typeof node.value === "string"
    ? node.value
    : null;
}

function lineCount(text: string): number {
  return text.split("\n").length;
}

function repositoryPath(context: Context): string {
  const file = context.filename.startsWith("file:")
    ? fileURLToPath(context.filename)
    : context.filename;
  return file.startsWith(ROOT) ? file.slice(ROOT.length) : file;
}
