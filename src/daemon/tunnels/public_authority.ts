/**
 * Which `Host` a public task is asked under.
 *
 * @module
 */

import { CATCH_ALL } from "../../domain/host_name.ts";
import { taskUrl } from "../../domain/task_url.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";

/** Its own local name, for which it is set up; `localhost` with its port if it has none. */
export function publicAuthority(
  project: ProjectSupervisor,
  task: string,
): string {
  const runner = project.own(task);
  const host = runner?.spec.host ?? null;
  const url = runner === null ? null : taskUrl({
    host: host === CATCH_ALL ? null : host,
    port: project.portOf(runner),
    projectId: project.projectId,
    proxy: project.host.proxy(),
  });
  return url === null ? "localhost" : new URL(url).host;
}
