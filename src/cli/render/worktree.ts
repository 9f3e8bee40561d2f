/**
 * The answers of `worktree` for people.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import type { RenderOptions } from "./status.ts";
import { type Cell, tableLines } from "./table.ts";
import { plainText } from "./text.ts";

const COLUMNS = [
  { title: "Session" },
  { title: "Branch", min: 8 },
  { title: "Running" },
  { title: "State" },
  { title: "URL", min: 16 },
  { title: "Path", min: 16 },
];

/** Paths and addresses give way first. */
const YIELDING = [5, 4, 1];

/** Columns of the names in the list of addresses. */
const NAME_COLUMNS = 15;

/** The lines of `worktree list`. */
export function worktreeTable(
  { worktrees }: Result<"worktree.list">,
  { width, paint }: RenderOptions,
): string[] {
  const rows = worktrees.map((row): Cell[] => [
    row.session ?? { text: "(not registered)", style: "dim" },
    plainText(row.branch ?? "(detached)"),
    row.running === null ? "" : String(row.running),
    stateOf(row),
    row.url ?? "",
    plainText(row.path),
  ]);
  return tableLines(COLUMNS, rows, { width, paint, yielding: YIELDING });
}

function stateOf(
  { primary, locked, prunable }: Result<"worktree.list">["worktrees"][number],
): string {
  const words = [
    primary ? "primary" : "",
    locked ? "locked" : "",
    prunable ? "gone" : "",
  ];
  return words.filter((word) => word !== "").join(", ");
}

/** The lines of `worktree status`. */
export function worktreeLines(status: Result<"worktree.status">): string[] {
  const path = status.worktree_path;
  const isPrimary = path !== null && !status.is_linked;
  return [
    `Project:    ${status.project}`,
    `Project ID: ${status.project_id}`,
    `Worktree:   ${
      status.worktree ??
        (path === null ? "(no repo)" : isPrimary ? "(primary)" : "(unnamed)")
    }`,
    `Branch:     ${
      path === null
        ? "(no repo)"
        : plainText(status.branch ?? "") || "(detached)"
    }`,
    `Path:       ${plainText(path ?? "") || "(no repo)"}`,
    ...status.url === null ? [] : [`URL:        ${status.url}`],
  ];
}

/** The lines of `worktree urls`. */
export function urlLines({ urls }: Result<"worktree.urls">): string[] {
  if (urls.length === 0) return ["Nothing of this worktree has an address now"];
  return urls.flatMap(({ task, url, public_url: publicUrl }) => [
    `${task.padEnd(NAME_COLUMNS)} ${url}`,
    ...publicUrl === null
      ? []
      : [`${"".padEnd(NAME_COLUMNS)} ${publicUrl} (public)`],
  ]);
}
