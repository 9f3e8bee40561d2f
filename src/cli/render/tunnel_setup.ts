/**
 * Setting up public names, for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { Paint } from "./paint.ts";
import { tableLines, type TableOptions } from "./table.ts";
import { plainText } from "./text.ts";

type Check = Result<"tunnel.test">["preflight"]["checks"][number];

/** One line for each check, and one with the remedy of each that failed. */
export function checkLines(
  checks: readonly Check[],
  paint: Paint,
): string[] {
  return checks.flatMap(({ name, ok, detail, fix }) => [
    `${paint(ok ? "green" : "red", ok ? "ok  " : "FAIL")} ${name}: ${
      plainText(detail)
    }`,
    ...fix === null ? [] : [`     fix: ${plainText(fix)}`],
  ]);
}

/** The lines of `tunnel enable`. */
export function enabledLines(
  result: Result<"tunnel.enable">,
  { paint }: { readonly paint: Paint },
): string[] {
  const { preflight, plan, done, dry_run: isDry } = result;
  if (!preflight.ok) return checkLines(preflight.checks, paint);
  if (isDry) {
    return [
      ...checkLines(preflight.checks, paint),
      ...plan.length === 0
        ? ["Nothing would be changed: it is so already"]
        : ["Would be changed:", ...plan.map((step) => `  ${step}`)],
    ];
  }
  return [
    ...done.map((step) => `Done: ${step}`),
    ...result.tunnels.map(({ task, state, public_url, reason }) =>
      state === "open"
        ? `${public_url}  leads to task "${task}" now`
        : `Task "${task}": ${state}${
          reason === null ? "" : `, ${plainText(reason)}`
        }`
    ),
    ...result.ok ? ["Take it back: taskmux tunnel disable"] : [],
  ];
}

/** The lines of `tunnel disable`. */
export function disabledLines(result: Result<"tunnel.disable">): string[] {
  const { tasks_disabled: tasks, removed, left } = result;
  return [
    ...tasks.length === 0 && removed.length === 0
      ? ["No task has a tunnel"]
      : [],
    ...tasks.map((task) => `Disabled the tunnel of task "${task}"`),
    ...removed.map((thing) => `Removed: ${plainText(thing)}`),
    ...left.map((thing) => `Left: ${plainText(thing)}`),
  ];
}

/** What went wrong, of an answer that tells what was done as well. For stderr. */
export function failureLines(
  { ok, error, error_code, hint }: {
    readonly ok: boolean;
    readonly error: string | null;
    readonly error_code?: string | undefined;
    readonly hint?: string | undefined;
  },
  paint: Paint,
): string[] {
  if (ok || error === null) return [];
  const code = error_code === undefined ? "" : ` [${error_code}]`;
  return [
    `${paint("red", `Error${code}:`)} ${plainText(error)}`,
    ...hint === undefined ? [] : [`hint: ${plainText(hint)}`],
  ];
}

/** The lines of `tunnel config`. */
export function configLines(
  result: Result<"tunnel.config">,
  { width, paint }: Pick<TableOptions, "width" | "paint">,
): string[] {
  const { effective, global, tasks } = result;
  const keys = ["account_id", "zone_id", "tunnel_name", "api_token"] as const;
  const rows = keys.map((key) => {
    const { value, source } = effective[key];
    const shown = key === "api_token" && source === "global"
      ? global.api_token
      : value;
    return [key, shown ?? "—", placeOf(result, source)];
  });
  const columns = [{ title: "Task" }, { title: "Tunnel" }, {
    title: "Public name",
    min: 16,
  }, { title: "URL", min: 16 }];
  return [
    ...tableLines(
      [{ title: "Key" }, { title: "Value", min: 12 }, { title: "From" }],
      rows,
      { width, paint, yielding: [1] },
    ),
    ...tasks.length === 0 ? [] : [
      "",
      ...tableLines(
        columns,
        tasks.map((task) => [
          task.name,
          task.tunnel ?? "",
          task.public_hostname ?? "",
          task.public_url ?? "",
        ]),
        { width, paint, yielding: [3, 2] },
      ),
    ],
    "",
    `cloudflared: ${
      result.cloudflared_in_path ? "on the PATH" : "not on the PATH"
    }`,
    `${result.global_config_path}: ${
      result.config_file_mode === null
        ? "does not exist"
        : `mode ${result.config_file_mode}`
    }`,
  ];
}

function placeOf(
  { config_path, global_config_path, global }: Result<"tunnel.config">,
  source: string | null,
): string {
  switch (source) {
    case "project":
      return config_path;
    case "global":
      return global_config_path;
    case "env":
      return `$${global.api_token_env}`;
    case "default":
      return "(default)";
    default:
      return "";
  }
}
