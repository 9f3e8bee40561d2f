/**
 * How it is now with what tunnels depend on: their tasks, their programs and the file.
 *
 * @module
 */

import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { TunnelRecord } from "./tunnel_notes.ts";
import { isWorking } from "./tunnel_process.ts";
import type { TaskFacts } from "./tunnel_verdict.ts";

/** What decides of a task whether its tunnel may be open. */
export function taskFacts(project: ProjectSupervisor, task: string): TaskFacts {
  const runner = project.own(task);
  const inFile = project.spec.tasks.get(task) ?? null;
  const isGone = runner === null || (inFile === null && !runner.isAdHoc);
  return {
    machine: isGone ? null : runner.machine,
    isRestarting: project.pending.has("restart", task),
    inFile,
  };
}

/** A text that differs when there is reason to look at the tunnels again. O(records). */
export function moodOf(
  project: ProjectSupervisor,
  records: readonly Pick<TunnelRecord, "task" | "process">[],
): string {
  return records.map(({ task, process }) => {
    const { machine, inFile, isRestarting } = taskFacts(project, task);
    const program = process === null ? null : project.own(process);
    const { state, run } = program?.snapshot() ?? {};
    return [
      machine?.phase.status,
      isRestarting,
      inFile?.tunnel,
      inFile?.publicHostname,
      state,
      run?.runId,
      program !== null && isWorking(program),
    ].join(" ");
  }).join("\n");
}
