/**
 * What can happen to a task, and what the machine wants done about it. Closed unions: the compiler finds a forgotten one.
 *
 * @module
 */

import type { JsonObject } from "../kit/json.ts";
import type { ErrorShape } from "./error.ts";
import type { EventType } from "./event.ts";
import type {
  StartCause,
  StopKind,
  StopPlan,
  TaskMachine,
} from "./task_machine.ts";
import type { HookName } from "./task_spec.ts";
import type { Exit, ProbeResult, RunInfo } from "./task_state.ts";

/** What can happen to a task. `now` is monotonic milliseconds. */
export type Input =
  & { readonly now: number }
  & (
    /** Wanted up by hand. `isGated` = its dependencies decide when. */
    | {
      readonly type: "start";
      readonly isGated: boolean;
      /** The series of automatic restarts goes on: nobody has asked, a daemon that crashed had not got to it. */
      readonly keepsSeries?: boolean;
    }
    /** A start of everything: what waits for a request may be started by one again. */
    | { readonly type: "allow" }
    | { readonly type: "stop"; readonly kind: "stop" | "kill" | "shutdown" }
    /** Down and up again. `isUsers` clears the restart series. */
    | {
      readonly type: "restart";
      readonly isUsers: boolean;
      readonly reason: string;
    }
    /** The dependencies allow a start (null) or never will. */
    | { readonly type: "gate"; readonly error: ErrorShape | null }
    | {
      readonly type: "hooked";
      readonly generation: number;
      readonly hook: HookName;
      readonly error: ErrorShape | null;
    }
    | {
      readonly type: "spawned";
      readonly generation: number;
      readonly run: RunInfo;
    }
    | {
      readonly type: "spawn_failed";
      readonly generation: number;
      readonly error: ErrorShape;
    }
    /** The run and everything it started is gone, its output is in the log. */
    | { readonly type: "ended"; readonly runId: string; readonly exit: Exit }
    | {
      readonly type: "probed";
      readonly runId: string;
      readonly result: ProbeResult;
    }
    /** The keeper of the run died. How the run ends is told by `ended`, once nothing of it lives. */
    | { readonly type: "lost"; readonly runId: string }
    /** The run could not be ended: something of it survives every signal. */
    | {
      readonly type: "survived";
      readonly runId: string;
      readonly error: ErrorShape;
    }
    | { readonly type: "wake" }
    /** An earlier controller went when all that was left of a stop was to tell that it is over. */
    | { readonly type: "rest"; readonly kind: StopKind }
    /** A run of an earlier controller, alive. */
    | ({ readonly type: "adopted"; readonly run: RunInfo } & AdoptedFacts)
  );

/** What is known of a run that is taken over. */
export interface AdoptedFacts {
  readonly ageMs: number;
  /** Whether it was healthy once, as the history tells. */
  readonly wasReady?: boolean;
  /** For how long it had been healthy without a break when it was last looked at; absent = it was not. */
  readonly healthyForMs?: number;
  /** The last probe, if it is no older than a probe may be. */
  readonly lastHealth?: ProbeResult;
  /** Why it was started, if nobody has been told of it yet; absent = that is told. */
  readonly news?: StartCause;
  /** How it was being ended. */
  readonly plan?: StopPlan;
}

/** What is to be done. */
export type Effect =
  | {
    readonly type: "run_hook";
    readonly hook: HookName;
    readonly generation: number;
  }
  | { readonly type: "cancel_hook" }
  | { readonly type: "spawn"; readonly generation: number }
  | {
    readonly type: "terminate";
    readonly runId: string;
    readonly isKill: boolean;
  }
  | { readonly type: "start_probing"; readonly run: RunInfo }
  | { readonly type: "stop_probing" }
  | { readonly type: "wake_at"; readonly at: number }
  /** Desired state, restarts or outcome changed. */
  | { readonly type: "persist" }
  | {
    readonly type: "emit";
    readonly event: EventType;
    readonly data: JsonObject;
  };

/** A new state with what is to be done about it, in order. */
export type Step = readonly [machine: TaskMachine, effects: readonly Effect[]];
