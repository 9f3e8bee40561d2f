/**
 * Ways to have the machine resolve host names, behind one interface.
 *
 * @module
 */

import type { CommandOutcome } from "../kit/run_command.ts";

/** The ways. */
export type ResolverName = "etc_hosts" | "dns_server" | "noop";

/** How the machine is, as far as a resolver is concerned. */
export interface ResolverState {
  /** Whether what it writes is there, whatever it says. */
  readonly installed: boolean;
  /** Whether what is there says what it should. True where there is nothing to write. */
  readonly current: boolean;
  /** The file that it writes; null = none. */
  readonly path: string | null;
  /** What is, in words. */
  readonly detail: string;
  /** What to type where this way leads nowhere; else null. */
  readonly instead: string | null;
}

/** What was done to the machine. */
export interface ResolverChange {
  readonly changed: boolean;
  /** Commands that the user has still to type. */
  readonly next: readonly string[];
}

/** How much may be done for a change. */
export interface Effort {
  /** Whether `sudo -n` may be tried where the rights of this process do not do. It never asks for a password. */
  readonly sudo: boolean;
}

/** One way. Nothing of it keeps state, so that any process can use it. */
export interface Resolver {
  readonly name: ResolverName;
  /** Looks, and changes nothing. */
  status(names: readonly string[], signal: AbortSignal): Promise<ResolverState>;
  /**
   * Has these names resolved, and no others of this state folder. What is right already is not written again.
   *
   * @throws {TaskmuxError} E720 if that is not possible; with `needs_root` in its details, if root could do it.
   */
  install(
    names: readonly string[],
    effort: Effort,
    signal: AbortSignal,
  ): Promise<ResolverChange>;
  /**
   * Takes back what is ours, and nothing else.
   *
   * @throws {TaskmuxError} As {@linkcode install}.
   */
  uninstall(effort: Effort, signal: AbortSignal): Promise<ResolverChange>;
  /** Has the machine forget what it remembers of names. */
  flush(signal: AbortSignal): Promise<ResolverChange>;
}

/** Runs a program to its end, in bounded time, without input. */
export type RunProgram = (
  argv: readonly [string, ...string[]],
  signal: AbortSignal,
) => Promise<CommandOutcome>;

/** The machine. A test has one of its own. */
export interface Machine {
  readonly os: typeof Deno.build.os;
  /** `/etc`, or a test's. */
  readonly etc: string;
  /** `/run`, or a test's. */
  readonly run: string;
  /** The state folder whose names these are. */
  readonly home: string;
  /** Those of loopback that it has. */
  readonly addresses: readonly string[];
  /** Null where no program can be run. */
  readonly program: RunProgram | null;
}
