/**
 * The answer of `health` for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { RenderOptions } from "./status.ts";
import { type Cell, tableLines } from "./table.ts";
import { plainText } from "./text.ts";

const COLUMNS = [
  { title: "Health" },
  { title: "Task" },
  { title: "Method" },
  { title: "Reason", min: 12 },
];

/** The lines of `health`. */
export function healthLines(
  health: Result<"task.health">,
  options: RenderOptions,
): string[] {
  const done = health.completed_count;
  const summary =
    `Health: ${health.healthy_count}/${health.total_count} tasks healthy${
      done === 0 ? "" : `, ${done} completed`
    }`;
  if (health.tasks.length === 0) return [summary];
  const rows = health.tasks.map(({ name, healthy, method, reason }): Cell[] => [
    wordOf(healthy),
    name,
    method,
    plainText(reason ?? ""),
  ]);
  return [
    ...tableLines(COLUMNS, rows, {
      width: options.width,
      paint: options.paint,
      yielding: [3],
    }),
    "",
    summary,
  ];
}

function wordOf(healthy: boolean | null): Cell {
  if (healthy === null) return { text: "Completed", style: "dim" };
  return healthy
    ? { text: "Healthy", style: "green" }
    : { text: "Unhealthy", style: "red" };
}
