/**
 * `taskmux prune`
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { needDaemon, requireDaemon } from "../daemon_access.ts";

/** Tells and removes leftovers. */
export const prune = command({
  usage: "[--apply]",
  about: "Looks for projects whose file is gone, processes without an owner, " +
    "ports nobody needs and\nlogs of nobody. Only what is provably of taskmux " +
    "is ever ended.",
  options: {
    apply: { type: "boolean", summary: "Remove what was found" },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux prune", "See what is left over"],
    ["taskmux prune --apply", "Remove it"],
  ],
  async run(context, { values }) {
    await using client =
      await (values.apply ? needDaemon(context) : requireDaemon(context));
    const result = await client.call("project.prune", { apply: values.apply });
    await context.output.answer(result, () => pruneLines(result));
    return EXIT.ok;
  },
});

function pruneLines({ report, applied }: Result<"project.prune">): string[] {
  const lines = [
    ...report.stale_registry.map(({ session, reason }) =>
      `stale project: ${session} (${reason})`
    ),
    ...report.leaked_processes.map(({ session, task, pid, reason }) =>
      `leaked process: ${session}/${task} pid ${pid} (${reason})`
    ),
    ...report.stale_leases.map(({ session, task, port }) =>
      `stale port: ${session}/${task} port ${port}`
    ),
    ...report.orphan_log_dirs.map((path) => `orphan logs: ${path}`),
  ];
  if (lines.length === 0) return ["Nothing is left over"];
  return [
    ...lines,
    applied ? "All of it was removed" : '"taskmux prune --apply" removes it',
  ];
}
