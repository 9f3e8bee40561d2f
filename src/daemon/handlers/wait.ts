/**
 * The handler of `task.wait`.
 *
 * @module
 */

import type { Params, Result } from "../../contract/mod.ts";
import { parseCondition } from "../../supervisor/wait_condition.ts";
import {
  type ListenToEvents,
  waitForTasks,
  type WaitOutcome,
} from "../../supervisor/wait_action.ts";
import type { CallContext } from "../dispatcher.ts";
import type { Services } from "../services.ts";
import { eventsAfter } from "./event.ts";

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
    listen: listener(services, supervisor.projectId, params.cursor),
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

/** Events of a project that come after the cursor; without one, from now on. */
function listener(
  services: Services,
  session: string,
  cursor: string | null,
): ListenToEvents {
  const after = cursor ?? String(services.store.events.lastSeq);
  return async function* ({ task, type }, signal) {
    const filter = { session, task, types: [type] };
    for await (const item of eventsAfter(services, filter, { after, signal })) {
      if (!("gap" in item)) yield item;
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
