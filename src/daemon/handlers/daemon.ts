/**
 * Handlers of the operations on the daemon.
 *
 * @module
 */

import { VERSION } from "../../contract/wire.ts";
import type { Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";

/** See the module. */
export function daemonHandlers(
  services: Services,
): Pick<Handlers, "daemon.ping" | "daemon.status" | "daemon.stop"> {
  return {
    "daemon.ping": () =>
      Promise.resolve({ ok: true, pid: Deno.pid, version: VERSION }),
    "daemon.status": async () => {
      const running = services.projects.all.flatMap((project) =>
        project.supervisor?.runners ?? []
      ).filter((runner) => runner.snapshot().run !== null);
      const { pid, version, protocol } = services.keeper.hello;
      return {
        ok: true,
        running: true,
        pid: Deno.pid,
        version: VERSION,
        started_at: services.startedAt / 1000,
        api_port: services.apiPort(),
        registered_projects: (await services.registry.list()).length,
        running_tasks: running.length,
        keeper: { pid, version, protocol },
        proxy: { enabled: false },
        dns: { resolver: services.config.hostResolver, active: false },
        warnings: services.warnings(),
      };
    },
    "daemon.stop": async ({ keep_tasks: keepTasks }) => {
      const stopped = await services.shutDown({ keepTasks });
      return { ok: true, pid: Deno.pid, stopped };
    },
  };
}
