/**
 * How agents are set up, for people.
 *
 * @module
 */

import {
  type ClientReport,
  type FailedResult,
  type InstallResult,
  type McpReport,
  type NextStep,
  PROBLEMS,
  type UninstallResult,
} from "../mcp_results.ts";
import { formatDuration } from "../../kit/duration.ts";
import { SCOPE_WARNINGS, type ScopeWarning } from "../mcp_scope.ts";
import type { Output } from "../output.ts";
import type { Paint } from "./paint.ts";
import { tableLines } from "./table.ts";
import { plainText } from "./text.ts";

/** What `mcp install` did. */
export function installLines(
  { warnings, results, next: steps }: {
    readonly warnings: readonly ScopeWarning[];
    readonly results: readonly InstallResult[];
    readonly next: readonly NextStep[];
  },
  paint: Paint,
): string[] {
  const lines = warnings.map((word) => warningLine(word, paint));
  const next: string[] = [];
  for (const result of results) {
    if (!result.ok) {
      lines.push(...failureLines(result, paint));
      continue;
    }
    const { client, path, action, diff, session } = result;
    const what = session === null ? "" : ` (session ${session})`;
    const verb = {
      created: "made",
      updated: "changed",
      unchanged: "nothing to do in",
      would_create: "would make",
      would_update: "would change",
    }[action];
    lines.push(`${paint("green", "✓")} ${client}: ${verb} ${path}${what}`);
    lines.push(
      ...result.warnings.map((word) => `  ${warningLine(word, paint)}`),
      ...diff === undefined || diff === ""
        ? []
        : diff.split("\n").map((line) => `  ${plainText(line)}`),
    );
    if (diff === undefined) next.push(`  ${client}: ${result.next}`);
  }
  const todo = [...steps.map((step) => `  ${stepText(step)}`), ...next];
  return todo.length === 0 ? lines : [...lines, "Next:", ...todo];
}

/** What `mcp uninstall` did. */
export function uninstallLines(
  { results }: { readonly results: readonly UninstallResult[] },
  paint: Paint,
): string[] {
  const lines = results.flatMap((result) => {
    if (!result.ok) return failureLines(result, paint);
    const { client, path, action } = result;
    if (action === "unchanged") return [];
    const verb = action === "deleted" ? "deleted" : "taken out of";
    return [`${paint("green", "✓")} ${client}: ${verb} ${path}`];
  });
  return lines.length === 0 ? ["taskmux is in none of these settings"] : lines;
}

/** What `mcp status` found. */
export function mcpStatusLines(
  report: McpReport,
  { width, paint }: Pick<Output, "width" | "paint">,
): string[] {
  const { url, enabled, running, sessions, local, clients, next } = report;
  const { config_error, problem } = report;
  const state = !enabled
    ? "switched off (mcp.enabled is false)"
    : url ?? (running
      ? "not served, the daemon has no port"
      : "the daemon is not running");
  const inUse = clients.filter(({ state, detected }) =>
    state !== "absent" || detected
  );
  return [
    `MCP: ${plainText(state)}`,
    `Connected over HTTP: ${
      sessions.length === 0 ? "nobody" : sessions.length
    }`,
    ...sessions.length === 0 ? [] : tableLines(
      [
        { title: "Client", min: 12 },
        { title: "Project" },
        { title: "May" },
        { title: "Last call" },
      ],
      sessions.map(({ client, pin, access, idle_s }) => [
        plainText(client ?? "?"),
        pin ?? "any",
        access === "read" ? "look" : "change",
        idle_s === 0 ? "now" : `${formatDuration(idle_s * 1000)} ago`,
      ]),
      { width, paint },
    ),
    ...local === null ? [] : [`This project: ${local.session}`],
    ...inUse.length === 0
      ? ["No agent is in use here: taskmux mcp install CLIENT sets one up"]
      : tableLines(
        [
          { title: "Agent" },
          { title: "State", min: 10 },
          { title: "Settings", min: 12 },
        ],
        inUse.map((client) => [
          client.client,
          {
            text: stateText(client),
            style: client.state === "ready" ? "green" : "yellow",
          },
          client.path,
        ]),
        { width, paint, yielding: [2, 1] },
      ),
    ...problem === null || problem === undefined || !enabled
      ? []
      : [`${paint("yellow", "Warning:")} ${plainText(problem)}`],
    ...config_error === null
      ? []
      : [`${paint("yellow", "Warning:")} ${firstLine(config_error)}`],
    ...clients.flatMap(({ client, error }) =>
      error === null
        ? []
        : [`${paint("yellow", "Warning:")} ${client}: ${firstLine(error)}`]
    ),
    ...next.map((step) => `Next: ${stepText(step)}`),
  ];
}

function stepText({ command, why }: NextStep): string {
  return `${command}  # ${why}`;
}

function stateText(
  { state, problems, error, read_only }: ClientReport,
): string {
  if (error !== null) return "cannot be read";
  if (state === "absent") return "not set up";
  return problems.length === 0
    ? read_only ? `${state}, read-only` : state
    : problems.map((word) => PROBLEMS[word]).join("; ");
}

/** One warning about how an agent is set up. */
export function warningLine(word: ScopeWarning, paint: Paint): string {
  return `${paint("yellow", "Warning:")} ${SCOPE_WARNINGS[word]}`;
}

function failureLines(
  { client, error, hint }: FailedResult,
  paint: Paint,
): string[] {
  return [
    `${paint("red", "✗")} ${client}: ${firstLine(error)}`,
    ...hint === null ? [] : [`  hint: ${plainText(hint)}`],
  ];
}

/** Without the excerpt of the file, which needs a screen of its own. */
function firstLine(text: string): string {
  return plainText(text.split("\n", 1)[0]!);
}
