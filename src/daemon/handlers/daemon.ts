/**
 * Handlers of the operations on the daemon.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { isTunnelProgram } from "../../domain/tunnel.ts";
import { VERSION } from "../../contract/wire.ts";
import { findUnits } from "../../service/unit_file.ts";
import type { Handlers } from "../dispatcher.ts";
import { frontDetails } from "../front_view.ts";
import type { Services } from "../services.ts";
import type { ShutDownReport } from "../shut_down.ts";

/** See the module. */
export function daemonHandlers(
  services: Services,
): Pick<
  Handlers,
  "daemon.ping" | "daemon.status" | "daemon.examine" | "daemon.stop"
> {
  return {
    "daemon.ping": () =>
      Promise.resolve({
        ok: true,
        pid: Deno.pid,
        version: VERSION,
        managed: services.isService,
        needs_root: services.front.needsRoot,
      }),
    "daemon.status": async () => {
      const running = services.projects.all.flatMap((project) =>
        project.supervisor?.ownRunners ?? []
      ).filter((runner) =>
        runner.snapshot().run !== null && !isTunnelProgram(runner.spec)
      );
      const exposed = services.tunnels.all().filter(({ view }) => view.public);
      const { pid, hello: { version, protocol } } = services.keeper;
      return {
        ok: true,
        running: true,
        pid: Deno.pid,
        version: VERSION,
        started_at: services.startedAt / 1000,
        api_port: services.apiPort(),
        registered_projects: (await services.registry.list()).length,
        running_tasks: running.length,
        public_tasks: exposed.length,
        keeper: { pid, version, protocol },
        service: {
          managed: services.isService,
          units: await findUnits(services.environment(), Deno.build.os),
        },
        proxy: frontDetails(services.front),
        dns: services.resolution.summary,
        is_root: services.isRoot,
        warnings: services.warnings(),
      };
    },
    "daemon.examine": async () => {
      const { examine } = await import("../examine.ts");
      return { ok: true, checks: await examine(services) };
    },
    "daemon.stop": async ({ keep_tasks: keepTasks }) => {
      const { stopped, left } = await services.shutDown({ keepTasks });
      if (left.length > 0) throw notAllStopped(stopped, left);
      return { ok: true, pid: Deno.pid, stopped: [...stopped] };
    },
  };
}

/** The daemon ends all the same; who starts the next one can see what is left, and end it. */
function notAllStopped(
  stopped: ShutDownReport["stopped"],
  left: ShutDownReport["left"],
): TaskmuxError {
  const what = left.map(({ task, reason }) => `${task} (${reason})`);
  return new TaskmuxError(
    "E900",
    `Cannot stop every task: something of ${what.join(", ")} may still run`,
    {
      hint: "taskmux daemon start, then taskmux status: the daemon has ended",
      details: { pid: Deno.pid, stopped: [...stopped], left: [...left] },
    },
  );
}
