/**
 * Help texts, made from what the commands declare. Loaded only when asked for.
 *
 * @module
 */

import type { AnyCommand, OptionSpec, OptionSpecs } from "./command.ts";
import { COMMAND_GROUPS, type CommandEntry } from "./command_table.ts";
import { COMMON_OPTIONS } from "./globals.ts";

const INDENT = "  ";

/** The help of the program: every command on one line. */
export function overviewHelp(): string[] {
  const lines = [
    "taskmux runs the dev processes of every project under one daemon.",
    "",
    "Usage: taskmux [-C DIR] COMMAND [ARGUMENTS] [--json]",
  ];
  const width = nameWidth(COMMAND_GROUPS.flatMap(([, entries]) => entries));
  for (const [title, entries] of COMMAND_GROUPS) {
    lines.push("", `${title}:`);
    for (const entry of entries) {
      lines.push(`${INDENT}${names(entry).padEnd(width)}  ${entry.summary}`);
    }
  }
  return [
    ...lines,
    "",
    "Options of every command:",
    ...optionLines(COMMON_OPTIONS, [
      ["-C DIR", "Work in DIR; stands before the command"],
    ]),
    "",
    "Examples:",
    `${INDENT}taskmux init              Write a starter taskmux.toml`,
    `${INDENT}taskmux start             Start everything in dependency order`,
    `${INDENT}taskmux logs -f api       Follow the output of "api"`,
    `${INDENT}taskmux status --json     Ask as a program`,
    "",
    'Run "taskmux COMMAND --help" for more about one command.',
  ];
}

/**
 * The help of one command or group.
 *
 * @param path The group, if there is one, and the command.
 */
export async function commandHelp(
  path: readonly CommandEntry[],
): Promise<string[]> {
  const entry = path.at(-1)!;
  const program = ["taskmux", ...path.map(({ name }) => name)].join(" ");
  const command = await entry.load?.();
  const lines = [`${entry.summary}.`, ""];
  const usages = command === undefined
    ? []
    : [`${program} ${command.usage}`.trimEnd()];
  if (entry.subcommands !== undefined) usages.push(`${program} COMMAND`);
  lines.push(`Usage: ${usages.join(`\n       `)}`);
  if (entry.aliases !== undefined) {
    lines.push(`Also: ${entry.aliases.join(", ")}`);
  }
  if (command?.about !== undefined) lines.push("", command.about);
  if (entry.subcommands !== undefined) {
    lines.push("", "Commands:", ...subcommandLines(entry.subcommands));
  }
  lines.push(
    "",
    "Options:",
    ...optionLines({ ...command?.options, ...COMMON_OPTIONS }),
  );
  if (command !== undefined) lines.push("", ...exampleLines(command));
  return lines;
}

function subcommandLines(entries: readonly CommandEntry[]): string[] {
  const width = nameWidth(entries);
  return entries.map((entry) =>
    `${INDENT}${names(entry).padEnd(width)}  ${entry.summary}`
  );
}

function optionLines(
  options: OptionSpecs,
  others: readonly (readonly [text: string, summary: string])[] = [],
): string[] {
  const rows = [
    ...others,
    ...Object.entries(options).map(([name, spec]) =>
      [optionText(name, spec), spec.summary] as const
    ),
  ];
  const width = Math.max(...rows.map(([text]) => text.length));
  return rows.map(([text, summary]) =>
    `${INDENT}${text.padEnd(width)}  ${summary}`
  );
}

function optionText(name: string, spec: OptionSpec): string {
  const short = spec.short === undefined ? "    " : `-${spec.short}, `;
  const value = spec.type === "string" ? ` ${spec.value ?? "VALUE"}` : "";
  return `${short}--${name}${value}`;
}

function exampleLines({ examples }: AnyCommand): string[] {
  const width = Math.max(0, ...examples.map(([line]) => line.length));
  return [
    "Examples:",
    ...examples.map(([line, effect]) =>
      `${INDENT}${line.padEnd(width)}  ${effect}`
    ),
  ];
}

function names({ name, aliases }: CommandEntry): string {
  return [name, ...aliases ?? []].join(", ");
}

function nameWidth(entries: readonly CommandEntry[]): number {
  return Math.max(...entries.map((entry) => names(entry).length));
}
