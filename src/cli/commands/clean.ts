/**
 * `taskmux clean`
 *
 * @module
 */

import type { ParamsInput, Result } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { needDaemon, requireDaemon } from "../daemon_access.ts";
import { projectScope } from "../project.ts";

/** How long the daemon, which has no tasks any more, may take to end. */
const END_TIMEOUT_MS = 30_000;

type What = ParamsInput<"project.clean">["what"][number];

const QUESTIONS: Partial<Record<What, string>> = {
  project: "Delete logs and state of this project and forget it?",
  all: "Delete everything taskmux knows, of every project?",
};

/** Deletes what taskmux has written. */
export const clean = command({
  usage: "[--logs] [--events] [--certs] [--all] [--dry-run] [--yes] [--force]",
  about: "Without a kind: logs and state of this project, and its " +
    "registration. Nothing is deleted while\ntasks run, unless forced. " +
    "The configuration is never touched.\n--all ends the daemon, too.",
  options: {
    logs: { type: "boolean", summary: "Log files of this project" },
    events: { type: "boolean", summary: "The history of events" },
    certs: { type: "boolean", summary: "Certificates of this project" },
    all: { type: "boolean", summary: "Everything but the settings" },
    "dry-run": { type: "boolean", summary: "Only tell what would be deleted" },
    yes: { type: "boolean", short: "y", summary: "Do not ask" },
    force: { type: "boolean", summary: "Even while tasks run" },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux clean --dry-run", "See what would go"],
    ["taskmux clean --logs", "Delete the logs of this project"],
    ["taskmux clean --all --yes", "Begin anew"],
  ],
  async run(context, { values }) {
    const kinds = (["logs", "events", "certs", "all"] as const)
      .filter((kind) => values[kind]);
    const what: What[] = kinds.length === 0 ? ["project"] : [...kinds];
    const isOfProject = what.some((kind) =>
      kind !== "all" && kind !== "events"
    );
    const scope = isOfProject ? projectScope(context) : undefined;
    const dryRun = values["dry-run"];
    if (!values.yes && !dryRun && !confirmed(what, context)) {
      await context.output.lines(["Aborted"]);
      return EXIT.failure;
    }
    const params = {
      ...scope === undefined ? {} : { scope },
      what,
      dry_run: dryRun,
      force: values.force,
    };
    await using client =
      await (dryRun ? requireDaemon(context) : needDaemon(context));
    const result = await client.call("project.clean", params);
    if (what.includes("all") && !dryRun) {
      await removeRest(context, result.reports["all"]?.deleted ?? []);
    }
    await context.output.answer(result, () => reportLines(result));
    return EXIT.ok;
  },
});

/** What the daemon itself needs goes with it. Adds the paths to those that were deleted. */
async function removeRest(context: Context, deleted: string[]): Promise<void> {
  const { stopDaemon } = await import("../stop_daemon.ts");
  const { removeState } = await import("../../offline/remove_state.ts");
  const signal = AbortSignal.timeout(END_TIMEOUT_MS);
  await stopDaemon(context, {
    keepTasks: false,
    timeoutMs: END_TIMEOUT_MS,
    signal,
  });
  const rest = await removeState(context.paths);
  deleted.push(...rest.filter((path) => !deleted.includes(path)));
}

/** Whether the user agrees; asked on a terminal only. */
function confirmed(what: readonly What[], { output }: Context): boolean {
  for (const kind of what) {
    const question = QUESTIONS[kind];
    if (question === undefined) continue;
    if (!output.canAsk) {
      throw new TaskmuxError(
        "E500",
        "Cannot clean: nobody can be asked, and nothing was agreed to",
        { hint: "Add --yes, or --dry-run to see what would be deleted" },
      );
    }
    if (!confirm(question)) return false;
  }
  return true;
}

function reportLines(result: Result<"project.clean">): string[] {
  const [deleted, unregistered] = result.dry_run
    ? ["Would delete", "Would unregister"]
    : ["Deleted", "Unregistered"];
  const lines = Object.entries(result.reports).flatMap(([kind, report]) => [
    ...report.deleted.map((path) => `${deleted} ${path} (${kind})`),
    ...report.skipped.map((why) => `Skipped: ${why}`),
    ...report.unregistered.map((id) => `${unregistered} "${id}" (${kind})`),
  ]);
  return lines.length === 0 ? ["Nothing to clean"] : lines;
}
