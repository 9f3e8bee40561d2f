/**
 * Public names for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { TunnelState } from "../../domain/tunnel.ts";
import { systemClock } from "../../kit/clock.ts";
import { formatDuration } from "../../kit/duration.ts";
import type { Paint, Style } from "./paint.ts";
import { type Cell, tableLines, type TableOptions } from "./table.ts";
import { plainText } from "./text.ts";

const COLUMNS = [
  { title: "Project" },
  { title: "Task" },
  { title: "Backend" },
  { title: "State" },
  { title: "URL", min: 16 },
  { title: "Access" },
  { title: "Expires" },
  { title: "Requests" },
  { title: "Note", min: 12 },
];

/** Note, expiry, requests, project, URL. */
const YIELDING = [8, 6, 7, 0, 4];

const STYLES: Readonly<Record<TunnelState, Style>> = {
  opening: "yellow",
  open: "green",
  failing: "red",
  waiting: "dim",
  off: "dim",
};

/** The lines of `tunnel status`. */
export function tunnelLines(
  { tunnels }: Pick<Result<"tunnel.status">, "tunnels">,
  { width, paint }: Pick<TableOptions, "width" | "paint">,
): string[] {
  if (tunnels.length === 0) return ["No tunnels."];
  const rows = tunnels.map((tunnel): Cell[] => [
    tunnel.session,
    tunnel.task,
    tunnel.backend,
    { text: tunnel.state, style: STYLES[tunnel.state] },
    tunnel.public_url ?? tunnel.public_hostname ?? "",
    accessText(tunnel),
    expiryText(tunnel.expires_at),
    tunnel.refused === 0
      ? String(tunnel.requests)
      : `${tunnel.requests} (${tunnel.refused} refused)`,
    plainText(tunnel.reason ?? originNote(tunnel)),
  ]);
  return tableLines(COLUMNS, rows, { width, paint, yielding: YIELDING });
}

type Listed = Result<"tunnel.status">["tunnels"][number];

/** Not "open", which is a state, too. */
function accessText({ access, reach }: Listed): string {
  const who = access === "open"
    ? "everybody"
    : access === "basic"
    ? "password"
    : "link";
  return reach === "tailnet" ? `${who}, tailnet` : who;
}

/** Where the user's own program has to lead. */
function originNote({ backend, origin }: Listed): string {
  return backend === "noop" && origin !== null ? `lead it to ${origin}` : "";
}

/** The lines of `tunnel up`. The address comes first, alone on its line. */
export function openedLines(
  result: Result<"tunnel.up">,
  { paint }: { readonly paint: Paint },
): string[] {
  const { task, tunnel, public_url: url } = result;
  const lines = [
    paint("bold", url),
    `${
      tunnel.reach === "tailnet"
        ? "Your tailnet reaches"
        : "Public: it leads to"
    } task "${task}", ${admissionText(result)}`,
  ];
  if (result.password !== null) {
    lines.push(`Password: ${result.password}  # told only now`);
  }
  if (result.link !== null) lines.push(`Link: ${result.link}  # told only now`);
  if (tunnel.expires_at !== null) {
    lines.push(`Closes by itself in ${expiryText(tunnel.expires_at)}`);
  }
  if (tunnel.backend === "noop" && tunnel.origin !== null) {
    lines.push(`Lead it to ${tunnel.origin} yourself: noop opens nothing`);
  }
  return [...lines, `Close it: taskmux tunnel down ${task}`];
}

/** The lines of `tunnel down`. */
export function closedLines({ closed }: Result<"tunnel.down">): string[] {
  if (closed.length === 0) return ["No tunnels."];
  return closed.map((task) => `Closed: nobody outside reaches "${task}" now`);
}

/** The lines of `tunnel link`. */
export function linkLines(
  { link, expires_at }: Result<"tunnel.link">,
): string[] {
  return [
    link,
    `Lets one browser in, within ${expiryText(expires_at)}; told only now`,
  ];
}

function admissionText(
  { tunnel, user, link }: Pick<Result<"tunnel.up">, "tunnel" | "user" | "link">,
): string {
  switch (tunnel.access) {
    case "open":
      return "and everybody is let in";
    case "basic":
      return `and user "${user ?? ""}" is let in with a password`;
    case "link":
      return link === null
        ? "and browsers that were given a link are let in"
        : "and one browser is let in with this link";
  }
}

function expiryText(at: number | null): string {
  return at === null
    ? ""
    : formatDuration(Math.ceil((at * 1000 - systemClock.now()) / 1000) * 1000);
}
