/**
 * `taskmux remove`
 *
 * @module
 */

import type { Client } from "../../client/client.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { findOrReviveDaemon } from "../daemon_access.ts";
import {
  canEdit,
  editProject,
  planEdit,
  removalOf,
} from "../../config/edit_project.ts";
import { type ProjectScope, projectScope } from "../project.ts";
import { refuseSudo } from "../sudo.ts";

/** Stops a task and takes it out of the file. */
export const remove = command({
  usage: "TASK",
  about: "Comments and layout of the rest of the file stay as they are. A " +
    "task that another one depends on\nis neither stopped nor removed.",
  options: {},
  positionals: { min: 1, max: 1 },
  examples: [["taskmux remove worker", "Stop it, then remove it"]],
  async run(context, { positionals }) {
    refuseSudo(context.user, "remove a task");
    const scope = projectScope(context);
    const task = positionals[0]!;
    const edit = removalOf(task);
    // Nothing may be stopped before it is certain that it can be removed.
    const file = { config: scope.config, home: context.env()["HOME"] };
    const isInFile = await canEdit(file, edit);
    await using client = await findOrReviveDaemon(context);
    const stopped = client !== null &&
      await stopTask(client, { scope, task, isInFile });
    const edited = isInFile ? await editProject(file, edit) : null;
    if (edited === null && client === null) await planEdit(file, edit);
    const { refreshBlocks } = await import(
      "../../agents/refresh_blocks.ts"
    );
    const { outcomes, warnings } = edited === null
      ? { outcomes: [], warnings: [] }
      : await refreshBlocks(context.paths.hostConfig, edited.after);
    const { output } = context;
    await output.answer(
      {
        ok: true,
        task,
        action: "removed",
        stopped,
        warnings,
        agent_files_rewritten: outcomes.map(({ path }) => path),
      },
      () => [`Removed task "${task}"${stopped ? " after stopping it" : ""}`],
    );
    const { warningLines } = await import("../render/status.ts");
    await output.notes(warningLines(warnings, output.paintError));
    return EXIT.ok;
  },
});

/** Whether it ran. An ad-hoc task is forgotten by the daemon as well. */
async function stopTask(
  client: Client,
  { scope, task, isInFile }: {
    readonly scope: ProjectScope;
    readonly task: string;
    readonly isInFile: boolean;
  },
): Promise<boolean> {
  try {
    const result = await client.call("project.remove_task", { scope, task });
    return result.stopped;
  } catch (error) {
    // The daemon may not know a task that was never started, nor its project.
    const isUnknown = isInFile && error instanceof TaskmuxError &&
      (error.code === "E200" || error.code === "E303");
    if (isUnknown) return false;
    throw error;
  }
}
