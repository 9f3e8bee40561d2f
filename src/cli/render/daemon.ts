/**
 * The answers of `daemon status` and `daemon list` for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { VERSION } from "../../contract/wire.ts";
import type { Paint, Style } from "./paint.ts";
import type { RenderOptions } from "./status.ts";
import { type Cell, tableLines } from "./table.ts";

/** The lines of `daemon status`. */
export function daemonLines(
  status: Result<"daemon.status">,
  paint: Paint,
): string[] {
  const projects = counted(status.registered_projects, "project");
  if (!status.running) {
    return [
      `Daemon: ${paint("dim", "not running")}, ${projects} registered`,
      ...serviceLines(status.service, paint),
    ];
  }
  const since = status.started_at === null
    ? ""
    : `, since ${new Date(status.started_at * 1000).toISOString()}`;
  const isOther = status.version !== VERSION;
  const lines = [
    ...isOther
      ? [
        paint(
          "yellow",
          `This is taskmux ${VERSION}, the daemon is another one`,
        ) +
        '; "taskmux daemon restart" replaces it',
      ]
      : [],
    `Daemon: ${
      paint("green", "running")
    } (pid ${status.pid}, taskmux ${status.version}${since})`,
    `Tasks: ${status.running_tasks} running of ${projects}`,
  ];
  if (status.public_tasks > 0) {
    const count = counted(status.public_tasks, "task");
    lines.push(
      `${
        paint("yellow", `PUBLIC: ${count}`)
      }; "taskmux tunnel status" tells which`,
    );
  }
  if (status.keeper.pid !== null) {
    const { pid, version } = status.keeper;
    const other = version === undefined || version === status.version
      ? ""
      : `, taskmux ${version}, which works with this daemon`;
    lines.push(`Keeper: pid ${pid}${other}`);
  }
  if (status.api_port !== null) {
    lines.push(`API: http://127.0.0.1:${status.api_port}`);
  }
  lines.push(...serviceLines(status.service, paint));
  const { proxy, dns } = status;
  const why = typeof proxy["reason"] === "string"
    ? ` (${proxy["reason"]})`
    : "";
  lines.push(`Proxy: ${proxy.enabled ? "enabled" : "disabled"}${why}`);
  lines.push(...proxyLines(proxy));
  lines.push(`DNS: ${dns.resolver}, ${dns.active ? "active" : "not active"}`);
  return lines;
}

/** Where it listens, and which other ports it was to have. */
function proxyLines(proxy: Result<"daemon.status">["proxy"]): string[] {
  const { https_bound: https, redirect_bound: redirect, instead } = proxy;
  return [
    ...listening("HTTPS", https, proxy["https_port"]),
    ...listening(
      "HTTP, which leads to HTTPS",
      redirect,
      proxy["redirect_port"],
    ),
    ...(Array.isArray(instead) ? instead : []).map((each) => `  ${each}`),
  ];
}

function listening(what: string, addresses: unknown, port: unknown): string[] {
  return Array.isArray(addresses) && addresses.length > 0
    ? [`  ${what}: port ${port} of ${addresses.join(" and ")}`]
    : [];
}

/** Nothing where no service is installed. */
function serviceLines(
  { managed, units }: Result<"daemon.status">["service"],
  paint: Paint,
): string[] {
  const state = managed
    ? paint("green", "running as a service")
    : paint("dim", "not run as a service now");
  return units.map(({ scope, path }) =>
    `Service (${scope}): ${path}, ${state}`
  );
}

const COLUMNS = [
  { title: "Session" },
  { title: "State" },
  { title: "Running" },
  { title: "Tasks" },
  { title: "Public" },
  { title: "Config", min: 16 },
];

const STATE_STYLES: Readonly<Record<string, Style>> = {
  ok: "green",
  unmanaged: "dim",
  config_missing: "red",
  error: "red",
};

/** The lines of `daemon list`. */
export function projectLines(
  { projects }: Result<"project.list">,
  options: RenderOptions,
): string[] {
  if (projects.length === 0) return ["No projects registered"];
  const rows = projects.map((project): Cell[] => [
    project.session,
    { text: project.state, style: STATE_STYLES[project.state] ?? "plain" },
    String(project.running_count ?? "?"),
    String(project.task_count ?? "?"),
    project.public_count === undefined
      ? ""
      : { text: String(project.public_count), style: "yellow" },
    project.config_path,
  ]);
  return tableLines(COLUMNS, rows, {
    width: options.width,
    paint: options.paint,
    yielding: [5],
  });
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
