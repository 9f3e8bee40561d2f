/**
 * What is gathered about a task before its state is explained, and what an explanation is made of. Plain data.
 *
 * @module
 */

import type { JsonObject } from "../kit/json.ts";
import type { TaskEvent } from "./event.ts";
import type { PortHolderView } from "./port_view.ts";
import type { TaskMachine } from "./task_machine.ts";
import type { Redactor } from "./redactor.ts";
import type { TaskSpec } from "./task_spec.ts";
import type { Exit } from "./task_state.ts";
import type { TunnelView } from "./tunnel.ts";
import type { TaskSnapshot } from "./task_view.ts";

/** A run that is over. */
export interface EndedRun {
  /** Wall milliseconds. */
  readonly startedAt: number;
  readonly exit: Exit;
  /** Why it ended, in a word; `exited` = by itself, or by somebody else's doing. */
  readonly reason: string | null;
}

/** One task, the explained one or one it depends on. */
export interface WhyTask {
  readonly spec: TaskSpec;
  readonly machine: TaskMachine;
  readonly snapshot: TaskSnapshot;
  /** The newest run that is over; null = there is none, or it does not matter. */
  readonly lastEnd: EndedRun | null;
  /** Takes the secrets out of what is quoted of its output. */
  readonly redactor: Redactor;
}

/** Who is there to act. `alone`: a daemon whose keeper does not answer; `kept`: a keeper that holds tasks, no daemon. */
export type Watcher = "daemon" | "alone" | "kept" | "silent" | "nobody";

/** Who listens on the port of a task. */
export interface WhyPort {
  readonly port: number;
  /** Null = that could not be found out. */
  readonly holders: readonly PortHolderView[] | null;
  /** Other ports that the run listens on, as far as that is known. */
  readonly elsewhere?: readonly number[];
}

/** What the history tells of a task. */
export interface WhyHistory {
  /** The last start or stop that somebody asked for. */
  readonly wish: TaskEvent | null;
  /** Changes of the task, oldest first; the newest few. */
  readonly recent: readonly TaskEvent[];
  /** The last hook of the task or its project that failed. */
  readonly hookFailure: TaskEvent | null;
}

/** See the module. */
export interface WhyFacts {
  /** Wall time in milliseconds. */
  readonly now: number;
  readonly session: string;
  readonly task: WhyTask;
  /** Any task of the project; null = there is none of that name. */
  find(name: string): WhyTask | null;
  readonly history: WhyHistory;
  /** The most telling of the last lines that {@linkcode WhyFacts.task} printed, in order: before its last end, else now. */
  readonly lines: readonly string[];
  /** Null = the task has none, or nobody asked. */
  readonly port: WhyPort | null;
  /** Why the file as it is now is not in force. */
  readonly configError: {
    readonly error_code: string;
    readonly error: string;
    readonly line: number | null;
  } | null;
  readonly watcher: Watcher;
  /** What it has to do with the outside world; absent = nothing. */
  readonly tunnel?: WhyTunnel;
}

/** A tunnel that leads to the task, or whose program the task is. */
export interface WhyTunnel {
  /** Tasks that it leads to. */
  readonly tasks: readonly string[];
  readonly view: TunnelView;
  /** The last lines of its program, if it does not work. */
  readonly lines: readonly string[];
  /** What they mean and what to do; null = nothing that is known. */
  readonly meaning: string | null;
}

/** What kind of evidence a link is. */
export type WhyKind =
  | "backoff"
  | "config"
  | "daemon"
  | "dependency"
  | "error"
  | "events"
  | "exit"
  | "hook"
  | "keeper"
  | "port"
  | "probe"
  | "restarts"
  | "run"
  | "stage"
  | "tunnel"
  | "wish";

/** One piece of evidence. Beside these keys it has facts of its kind. */
export type WhyLink = JsonObject & {
  readonly kind: WhyKind;
  readonly text: string;
  /** When it was so, in seconds since the epoch; absent = now. */
  readonly at?: number;
  readonly age_s?: number;
};

/** What comes next. */
export type WhyNext = {
  /** What taskmux does by itself, and when. */
  readonly taskmux: string;
  /** The command to type; null = there is nothing to do. */
  readonly you: string | null;
};

/** Why a task is as it is. */
export interface Explanation {
  /** One sentence. */
  readonly summary: string;
  /** The most decisive link first. */
  readonly chain: WhyLink[];
  readonly next: WhyNext;
}
