/**
 * The options that stand before the command, and those that every command takes. By hand, without `node:util`: that
 * costs 6 ms, and most invocations have nothing else to parse.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { OptionSpecs, ParsedArguments } from "./command.ts";

/** What the command line says before a command is known. */
export interface GlobalArguments {
  readonly help: boolean;
  readonly version: boolean;
  /** `-C`, unresolved. */
  readonly folder: string | null;
  /** `--config`, unresolved. */
  readonly config: string | null;
  readonly caller: string | null;
  readonly reveal: boolean;
  readonly command: string | null;
  /** What follows the command. */
  readonly rest: readonly string[];
}

/** The options that every command takes, too. */
export const COMMON_OPTIONS = {
  json: { type: "boolean", summary: "Print exactly one JSON value" },
  config: {
    type: "string",
    value: "FILE",
    summary: "Use this taskmux.toml instead of searching upwards",
  },
  caller: {
    type: "string",
    value: "ID",
    summary: "Who asks; the answer tells what happened since it last did",
  },
  reveal: { type: "boolean", summary: "Show secrets instead of ***" },
  help: { type: "boolean", short: "h", summary: "Show this help" },
  version: { type: "boolean", short: "V", summary: "Show the version" },
} as const satisfies OptionSpecs;

/** Whether the answer is to be JSON. Knows it even when the rest of the line is wrong. */
export function wantsJson(argv: readonly string[]): boolean {
  return beforeTerminator(argv).includes("--json");
}

/** Whether secrets are to be shown. Knows it even when the rest of the line is wrong. */
export function wantsReveal(argv: readonly string[]): boolean {
  return beforeTerminator(argv).includes("--reveal");
}

/** Whether help is asked for, anywhere before `--`. */
export function wantsHelp(args: readonly string[]): boolean {
  const own = beforeTerminator(args);
  return own.includes("--help") || own.includes("-h");
}

/** Whether the version is asked for, anywhere before `--`. */
export function wantsVersion(args: readonly string[]): boolean {
  const own = beforeTerminator(args);
  return own.includes("--version") || own.includes("-V");
}

/**
 * Takes the options before the command.
 *
 * @throws {TaskmuxError} E500 for an option that no place knows, or one without its value.
 */
export function splitGlobals(argv: readonly string[]): GlobalArguments {
  let folder: string | null = null;
  let config: string | null = null;
  let caller: string | null = null;
  let reveal = false;
  let at = 0;
  for (; at < argv.length; at++) {
    const arg = argv[at]!;
    if (!arg.startsWith("-") || arg === "-") break;
    if (arg === "-C") folder = valueOf(argv, ++at, "-C", "DIR");
    else if (arg === "--config") {
      config = valueOf(argv, ++at, "--config", "FILE");
    } else if (arg.startsWith("--config=")) config = arg.slice(9);
    else if (arg === "--caller") caller = valueOf(argv, ++at, "--caller", "ID");
    else if (arg.startsWith("--caller=")) caller = arg.slice(9);
    else if (arg === "--reveal") reveal = true;
    else if (!KNOWN.has(arg)) throw unknownOption(arg);
  }
  return {
    help: wantsHelp(argv.slice(0, at)),
    version: wantsVersion(argv.slice(0, at)),
    folder,
    config,
    caller,
    reveal,
    command: argv[at] ?? null,
    rest: argv.slice(at + 1),
  };
}

const KNOWN = new Set(["--json", "-h", "--help", "-V", "--version"]);

function beforeTerminator(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return end === -1 ? argv : argv.slice(0, end);
}

function valueOf(
  argv: readonly string[],
  at: number,
  option: string,
  placeholder: string,
): string {
  const value = argv[at];
  if (value !== undefined && !value.startsWith("-")) return value;
  throw new TaskmuxError("E500", `Cannot use option "${option}": no value`, {
    hint: `taskmux ${option} ${placeholder} COMMAND`,
  });
}

function unknownOption(arg: string): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot use option "${arg}": there is none of that name before a command`,
    { hint: "taskmux --help" },
  );
}

/** Option values while they are collected. */
export type MutableValues = Record<string, boolean | string | string[] | null>;

/** The values of a command line without options. */
export function emptyValues(options: OptionSpecs): MutableValues {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, multiple }]) => [
      name,
      type === "boolean" ? false : multiple === true ? [] : null,
    ]),
  );
}

/** The arguments of a line that holds no option but `--json`; null if it holds others and needs the real parser. */
export function parsePlain(
  args: readonly string[],
  options: OptionSpecs,
): ParsedArguments | null {
  const positionals: string[] = [];
  const values = emptyValues(options);
  for (const arg of args) {
    if (arg === "--json") values["json"] = true;
    else if (arg.startsWith("-") && arg !== "-") return null;
    else positionals.push(arg);
  }
  return { values, positionals, words: null };
}
