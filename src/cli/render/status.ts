/**
 * The answer of `status` for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { isTunnelProgram } from "../../domain/tunnel.ts";
import { systemClock } from "../../kit/clock.ts";
import { aliasLines } from "./alias.ts";
import type { Paint, Style } from "./paint.ts";
import { publicCell, publicNote, styleOf, tunnelLines } from "./public_mark.ts";
import { type Cell, tableLines } from "./table.ts";
import { plainText } from "./text.ts";

/** The answer of `status`. */
export type Status = Result<"task.status">;

/** One task of it. */
export type StatusTask = Status["tasks"][number];

/** How a state looks, in every listing. */
export const STATE_STYLES: Readonly<Record<StatusTask["state"], Style>> = {
  stopped: "dim",
  waiting: "yellow",
  starting: "yellow",
  running: "green",
  healthy: "green",
  unhealthy: "red",
  stopping: "yellow",
  backoff: "yellow",
  failed: "red",
  completed: "cyan",
};

/** Where the lines go. */
export interface RenderOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly paint: Paint;
  /** Wall milliseconds; by default now. */
  readonly now?: number;
}

const COLUMNS = [
  { title: "Status" },
  { title: "Task" },
  { title: "URL", min: 16 },
  { title: "Public", min: 16 },
  { title: "Command", min: 12 },
  { title: "Notes", min: 12 },
];

/** Command, notes, public URL, URL. */
const YIELDING = [4, 5, 3, 2];

/** The lines of `status`. */
export function statusLines(status: Status, options: RenderOptions): string[] {
  const { paint } = options;
  const lines = [headline(status, paint)];
  if (status.config_error !== null) {
    lines.push(paint("red", configErrorLine(status.config_error)));
  }
  lines.push(...taskLines(status, options), ...aliasBlock(status, options));
  const troubles = status.tasks.flatMap((task) => [
    ...troubleLines(task, paint),
    ...tunnelLines(task, paint),
  ]);
  if (troubles.length > 0) lines.push("", ...troubles);
  return lines;
}

function taskLines(
  status: Status,
  { width, paint, now = systemClock.now() }: RenderOptions,
): string[] {
  if (status.tasks.length === 0) {
    return ['No tasks configured; "taskmux add NAME COMMAND" adds one'];
  }
  const rows = status.tasks.map((task) => taskRow(task, status, now));
  return [
    "",
    ...tableLines(COLUMNS, rows, { width, paint, yielding: YIELDING }),
  ];
}

function aliasBlock(status: Status, options: RenderOptions): string[] {
  if (status.aliases.length === 0) return [];
  const title = "Aliases (ports that are no task's):";
  return ["", title, ...aliasLines(status.aliases, options)];
}

/** What the user should know, for stderr. */
export function warningLines(
  warnings: readonly string[],
  paint: Paint,
): string[] {
  return warnings.map((text) =>
    `${paint("yellow", "Warning:")} ${plainText(text)}`
  );
}

function headline(status: Status, paint: Paint): string {
  const name = `Session "${status.session}"`;
  const id = status.project_id === status.session
    ? ""
    : ` (${status.project_id})`;
  const isComing = status.tasks.some(({ state }) =>
    state === "waiting" || state === "starting" || state === "backoff"
  );
  const state = status.running
    ? paint("green", "running")
    : isComing
    ? paint("yellow", "starting")
    : paint("dim", "stopped");
  const own = status.tasks.filter((task) => !isTunnelProgram(task));
  const active = status.running
    ? `, ${status.active_tasks} of ${own.length} tasks active`
    : "";
  const daemon = status.daemon_pid === null
    ? "no daemon"
    : `daemon pid ${status.daemon_pid}`;
  return `${paint("bold", name)}${id}: ${state}${active}, ${daemon}`;
}

function configErrorLine(error: NonNullable<Status["config_error"]>): string {
  // The place stands in the first line; a picture of it would follow.
  const [first = ""] = error.error.split("\n");
  return "Configuration in force is an older one. " +
    `Error [${error.error_code}]: ${plainText(first)}`;
}

function taskRow(task: StatusTask, status: Status, now: number): Cell[] {
  const { config_path: config, tasks } = status;
  const root = config.slice(0, config.lastIndexOf("/"));
  const told = isTunnelProgram(task)
    ? programNotes(task, tasks)
    : notes(task, root, now);
  const style = task.public_url === null || task.tunnel === null
    ? "dim"
    : styleOf(task.tunnel);
  return [
    { text: capitalised(task.state), style: STATE_STYLES[task.state] },
    task.name,
    // Whoever asks for the address of what is public means that of the task.
    isTunnelProgram(task) ? portText(task) : task.url ?? portText(task),
    publicCell(task, tasks),
    isTunnelProgram(task) ? programOf(task.command) : plainText(task.command),
    { text: told.join(" "), style },
  ];
}

function portText(task: StatusTask): string {
  return task.running && task.port !== null ? `port ${task.port}` : "";
}

/** What runs, without what only taskmux has to know of how: `cloudflared`. The whole of it is in `inspect`. */
function programOf(command: string): string {
  return /(?:^|[;&]\s*)exec\s+(?:\S*\/)?([\w.-]+)/.exec(command)?.[1] ?? "";
}

/** Whose program it is; its settings are none of the user's. */
function programNotes(
  task: StatusTask,
  tasks: readonly StatusTask[],
): string[] {
  const carried = tasks.filter(({ tunnel }) => tunnel?.process === task.name)
    .map(({ name }) => name);
  return [
    carried.length === 0 ? "tunnel" : `tunnel of ${carried.join(", ")}`,
    ...task.restart_count > 0 ? [`restarts=${task.restart_count}`] : [],
  ];
}

/** What is not as it usually is. */
function notes(task: StatusTask, root: string, now: number): string[] {
  const found: string[] = [];
  // First, as what follows may be cut.
  if (task.tunnel !== null) found.push(publicNote(task.tunnel, now));
  // Absent in the answer of an older daemon.
  if (task.shared_from) found.push(`shared from ${task.shared_from}`);
  if (task.start_on_request) found.push("on-request");
  else if (!task.auto_start) found.push("manual");
  if (task.restart_policy !== "on-failure") {
    found.push(`restart=${task.restart_policy}`);
  }
  const limit = task["max_restarts"];
  if (typeof limit === "number" && limit !== 5) {
    found.push(`restart-max=${limit}`);
  }
  if (task.cwd !== root) {
    found.push(
      `cwd=${
        task.cwd.startsWith(`${root}/`)
          ? task.cwd.slice(root.length + 1)
          : task.cwd
      }`,
    );
  }
  if (task.depends_on.length > 0) {
    found.push(`deps=[${task.depends_on.join(",")}]`);
  }
  if (task.restart_count > 0) found.push(`restarts=${task.restart_count}`);
  // How a task ended that was asked to says nothing.
  if (!task.running && task.state !== "stopped" && task.exit_code !== null) {
    found.push(`exit=${task.exit_code}`);
  }
  if (task.config_changed) found.push("config-changed");
  return found;
}

/** What needs attention, one line per fact. */
function troubleLines(task: StatusTask, paint: Paint): string[] {
  const lines: string[] = [];
  if (task.waiting_for.length > 0) {
    const whom = task.waiting_for.map(({ task, condition, state }) =>
      `${task} (${condition}, now ${state})`
    );
    lines.push(paint("yellow", `  ${task.name} waits for ${whom.join(", ")}`));
  }
  if (task.restart_in !== null) {
    lines.push(
      paint("yellow", `  ${task.name} restarts in ${task.restart_in} s`),
    );
  }
  const probe = task.last_health;
  if (task.running && probe !== null && !probe.ok) {
    const why = plainText(probe.reason ?? "no reason given");
    lines.push(paint("red", `  ${task.name} fail: ${probe.method} — ${why}`));
  }
  if (task.reason !== null && task.waiting_for.length === 0) {
    const style = task.state === "failed" ? "red" : "dim";
    lines.push(paint(style, `  ${task.name}: ${plainText(task.reason)}`));
  }
  return lines;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
