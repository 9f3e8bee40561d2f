/**
 * The handler of `task.wait`.
 *
 * @module
 */

import type { Params, Result } from "../../contract/mod.ts";
import type { TaskEvent } from "../../domain/event.ts";
import { parseCondition } from "../../supervisor/wait_condition.ts";
import {
  type ListenToEvents,
  waitForTasks,
  type WaitOutcome,
} from "../../supervisor/wait_action.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { CallContext } from "../dispatcher.ts";
import type { Services } from "../services.ts";

/** Waits for tasks, or for an event of their project. */
export async function waitHandler(
  services: Services,
  params: Params<"task.wait">,
  { signal, onProgress }: CallContext,
): Promise<Result<"task.wait">> {
  const condition = parseCondition(params.for);
  const { clock } = services.host;
  const began = clock.monotonic();
  await using looked = await services.projects.look(params.scope);
  const { supervisor } = looked;
  const outcomes = await waitForTasks(supervisor, {
    names: params.tasks,
    condition,
    timeoutMs: params.timeout * 1000,
    waitedMs: params.waited * 1000,
    any: params.any,
    listen: listener(services, supervisor, params.after),
  }, { signal, onProgress });
  const tookMs = clock.monotonic() - began + params.waited * 1000;
  const [project] = outcomes.filter(({ runner }) => runner === null);
  return {
    ok: true,
    for: params.for,
    waited: Math.round(tookMs) / 1000,
    met: outcomes.flatMap(({ task, isMet }) =>
      task === null || !isMet ? [] : [task]
    ),
    tasks: outcomes.flatMap(viewOutcome),
    ...project?.event === undefined ? {} : { event: { ...project.event } },
  };
}

/** Events of a project that come after the one of that number; null = from now on. */
function listener(
  { bus, store: { events } }: Services,
  project: ProjectSupervisor,
  after: number | null,
): ListenToEvents {
  const afterSeq = after ?? events.lastSeq;
  return async function* ({ task, type }, signal) {
    const home = task === null ? project : project.homeOf(task);
    const filter = { session: home.projectId, types: [type] };
    // Listening begins before the look back, so nothing falls between; the first one is all that is asked for.
    const live = bus.subscribe(filter, signal);
    const isWanted = (event: TaskEvent): boolean =>
      task === null || event.task === task;
    yield* events.list({ ...filter, afterSeq, limit: 0 }).events
      .filter(isWanted);
    for await (const event of live) {
      if (!("gap" in event) && isWanted(event)) yield event;
    }
  };
}

function viewOutcome(
  { task, runner, isMet, line, event }: WaitOutcome,
): Result<"task.wait">["tasks"] {
  if (task === null || runner === null) return [];
  const { state, run } = runner.snapshot();
  return [{
    task,
    state,
    met: isMet,
    pid: run?.pid ?? null,
    port: run?.port ?? null,
    ...line === undefined ? {} : { line },
    ...event === undefined ? {} : { event: { ...event } },
  }];
}
