/**
 * A command's own arguments, on top of `node:util`: every unknown option, missing value and surplus word is an error
 * that says what was meant.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { TaskmuxError } from "../domain/error.ts";
import { closest } from "../kit/did_you_mean.ts";
import type { OptionSpec, OptionSpecs, ParsedArguments } from "./command.ts";
import { emptyValues, type MutableValues } from "./globals.ts";

/** An option as `node:util` found it. */
interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

/**
 * Parses what follows a command's name.
 *
 * @param args Everything after the name.
 * @param options The command's options with those of every command.
 * @throws {TaskmuxError} E500 for the first thing that is wrong.
 */
export function parseArguments(
  args: readonly string[],
  options: OptionSpecs,
): ParsedArguments {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type, short }]) => [
        name,
        short === undefined ? { type } : { type, short },
      ]),
    ),
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const values = emptyValues(options);
  const positionals: string[] = [];
  let words: string[] | null = null;
  for (const token of tokens) {
    if (token.kind === "option-terminator") words = [];
    else if (token.kind === "positional") {
      (words ?? positionals).push(token.value);
    } else store(values, token, options);
  }
  return { values, positionals, words };
}

function store(
  values: MutableValues,
  token: OptionToken,
  options: OptionSpecs,
): void {
  const spec = Object.hasOwn(options, token.name)
    ? options[token.name]
    : undefined;
  if (spec === undefined) throw unknownOption(token, options);
  if (spec.type === "boolean") {
    if (token.value !== undefined) throw surplusValue(token);
    values[token.name] = true;
    return;
  }
  const value = requireValue(token, spec);
  const before = values[token.name];
  values[token.name] = Array.isArray(before) ? [...before, value] : value;
}

function requireValue(token: OptionToken, spec: OptionSpec): string {
  const { rawName, value, inlineValue } = token;
  // A word that looks like an option is one: `-g --json` must not search for "--json".
  const looksLikeOption = value !== undefined && !inlineValue &&
    value.length > 1 && value.startsWith("-");
  if (value !== undefined && value !== "" && !looksLikeOption) return value;
  const placeholder = spec.value ?? "VALUE";
  throw new TaskmuxError("E500", `Cannot use option "${rawName}": no value`, {
    hint: `Write --${token.name}=${looksLikeOption ? value : placeholder}`,
  });
}

function surplusValue(token: OptionToken): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot use option "${token.rawName}" with a value: it takes none`,
    { hint: `Write ${token.rawName}` },
  );
}

function unknownOption(
  token: OptionToken,
  options: OptionSpecs,
): TaskmuxError {
  const meant = closest(token.name, Object.keys(options));
  return new TaskmuxError(
    "E500",
    `Cannot use option "${token.rawName}": there is none of that name`,
    {
      hint: token.rawName === "-C"
        ? "Write -C DIR before the command"
        : meant === null
        ? "Add --help to see the options"
        : `did you mean --${meant}?`,
      details: { option: token.rawName },
    },
  );
}
