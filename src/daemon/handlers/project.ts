/**
 * Handlers of the operations on projects.
 *
 * @module
 */

import { clientVariables } from "../../domain/client_variables.ts";
import type { Params } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { isTunnelProgram } from "../../domain/tunnel.ts";
import { projectVariables } from "../../domain/variable_names.ts";
import { projectFacts } from "../../supervisor/environment.ts";
import { stopAll } from "../../supervisor/stop_action.ts";
import { cleanUp } from "../clean_up.ts";
import { freshBundle } from "../client_bundle.ts";
import type { Handlers } from "../dispatcher.ts";
import { activeTasks } from "../project_view.ts";
import { expectedProxy } from "../front_view.ts";
import { prune } from "../prune.ts";
import type { Services } from "../services.ts";

type ProjectHandlers = Pick<
  Handlers,
  | "project.list"
  | "project.register"
  | "project.unregister"
  | "project.env"
  | "project.secrets"
  | "project.clean"
  | "project.prune"
>;

/** See the module. */
export function projectHandlers(services: Services): ProjectHandlers {
  const { projects, registry } = services;
  return {
    "project.list": () => listProjects(services),
    "project.register": async ({ config, force }) => {
      const project = await projects.register(config, { force });
      const entry = await registry.get(project.id);
      return {
        ok: true,
        action: "registered",
        entry: {
          session: project.id,
          config_path: project.configPath,
          registered_at: entry?.registeredAt ?? new Date(0).toISOString(),
        },
      };
    },
    "project.unregister": async ({ session }, { signal }) => {
      const project = projects.requireSession(session);
      const { supervisor } = project;
      const stopped = supervisor === null ? [] : activeTasks(supervisor);
      if (supervisor !== null && stopped.length > 0) {
        await stopAll(supervisor, "shutdown", { signal });
      }
      await projects.unregister(session);
      return { ok: true, action: "unregistered", session, stopped };
    },
    "project.secrets": async ({ scope }, { reveal }) => {
      if (!reveal) throw mayNotSee();
      return { ok: true, values: [...await services.secrets.of(scope)] };
    },
    "project.env": (params) => environmentOf(services, params),
    "project.clean": async (params, { signal }) =>
      await cleanUp(services, params, signal),
    "project.prune": async ({ apply }) => await prune(services, apply),
  };
}

async function environmentOf(
  services: Services,
  { scope, prefix, urls }: Params<"project.env">,
): ReturnType<ProjectHandlers["project.env"]> {
  await using looked = await services.projects.look(scope);
  const facts = projectFacts({
    ...await looked.supervisor.projectFacts(),
    proxy: expectedProxy(services),
  });
  const variables = projectVariables(facts, { prefix, urls });
  const bundle = await freshBundle(services);
  const trust = bundle === null ? {} : clientVariables(bundle);
  return { ok: true, env: { ...variables, ...trust } };
}

function mayNotSee(): TaskmuxError {
  return new TaskmuxError(
    "E500",
    "Cannot tell secrets: the caller did not ask to see any",
    { hint: "Ask with reveal" },
  );
}

async function listProjects(
  services: Services,
): ReturnType<ProjectHandlers["project.list"]> {
  const entries = await services.registry.list();
  const rows = entries.map((entry) => {
    const project = services.projects.find(entry.id);
    const supervisor = project?.supervisor ?? null;
    const running = supervisor?.ownRunners.filter((runner) =>
      runner.snapshot().run !== null && !isTunnelProgram(runner.spec)
    ).length ?? null;
    return {
      session: entry.id,
      config_path: entry.configPath,
      registered_at: entry.registeredAt,
      state: project?.state ?? "unmanaged" as const,
      session_exists: (running ?? 0) > 0,
      task_count: supervisor?.runners.filter((runner) =>
        !isTunnelProgram(runner.spec)
      ).length ?? null,
      running_count: running,
      ...publicCount(services, entry.id),
      ...(project?.error ? { error: project.error.error } : {}),
    };
  });
  return {
    ok: true,
    projects: rows,
    count: rows.length,
    daemon_pid: Deno.pid,
  };
}

/** How many of its tasks others can reach; nothing if none. */
function publicCount(
  { tunnels }: Services,
  id: string,
): { readonly public_count?: number } {
  const count = tunnels.all(id).filter(({ view }) => view.public).length;
  return count === 0 ? {} : { public_count: count };
}
