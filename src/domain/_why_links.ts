/**
 * The links of an explanation, each from the facts it stands on.
 *
 * @module
 */

import { formatDuration } from "../kit/duration.ts";
import type { JsonObject } from "../kit/json.ts";
import type { ErrorShape } from "./error.ts";
import type { TaskEvent } from "./event.ts";
import type { PortHolderView } from "./port_view.ts";
import { type KeptEnd, safeCut } from "./safe_cut.ts";
import { hasProbe, unansweredText } from "./task_health.ts";
import { type Exit, exitNumber, exitText, signalName } from "./task_state.ts";
import type { WhyFacts, WhyKind, WhyLink, WhyTask } from "./why_facts.ts";

/** Most of a probe's output or a hook's that a link quotes, in UTF-16 units. */
const QUOTE_LENGTH_MAX = 300;

/** Longest command line that a link quotes. */
const COMMAND_LENGTH_MAX = 80;

/** Events that the link of the history names. */
const EVENTS_TOLD = 4;

/** A link about something that was so at a time in wall milliseconds. */
export function linkAt(
  kind: WhyKind,
  [at, now]: readonly [at: number, now: number],
  rest: JsonObject & { readonly text: string },
): WhyLink {
  const ageMs = Math.max(0, now - at);
  return {
    kind,
    ...rest,
    at: Math.round(at / 100) / 10,
    age_s: ageMs < 10_000
      ? Math.round(ageMs / 100) / 10
      : Math.round(ageMs / 1000),
  };
}

/** "3s ago". */
export function ago(at: number, now: number): string {
  return `${formatDuration(now - at)} ago`;
}

/** What is told of an exit beside how it was. */
export interface ExitEvidence {
  /** Wall milliseconds. */
  readonly now: number;
  /** What was printed last. */
  readonly lines?: readonly string[];
  /** Whether it is known that taskmux did not end it: that was neither a stop nor a restart for its probes. */
  readonly isForeign?: boolean;
}

/** How the last run ended; null if none has. */
export function exitLink(
  { lastEnd, snapshot }: WhyTask,
  { now, lines = [], isForeign = false }: ExitEvidence,
): WhyLink | null {
  const exit = lastEnd?.exit ?? snapshot.lastExit;
  if (exit === null) return null;
  const ranMs = lastEnd === null ? null : exit.at - lastEnd.startedAt;
  const after = ranMs === null ? "" : ` after ${formatDuration(ranMs)}`;
  return linkAt("exit", [exit.at, now], {
    text: `${exitText(exit)}${
      exitMeaning(exit, isForeign && lastEnd?.reason === "exited")
    }${after}, ${ago(exit.at, now)}`,
    exit_code: exitNumber(exit),
    ...exit.signal === null ? {} : { signal: exit.signal },
    ...ranMs === null ? {} : { ran_s: Math.max(0, ranMs) / 1000 },
    ...lines.length === 0 ? {} : { lines: [...lines] },
  });
}

/** What shells mean by an exit status, and who may have killed a process that taskmux did not. */
function exitMeaning({ code, signal }: Exit, isForeign: boolean): string {
  if (signal === "SIGKILL" && isForeign) {
    return " (not by taskmux: out of memory, or somebody's kill)";
  }
  if (code === 127) return " (command not found)";
  if (code === 126) return " (command cannot be executed)";
  if (code === null || code <= 128 || code > 128 + 31) return "";
  return ` (${signalName(code - 128)} ended a process of it)`;
}

/** What the last probe of the present run found. */
export function probeLink(task: WhyTask, now: number): WhyLink | null {
  const { spec, snapshot, machine: { phase } } = task;
  const { lastHealth, run } = snapshot;
  if (run === null) return null;
  if (!hasProbe(spec.health, run.port)) return null;
  if (lastHealth === null) {
    return { kind: "probe", text: unansweredText(spec.health) };
  }
  const { ok, method, reason, at, output } = lastHealth;
  const failures = phase.status === "running" ? phase.health.failures : 0;
  const retries = Math.max(1, spec.health.retries);
  const count = failures === 0
    ? ""
    : ` (failure ${failures}, ${retries} make it unhealthy)`;
  return linkAt("probe", [at, now], {
    text: ok
      ? `${method} probe succeeded ${ago(at, now)}`
      : `${method} probe failed ${ago(at, now)}: ${reason}${count}`,
    method,
    ok,
    ...output === undefined ? {} : { output: quote(output, task) },
  });
}

/** That the task's process lives, since when, and what it has printed lately. */
export function runLink(
  { snapshot: { run } }: WhyTask,
  now: number,
  lines: readonly string[] = [],
): WhyLink | null {
  if (run === null) return null;
  return linkAt("run", [run.startedAt, now], {
    text: `runs as pid ${run.pid} for ${formatDuration(now - run.startedAt)}`,
    pid: run.pid,
    ...run.port === null ? {} : { port: run.port },
    ...lines.length === 0 ? {} : { lines: [...lines] },
  });
}

/** Automatic restarts of the present series; null if there were none. */
export function restartsLink(
  { spec, snapshot, machine }: WhyTask,
): WhyLink | null {
  const { restartCount } = snapshot;
  if (restartCount === 0) return null;
  const { maxRestarts } = spec.restart;
  const most = maxRestarts === 0 ? "without a limit" : `of ${maxRestarts}`;
  return {
    kind: "restarts",
    text: machine.gaveUp
      ? `gave up after ${restartCount} automatic restarts (max_restarts = ${maxRestarts})`
      : `${restartCount} automatic restarts so far, ${most}`,
    used: restartCount,
    max: maxRestarts === 0 ? null : maxRestarts,
  };
}

/** The pause before the next restart. */
export function backoffLink({ spec, snapshot }: WhyTask): WhyLink {
  const leftMs = snapshot.restartInMs ?? 0;
  const { maxRestarts } = spec.restart;
  const most = maxRestarts === 0 ? "" : ` of at most ${maxRestarts}`;
  return {
    kind: "backoff",
    text: `automatic restart ${snapshot.restartCount}${most} follows in ${
      formatDuration(leftMs)
    }`,
    restart_in_s: Math.ceil(leftMs / 100) / 10,
    used: snapshot.restartCount,
    max: maxRestarts === 0 ? null : maxRestarts,
  };
}

/** The error that the task rests on, with what was printed before it. */
export function errorLink(error: ErrorShape, task: WhyTask): WhyLink {
  const isHook = error.error_code === "E400" || error.error_code === "E401";
  const tail = error.details?.["output_tail"];
  return {
    kind: isHook ? "hook" : "error",
    text: error.error,
    error_code: error.error_code,
    ...typeof tail === "string" && tail !== ""
      ? { output: quote(tail, task, "end") }
      : {},
  };
}

/** A hook that failed since the task was last asked for; null = none. */
export function hookLink(
  { history: { hookFailure, wish }, task, now }: WhyFacts,
): WhyLink | null {
  if (hookFailure === null) return null;
  if (wish !== null && wish.seq > hookFailure.seq) return null;
  const at = Date.parse(hookFailure.ts);
  const tail = hookFailure["output_tail"];
  return linkAt("hook", [at, now], {
    text: `${String(hookFailure["reason"])}, ${ago(at, now)}`,
    hook: String(hookFailure["hook"]),
    ...typeof tail === "string" && tail !== ""
      ? { output: quote(tail, task, "end") }
      : {},
  });
}

/** Who else listens on the task's port, or that nobody does; null when there is nothing to say. */
export function portLink({ port, task, session }: WhyFacts): WhyLink | null {
  if (port === null || port.holders === null) return null;
  const stranger = port.holders.find((holder) =>
    holder.session !== session || holder.task !== task.spec.name
  );
  if (stranger !== undefined) {
    return {
      kind: "port",
      text: `port ${port.port} is held by ${holderText(stranger, task)}`,
      port: port.port,
      pid: stranger.pid,
      ...stranger.task === null
        ? {}
        : { session: stranger.session, task: stranger.task },
    };
  }
  if (port.holders.length > 0) return null;
  const { elsewhere = [] } = port;
  if (task.snapshot.run !== null && elsewhere.length > 0) {
    return {
      kind: "port",
      text: `it listens on port ${
        elsewhere.join(" and ")
      }, not on its $PORT, ${port.port}: use $PORT in its command${
        elsewhere.length === 1 ? `, or set port = ${elsewhere[0]}` : ""
      }`,
      port: port.port,
      pid: null,
      elsewhere: [...elsewhere],
    };
  }
  return {
    kind: "port",
    text: task.snapshot.run === null
      ? `port ${port.port} is free now`
      : `nothing listens on port ${port.port}`,
    port: port.port,
    pid: null,
  };
}

function holderText(
  holder: PortHolderView,
  { redactor }: WhyTask,
): string {
  const { pid, command, session, task, uid } = holder;
  if (task !== null) return `task "${task}" of ${session} (pid ${pid})`;
  if (pid === null) return `a process of user ${uid} that cannot be seen`;
  const program = safeCut(command ?? "", {
    length: COMMAND_LENGTH_MAX,
    redactor,
  });
  return `"${program}" (pid ${pid}, no task of taskmux)`;
}

/** What is wanted of the task, since when and by whose word. */
export function wishLink(
  { history: { wish }, task: { machine, spec, lastEnd }, now }: WhyFacts,
): WhyLink {
  const { desired, manual } = machine;
  const facts = { wanted: desired, manual };
  if (wish === null) {
    const never = lastEnd === null && desired === "down";
    const rest = spec.startOnRequest
      ? ", and starts with the first request for it"
      : spec.autoStart
      ? ""
      : ", and has auto_start = false";
    return {
      kind: "wish",
      text: never ? `it was never started${rest}` : `it is wanted ${desired}`,
      ...facts,
    };
  }
  if (isOutdated(wish, machine)) {
    return { kind: "wish", text: `it is wanted ${desired}`, ...facts };
  }
  const at = Date.parse(wish.ts);
  return linkAt("wish", [at, now], {
    text: `${wishText(wish, manual)} ${ago(at, now)}`,
    ...facts,
  });
}

/** Whether a start or a stop is under way that has no event yet: those come when it is done. */
function isOutdated(
  wish: TaskEvent,
  { desired, manual }: WhyTask["machine"],
): boolean {
  if (wish.event === "task_started") return desired === "down";
  const isTakenDown = wish["reason"] === "shutdown" && !manual;
  return desired === "up" && !isTakenDown;
}

function wishText(wish: TaskEvent, isManual: boolean): string {
  switch (wish.event) {
    case "task_started":
      return "wanted up since it was started";
    case "task_killed":
      return 'wanted down since it was killed by hand ("taskmux kill")';
    default:
      if (wish["reason"] === "shutdown" && !isManual) {
        return "taken down with the daemon or its project";
      }
      return 'wanted down since it was stopped by hand ("taskmux stop")';
  }
}

/** What is wrong with the configuration, or new in it; null = nothing. */
export function configLink(
  { configError, task: { snapshot } }: WhyFacts,
): WhyLink | null {
  if (configError !== null) {
    const { error_code, error, line } = configError;
    const first = error.split("\n")[0] ?? "";
    return {
      kind: "config",
      text: error_code === "E100"
        ? `taskmux.toml is gone: ${first}`
        : `taskmux.toml cannot be used, what was read before stays in force: ${first}`,
      error_code,
      ...line === null ? {} : { line },
    };
  }
  if (!snapshot.configChanged) return null;
  return {
    kind: "config",
    text: "its entry in taskmux.toml has changed since this run was started",
    config_changed: true,
  };
}

/** The newest changes. */
export function eventsLink({ history, now }: WhyFacts): WhyLink | null {
  const told = history.recent.slice(-EVENTS_TOLD);
  const newest = told.at(-1);
  if (newest === undefined) return null;
  return linkAt("events", [Date.parse(newest.ts), now], {
    text: told.map(({ event, ts }) => `${event} ${ago(Date.parse(ts), now)}`)
      .join(", "),
  });
}

/** Some of what a task, or a probe or hook of it, has printed. */
export function quote(
  text: string,
  { redactor }: WhyTask,
  keep: KeptEnd = "start",
): string {
  return safeCut(text, { length: QUOTE_LENGTH_MAX, redactor, keep });
}
