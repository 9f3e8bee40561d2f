/**
 * What commands about the settings of agents answer.
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import type { ErrorCode } from "../domain/error_codes.ts";
import type { ScopeWarning } from "./mcp_scope.ts";

/** What became of one client. */
export type InstallResult =
  | {
    readonly ok: true;
    readonly client: string;
    readonly path: string;
    /** `would_*` with `--print`. */
    readonly action:
      | "created"
      | "updated"
      | "unchanged"
      | "would_create"
      | "would_update";
    readonly wrote: boolean;
    readonly format: string;
    /** The entry as it would stand in a file of its own. */
    readonly snippet: string;
    readonly session: string | null;
    /** Null over stdio. */
    readonly url: string | null;
    readonly warnings: readonly ScopeWarning[];
    /** With `--print`: the lines that would change. */
    readonly diff?: string;
    /** What is left to do. */
    readonly next: string;
  }
  | FailedResult;

/** A client whose settings were left alone. */
export interface FailedResult {
  readonly ok: false;
  readonly client: string;
  readonly error: string;
  readonly error_code: ErrorCode;
  readonly hint: string | null;
}

/** A command line, and what for. */
export interface NextStep {
  readonly command: string;
  readonly why: string;
}

/** What became of one file. */
export type UninstallResult =
  | {
    readonly ok: true;
    readonly client: string;
    readonly path: string;
    readonly action: "updated" | "deleted" | "unchanged";
  }
  | FailedResult;

/** What can be wrong with an entry. */
export const PROBLEMS = {
  stale_url: "another address than the daemon's",
  other_session: "about another project",
  unscoped: "sees every project",
  disabled: "switched off",
  no_address: "leads nowhere",
  clash: "its two entries keep it from starting",
} as const;

/** How one client is set up. */
export interface ClientReport {
  readonly client: string;
  readonly scope: "project" | "user";
  /** Absolute: the file that counts, or the one that an installation would make. */
  readonly path: string;
  /** Whether there is anything of the program. */
  readonly detected: boolean;
  /** `attention`: set up, but see `problems`. */
  readonly state: "absent" | "ready" | "attention" | "unreadable";
  readonly url: string | null;
  /** The words of the command, over stdio. */
  readonly command: readonly string[] | null;
  /** The project that it is about; null = any, or that of the folder. */
  readonly session: string | null;
  /** Whether it may only look. */
  readonly read_only: boolean;
  readonly problems: readonly (keyof typeof PROBLEMS)[];
  readonly error: string | null;
}

/** The project one stands in, and what its `.mcp.json` says. */
export interface LocalReport {
  readonly session: string;
  readonly project_root: string;
  /** Null while the port of the API changes. */
  readonly url: string | null;
  readonly mcp_json: string;
  readonly mcp_json_present: boolean;
  readonly mcp_json_url: string | null;
  readonly snippet: string | null;
}

/** The answer. */
export type McpReport = Result<"mcp.status"> & {
  readonly running: boolean;
  readonly local: LocalReport | null;
  /** Why the project one stands in cannot be read. */
  readonly config_error: string | null;
  readonly clients: readonly ClientReport[];
  /** What to type so that each of them is answered. */
  readonly next: readonly NextStep[];
};
