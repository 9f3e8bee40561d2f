/**
 * What a command of the CLI is.
 *
 * @module
 */

import type { Context } from "./context.ts";

/** One option of a command. */
export interface OptionSpec {
  readonly type: "boolean" | "string";
  readonly short?: string;
  /** May be given more than once. */
  readonly multiple?: true;
  /** Name of the value in the help, such as `N`. */
  readonly value?: string;
  readonly summary: string;
}

/** The options of a command by long name. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type Value<O extends OptionSpec> = O["type"] extends "boolean" ? boolean
  : O["multiple"] extends true ? readonly string[]
  : string | null;

/** What was given for each option: false, null or empty when it was not. */
export type Values<O extends OptionSpecs> = {
  readonly [K in keyof O]: Value<O[K]>;
};

/** The arguments of one invocation, after its options were taken out. */
export interface Arguments<O extends OptionSpecs> {
  readonly values: Values<O>;
  readonly positionals: readonly string[];
  /** The words after `--`; null when there was none. */
  readonly words: readonly string[] | null;
}

/** {@linkcode Arguments} of whichever command. */
export interface ParsedArguments {
  readonly values: Readonly<
    Record<string, boolean | string | readonly string[] | null>
  >;
  readonly positionals: readonly string[];
  readonly words: readonly string[] | null;
}

/** What can stand beside the options. */
export interface PositionalSpec {
  readonly min: number;
  readonly max: number;
}

/** A command. */
export interface Command<O extends OptionSpecs> {
  /** What follows the command's name, such as `[TASK...]`. */
  readonly usage: string;
  /** More than the summary, where there is more to know. */
  readonly about?: string;
  readonly options: O;
  readonly positionals: PositionalSpec;
  /** Whether words after `--` mean something. */
  readonly takesWords?: true;
  /** Full command lines and what each does. */
  readonly examples: readonly (readonly [line: string, effect: string])[];
  /**
   * Does it and prints the answer.
   *
   * @returns The exit status.
   */
  run(context: Context, args: Arguments<O>): Promise<number>;
}

/** A command of whichever options. */
export type AnyCommand = Omit<Command<OptionSpecs>, "run"> & {
  run(context: Context, args: ParsedArguments): Promise<number>;
};

/** Declares a command, so that its `run` knows the types of its options. */
export function command<const O extends OptionSpecs>(
  declaration: Command<O>,
): AnyCommand {
  // Both parsers fill in every option that the command declares, so that `run` gets what it was promised.
  return declaration as unknown as AnyCommand;
}
