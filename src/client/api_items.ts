/**
 * What the client for scripts can follow, and what comes then.
 *
 * @module
 */

/** Which events. What is not given selects nothing out. */
export interface EventFilter {
  /** Those of one project, and those of taskmux itself. */
  readonly session?: string;
  /** Those of these tasks. */
  readonly tasks?: readonly string[];
  /** Those of these types, see `docs/events.md`. */
  readonly types?: readonly string[];
  /** The least severity. */
  readonly level?: "info" | "warning" | "error";
  /** Begin in the past: a duration such as `5m`, or an ISO time. */
  readonly since?: string;
  /** Begin behind the item, or the answer, that had this cursor. */
  readonly cursor?: string;
}

/** An event. Further keys belong to its type. */
export interface ApiEvent {
  /** Grows with every event. */
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly ts: string;
  /** The type. */
  readonly event: string;
  /** How bad it is. */
  readonly severity: "info" | "warning" | "error";
  /** Its project; null = taskmux itself. */
  readonly session: string | null;
  /** Its task, if it has one. */
  readonly task?: string;
  /** Facts of its type. */
  readonly [key: string]: unknown;
}

/** What comes next among events. */
export type EventItem =
  | {
    readonly type: "event";
    readonly event: ApiEvent;
    /** Leads to what comes after. */
    readonly cursor: string;
  }
  | {
    readonly type: "gap";
    /** So many events, of any kind, were in the history no more. */
    readonly events: number;
    /** Leads to what comes after. */
    readonly cursor: string;
  };

/** Which lines. */
export interface LogFilter {
  /** The project. Needed unless the connection is about one. */
  readonly session?: string;
  /** Absent or empty = every task. */
  readonly tasks?: readonly string[];
  /** Lines of the past to begin with: 10 by default; null = all. */
  readonly lines?: number | null;
  /** Regular expression; case-insensitive unless it holds an upper-case letter. */
  readonly grep?: string;
  /** The least level. */
  readonly level?: string;
  /** Only structured lines with all of these, `KEY=VALUE` each. */
  readonly fields?: readonly string[];
  /** Lines of context around a match. */
  readonly context?: number;
  /** A duration such as `5m`, or an ISO time. */
  readonly since?: string;
  /** In place of `lines`: begin behind the item, or the answer, that had this cursor. */
  readonly cursor?: string;
}

/** What comes next among lines. */
export type LogItem =
  | {
    readonly type: "line";
    /** ISO 8601, UTC. */
    readonly ts: string;
    /** Whose line it is. */
    readonly task: string;
    /** Without terminal control sequences. */
    readonly text: string;
    /** Leads to what comes after; null = only that of a later item does. */
    readonly cursor: string | null;
  }
  | {
    readonly type: "gap";
    /** So many bytes were rotated away before they could be read. */
    readonly bytes: number;
    /** Leads to what comes after; null = only that of a later item does. */
    readonly cursor: string | null;
  };
