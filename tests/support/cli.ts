/**
 * The CLI as a user runs it: a process of its own, with the permissions of the README and a home of its own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { cliCommand } from "./deno_flags.ts";
import type { TempHome } from "./temp_home.ts";

/** How one command line is run. */
export interface CliOptions {
  /** Working folder; by default the home's `work`. */
  readonly cwd?: string;
  /** The `main.ts` of another version, see `other_version.ts`. */
  readonly entry?: string;
  /** Its input; by default none. */
  readonly stdin?: "piped" | "null";
  /** More variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a command line did. */
export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The one JSON value on stdout; fails the test if stdout is anything else, or stderr is not empty. */
  json(): Record<string, unknown>;
}

/** Runs one command line to its end. It has no terminal and no input. */
export async function runCli(
  home: TempHome,
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliRun> {
  const child = spawnCli(home, args, options);
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  const run = {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
  return { ...run, json: () => onlyJson(run, args) };
}

/** Starts one command line; the caller waits for its end. */
export function spawnCli(
  home: TempHome,
  args: readonly string[],
  options: CliOptions = {},
): Deno.ChildProcess {
  const command = cliCommand(home.paths, args, options.entry);
  const [program = "", ...words] = [
    ...home.launcher ?? [],
    command.program,
    ...command.args,
  ];
  return new Deno.Command(program, {
    args: words,
    cwd: options.cwd ?? home.work,
    env: { ...home.env, ...options.env },
    clearEnv: true,
    stdin: options.stdin ?? "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function onlyJson(
  { stdout, stderr }: { readonly stdout: string; readonly stderr: string },
  args: readonly string[],
): Record<string, unknown> {
  const what = `taskmux ${args.join(" ")}`;
  assert.equal(stderr, "", `stderr of ${what}`);
  assert.match(stdout, /^[^\n]+\n$/, `stdout of ${what}: "${stdout}"`);
  const value: unknown = JSON.parse(stdout);
  assert(typeof value === "object" && value !== null, what);
  return value as Record<string, unknown>;
}
