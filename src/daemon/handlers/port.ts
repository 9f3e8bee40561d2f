/**
 * Handlers of the operations on ports.
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { viewHolders } from "../../domain/port_view.ts";
import type { Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";

type Who = Result<"port.who">;

/** See the module. */
export function portHandlers(services: Services): Pick<Handlers, "port.who"> {
  return {
    "port.who": async ({ port }) => {
      const found = await services.keeper.request("holders", { port });
      const runs = services.store.runs.live();
      const view = viewHolders(found, {
        ownerOf: (id) => runs.find(({ runId }) => runId === id) ?? null,
        daemonPid: Deno.pid,
      });
      return { ok: true, port, ...view, lease: leaseOf(services, port) };
    },
  };
}

/** The task that has the port, else the first one whose definition asks for it. */
function leaseOf({ store, projects }: Services, port: number): Who["lease"] {
  const lease = store.leases.holderOf(port);
  if (lease !== null) {
    const { session, task } = lease;
    const supervisor = projects.find(session)?.supervisor ?? null;
    const spec = supervisor?.own(task)?.spec;
    const fixed = supervisor === null ? null : spec?.port === port;
    return { session, task, fixed };
  }
  for (const { supervisor } of projects.all) {
    const runner = supervisor?.ownRunners.find(({ spec }) =>
      spec.port === port
    );
    if (supervisor !== null && runner !== undefined) {
      return { session: supervisor.projectId, task: runner.name, fixed: true };
    }
  }
  return null;
}
