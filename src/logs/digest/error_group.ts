/**
 * Errors in output, as data.
 *
 * @module
 */

/** What recognised an error: the runtime or tool that printed it, or `log` for a line that calls itself an error. */
export type ErrorKind =
  | "node"
  | "deno"
  | "bun"
  | "python"
  | "go"
  | "rust"
  | "java"
  | "ruby"
  | "php"
  | "typescript"
  | "vite"
  | "next"
  | "esbuild"
  | "webpack"
  | "pytest"
  | "cargo"
  | "go build"
  | "npm"
  | "log";

/** One line of output. */
export interface DigestLine {
  readonly task: string;
  /** ISO 8601, UTC, milliseconds; empty if nothing in the log had a time yet. */
  readonly ts: string;
  /** Without the time and without control sequences. */
  readonly text: string;
}

/** A place in the source of the project. */
export interface SourceFrame {
  /** Relative to the project's folder. */
  readonly file: string;
  /** From 1; null when the tool does not say. */
  readonly line: number | null;
  readonly column: number | null;
  /** Null when the tool does not say. */
  readonly function: string | null;
}

/** Occurrences of one error in one task. */
export interface ErrorGroup {
  /** The same error has the same one for ever, whatever its ids, numbers and times. */
  readonly fingerprint: string;
  readonly kind: ErrorKind;
  readonly task: string;
  /** Of the newest occurrence, such as `TypeError: x is not a function`. One line. */
  readonly message: string;
  readonly count: number;
  /** Time of the first line of the first and of the newest occurrence. */
  readonly first: string;
  readonly last: string;
  /** Innermost frame inside the project that is not a dependency; null if none was printed. */
  readonly frame: SourceFrame | null;
  /** The lines that tell most of the newest occurrence, in order; a gap is a line of its own. */
  readonly sample: readonly string[];
}

/** All errors of some output. */
export interface ErrorDigest {
  /** Newest `last` first. */
  readonly groups: readonly ErrorGroup[];
  /** Different errors beyond the bound, which are only counted. */
  readonly omittedGroups: number;
}
