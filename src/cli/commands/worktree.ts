/**
 * `taskmux worktree list`, `worktree status` and `worktree urls`
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { folderOf } from "../../kit/path.ts";
import { command } from "../command.ts";
import { askOrRead } from "../daemon_access.ts";
import { projectScope } from "../project.ts";
import { warningLines } from "../render/status.ts";
import { urlLines, worktreeLines, worktreeTable } from "../render/worktree.ts";

/** Lists the checkouts of the repository. */
export const worktreeList = command({
  usage: "",
  about: "Lists the checkouts of the repository that this folder is in, " +
    "with the projects that taskmux knows there.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux worktree list", "Every checkout and what runs there"]],
  async run(context) {
    const { output } = context;
    const folder = context.config === null
      ? context.folder
      : folderOf(context.config);
    const result = await askOrRead(
      context,
      ["worktree.list", { folder }],
      async () => {
        const { readWorktrees } = await import("../../offline/worktree.ts");
        return await readWorktrees(context, folder);
      },
    );
    await output.answer(result, () => worktreeTable(result, output));
    await output.notes(warningLines(result.warnings ?? [], output.paintError));
    return EXIT.ok;
  },
});

/** Tells what this checkout is. */
export const worktreeStatus = command({
  usage: "",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux worktree status", "What this checkout is called"]],
  async run(context) {
    const scope = projectScope(context);
    const result = await askOrRead(
      context,
      ["worktree.status", { scope }],
      async () => {
        const { readWorktreeStatus } = await import(
          "../../offline/worktree.ts"
        );
        return await readWorktreeStatus(context, scope.config);
      },
    );
    await context.output.answer(result, () => worktreeLines(result));
    return EXIT.ok;
  },
});

/** Tells every address of this checkout. */
export const worktreeUrls = command({
  usage: "",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux worktree urls", "Every address of this checkout"]],
  async run(context) {
    const scope = projectScope(context);
    const result = await askOrRead(
      context,
      ["worktree.urls", { scope }],
      async () => {
        const { readWorktreeUrls } = await import("../../offline/worktree.ts");
        return await readWorktreeUrls(context, scope.config);
      },
    );
    await context.output.answer(result, () => urlLines(result));
    return EXIT.ok;
  },
});
