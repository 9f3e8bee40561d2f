/**
 * Events for people, one line each.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { Paint, Style } from "./paint.ts";
import { plainText } from "./text.ts";

/** One event as it comes over the wire. */
export type EventRecord = Result<"event.list">["events"][number];

/** How events are printed. */
export interface EventOptions {
  readonly paint: Paint;
  /** Name the project of each event. */
  readonly withSession: boolean;
}

const OWN_KEYS = new Set(["seq", "ts", "event", "severity", "session", "task"]);

const STYLES: Readonly<Record<EventRecord["severity"], Style>> = {
  info: "green",
  warning: "yellow",
  error: "red",
};

/** One event: time, whose it is, what, and its facts. */
export function eventLine(
  event: EventRecord,
  { paint, withSession }: EventOptions,
): string {
  const owner = event.session === null
    ? "taskmux"
    : [withSession ? event.session : null, event.task ?? null]
      .filter((part) => part !== null).join("/");
  const facts = eventFacts(event);
  return [
    paint("dim", event.ts.replace(/\.\d+(?=Z|$)/, "")),
    ...owner === "" ? [] : [paint("cyan", `[${owner}]`)],
    paint(STYLES[event.severity] ?? "plain", event.event),
    ...facts.length === 0 ? [] : [paint("dim", `(${facts.join(", ")})`)],
  ].join(" ");
}

/** What an event says, in words. What only programs need, such as the id of a run, is left out. */
export function eventFacts(event: EventRecord): string[] {
  return Object.entries(event).flatMap(([key, value]) => {
    const isNothing = value === null || value === undefined ||
      (Array.isArray(value) && value.length === 0);
    if (OWN_KEYS.has(key) || isNothing) return [];
    const word = WORDS[key];
    const text = word === undefined
      ? `${key.replaceAll("_", " ")} ${plain(value)}`
      : word(value, event);
    return text === null ? [] : [text];
  });
}

type Word = (value: unknown, event: EventRecord) => string | null;

const silent: Word = () => null;

const itself: Word = (value) => plain(value);

/** How a fact is said; those that are not here are said as `key value`. */
const WORDS: Readonly<Record<string, Word>> = {
  run_id: silent,
  ended_at: silent,
  exit_code: (code, event) =>
    "signal" in event ? null : `exit code ${plain(code)}`,
  signal: (signal) => `ended by ${plain(signal)}`,
  method: (method) => `${plain(method)} probe`,
  reason: (reason) => REASONS[String(reason)] ?? plain(reason),
  error_code: itself,
  delay: (delay) => delay === 0 ? "at once" : `in ${plain(delay)} s`,
  count: (count) =>
    `after ${plain(count)} ${Number(count) === 1 ? "restart" : "restarts"}`,
  hook: itself,
  holder: (holder) => {
    const { command, pid } = holder as { command?: unknown; pid?: unknown };
    return `taken by "${plain(command)}" (pid ${plain(pid)})`;
  },
  config_path: itself,
  worktree_path: silent,
  name: silent,
  worktree_id: silent,
  dropped_bytes: (bytes) =>
    bytes === 0 ? null : `${plain(bytes)} bytes of output dropped`,
  path: itself,
  seconds: (seconds) => `after ${plain(seconds)} s`,
  lost: (lost) => lost === 0 ? null : `${plain(lost)} lost`,
  file: itself,
  aside: (aside) => `moved to ${plain(aside)}`,
  message: itself,
  version: (version) => `taskmux ${plain(version)}`,
  kept_tasks: (isKept) => isKept === true ? "tasks run on" : null,
  backend: (backend) => `by ${plain(backend)}`,
  public_url: itself,
  access: (access) => AUDIENCES[String(access)] ?? plain(access),
  expires_at: (end) => `until ${new Date(Number(end) * 1000).toISOString()}`,
  left: (left) => `may still run: ${plain(left)}`,
};

const REASONS: Readonly<Record<string, string>> = {
  manual: "by command",
  shutdown: "with the daemon or its project",
  process_exited: "it exited",
  health_retries_exceeded: "its probes failed",
  start_failed: "it could not start",
  file_changed: "a file changed",
  down: "by command",
  disabled: "by command, for good",
  expired: "its time is over",
  task_stopped: "its task stopped",
  task_removed: "its task is gone",
  process_stopped: "its program was stopped",
  config_changed: "the file no longer names it",
  daemon_stopped: "with the daemon",
};

const AUDIENCES: Readonly<Record<string, string>> = {
  open: "everybody is let in",
  basic: "with a password",
  link: "with a link",
};

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join(" ");
  if (typeof value === "object") return plainText(JSON.stringify(value));
  return plainText(String(value));
}
