/**
 * Handler of the digest of what went wrong.
 *
 * @module
 */

import type { Params, Result } from "../../contract/mod.ts";
import { Semaphore } from "../../kit/semaphore.ts";
import { answerErrors } from "../../logs/digest/answer_errors.ts";
import type { DigestSource } from "../../logs/digest/digest_logs.ts";
import { logTarget } from "../../supervisor/launch_run.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { CallContext, Handlers } from "../dispatcher.ts";
import { logSecrets } from "../log_secrets.ts";
import type { Services } from "../services.ts";
import { timeOf } from "./event.ts";

/** Most of the logs that the daemon reads for a digest; who wants more reads the files. About half a second of work. */
const MAX_DIGEST_BYTES = 8 * 1024 * 1024;

/** See the module. */
export function logErrorHandlers(
  services: Services,
): Pick<Handlers, "log.errors"> {
  // Digests are the heaviest of all questions. One at a time leaves turns for the others.
  const digests = new Semaphore(1);
  return {
    "log.errors": (params, context) =>
      digests.run(context.signal, () => digest(services, params, context)),
  };
}

async function digest(
  services: Services,
  params: Params<"log.errors">,
  context: CallContext,
): Promise<Result<"log.errors">> {
  await using looked = await services.projects.look(params.scope);
  const { supervisor } = looked;
  const now = services.host.clock.now();
  const answer = await answerErrors({
    sources: sourcesOf(supervisor, params.tasks),
    root: supervisor.spec.root,
    sinceMs: params.since === null ? null : timeOf(params.since, now),
    untilMs: params.until === null ? null : timeOf(params.until, now),
    cursor: params.cursor,
    nowMs: now,
    maxBytes: MAX_DIGEST_BYTES,
    secrets: await logSecrets(services, params.scope, context),
    signal: context.signal,
  }, params);
  return {
    ...answer,
    groups: answer.groups.map((group) => ({
      ...group,
      sample: [...group.sample],
    })),
  };
}

function sourcesOf(
  project: ProjectSupervisor,
  tasks: readonly string[],
): DigestSource[] {
  const runners = tasks.length === 0
    ? project.runners
    : [...new Set(tasks)].map((task) => project.runner(task));
  return runners.map(({ name, spec }) => ({
    task: name,
    path: logTarget(
      spec,
      project.host.logFile(project.homeOf(name).projectId, name),
    ).path,
    folder: spec.cwd,
  }));
}
