/**
 * Tasks in few words: two for one that is well, the reason for one that is not.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { audienceOf } from "../../domain/tunnel.ts";
import { shortText } from "./short_text.ts";

type TaskStatus = Result<"task.status">["tasks"][number];

/** Longest reason, in characters; `taskmux_why` tells the rest. */
const REASON_LENGTH = 120;

/** States that somebody should look into. */
const TROUBLED_STATES: ReadonlySet<string> = new Set([
  "failed",
  "unhealthy",
  "backoff",
]);

/** Whether somebody should look into the state. */
export function isTroubled(state: string): boolean {
  return TROUBLED_STATES.has(state);
}

/** What addresses of tasks are short for: `TASK` in it stands for the name of one, whose host is called so, too. */
export interface HostPattern {
  readonly url: string;
}

/** What addresses through the proxy have in common, most of them; null if there are none. */
export function hostPattern(tasks: readonly TaskStatus[]): HostPattern | null {
  for (const { name, host, url } of tasks) {
    const head = `https://${name}.`;
    if (host !== name || url === null) continue;
    const authority = url.split("/").slice(0, 3).join("/");
    if (!authority.startsWith(head)) continue;
    return { url: `https://TASK.${authority.slice(head.length)}` };
  }
  return null;
}

/** Where a task is: `:26001`, `:26001 @` with a pattern for its address, or the whole address. */
export function placeWords(
  { name, port, url }: {
    readonly name?: string;
    readonly port?: number | null | undefined;
    readonly url?: string | null | undefined;
  },
  pattern: HostPattern | null = null,
): string {
  const number = port === null || port === undefined ? "" : `:${port}`;
  if (url === null || url === undefined) return number;
  if (url === `http://localhost:${port}`) return number;
  if (url.startsWith("http://localhost:")) return url;
  const isUsual = pattern !== null && name !== undefined &&
    url === pattern.url.replace("TASK", name);
  return joined([number, isUsual ? "@" : url]);
}

/** A task of `status`. */
export function statusWords(
  task: TaskStatus,
  pattern: HostPattern | null,
): string {
  const { state, running } = task;
  const head = joined([
    task.shared_from === null || task.shared_from === undefined
      ? state
      : `${state} in ${task.shared_from}`,
    // A task that is down has a lease, but nobody there.
    running || state === "starting" ? placeWords(task, pattern) : "",
  ]);
  const notes = [
    ...task.restart_count > 0 ? [`${task.restart_count} restarts`] : [],
    ...task.config_changed ? ["config changed: restart"] : [],
  ];
  const reason = reasonOf(task);
  return joined([
    `${head}${reason === null ? "" : `: ${reason}`}`,
    notes.length === 0 ? "" : `(${notes.join(", ")})`,
    publicWords(task),
  ]);
}

/** Where others reach it and who of them; empty if nobody does. */
function publicWords({ tunnel, public_url: url }: TaskStatus): string {
  if (tunnel === null || url === null) return "";
  const fails = tunnel.state === "failing" ? ", failing" : "";
  return `public: ${shortText(url, REASON_LENGTH)} (${
    audienceOf(tunnel)
  }${fails})`;
}

function reasonOf(task: TaskStatus): string | null {
  const { state, waiting_for: waits, restart_in: pause } = task;
  if (state === "waiting" && waits.length > 0) {
    return waits.map((each) =>
      `for ${each.task} ${each.condition} (${each.state})`
    ).join(", ");
  }
  const plain = task.reason === null ? null : ownReason(task.name, task.reason);
  if (state === "backoff" && pause !== null) {
    return joined([plain ?? "", `restart in ${pause}s`], ", ");
  }
  if (plain === null && state === "failed" && task.exit_code !== null) {
    return `exit ${task.exit_code}`;
  }
  return plain === "" ? null : plain;
}

/** A reason where it stands beside the name: without what that says already, and no longer than it must be. */
export function ownReason(task: string, reason: string): string {
  const head = [`Task "${task}" `, `Cannot start task "${task}": `]
    .find((each) => reason.startsWith(each)) ?? "";
  const own = reason.slice(head.length)
    .replaceAll(/exited with code (?=\d)/g, "exit ");
  return shortText(own, REASON_LENGTH);
}

/** One task after an action. */
export interface TaskOutcome {
  readonly task: string;
  readonly action?: string | undefined;
  readonly state?: string | undefined;
  readonly port?: number | null | undefined;
  readonly url?: string | null | undefined;
  readonly error_code?: string | undefined;
  readonly error?: string | undefined;
  readonly hint?: string | undefined;
}

/** What became of a task: `started, healthy :26001`, or why nothing did. */
export function outcomeWords(outcome: TaskOutcome): string {
  const { task, action, state, error, error_code: code, hint } = outcome;
  if (error !== undefined) {
    const next = hint === undefined ? "" : `; ${hint}`;
    return `${state ?? "failed"}: ${code} ${ownReason(task, error)}${next}`;
  }
  const isUp = state !== "stopped" && state !== "failed" &&
    state !== "completed";
  const isSaid = state === "stopped" &&
    (action === "stopped" || action === "killed");
  if (isSaid) return action;
  const done = action === "noop" ? "already" : `${action ?? "done"},`;
  return joined([done, state ?? "", isUp ? placeWords(outcome) : ""]);
}

/** Words with spaces between; empty ones are left out. */
export function joined(words: readonly string[], separator = " "): string {
  return words.filter((word) => word !== "").join(separator);
}
