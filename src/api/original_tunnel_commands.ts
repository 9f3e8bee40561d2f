/**
 * Those commands of the Python original that are about public names.
 *
 * What sets them up for good takes tokens and the user's consent: whether a connection may do that at all, its operation
 * says (`admin` is for the command line only).
 *
 * @module
 */

import type { Result } from "../contract/mod.ts";
import type { Json, JsonObject } from "../kit/json.ts";
import type { Asker } from "./asker.ts";
import type { Answer, ProjectQuestion, Question } from "./original_question.ts";
import { asJson } from "./original_shapes.ts";

/** By name; about every project, or one of them. */
export const GLOBAL_TUNNEL_COMMANDS: Readonly<
  Record<string, Answer<Question>>
> = {
  tunnel_status: async ({ asker }) => ({
    ok: true,
    tunnels: await backendsOf(asker),
  }),
};

/** By name; about one project. */
export const TUNNEL_COMMANDS: Readonly<
  Record<string, Answer<ProjectQuestion>>
> = {
  tunnel_config_get: ({ asker, scope }) =>
    asker.call("tunnel.config", { scope }),
  tunnel_config_set: ({ asker, scope, params }) =>
    asker.call("tunnel.config_set", {
      scope,
      where: params["scope"] ?? "global",
      values: params["updates"] ?? {},
    }),
  tunnel_test: ({ asker, scope, params }) =>
    asker.call("tunnel.test", { scope, ...given(params, ["tasks"]) }),
  tunnel_enable: ({ asker, scope, params }) =>
    asker.call("tunnel.enable", {
      scope,
      ...given(params, [
        "backend",
        "api_token",
        "account_id",
        "zone_id",
        "tasks",
        "public_hostnames",
        "dry_run",
      ]),
    }),
  tunnel_disable: ({ asker, scope, params }) =>
    asker.call("tunnel.disable", {
      scope,
      ...given(params, ["tasks", "prune"]),
    }),
};

/** Those of the parameters that say something. */
function given(params: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(
    names.flatMap((name): [string, Json][] => {
      const value = params[name] ?? null;
      return value === null ? [] : [[name, value]];
    }),
  );
}

type Tunnel = Result<"tunnel.status">["tunnels"][number];

/** One entry for each backend of a project, as the original has it; those of its tasks are in `tasks`. */
async function backendsOf(asker: Asker): Promise<JsonObject[]> {
  const { tunnels } = await asker.ask("tunnel.status", {});
  const groups = Map.groupBy(
    tunnels,
    ({ session, backend }) => JSON.stringify([session, backend]),
  );
  return await Promise.all(
    [...groups.values()].map((group) => backendOf(asker, group)),
  );
}

async function backendOf(
  asker: Asker,
  tunnels: readonly Tunnel[],
): Promise<JsonObject> {
  const { backend = null, session = "", process = null } = tunnels[0] ?? {};
  const failing = tunnels.find(({ state }) => state === "failing");
  const { tasks } = await asker.ask("task.status", { scope: { session } });
  const pid = tasks.find(({ name }) => name === process)?.pid ?? null;
  return asJson({
    session,
    backend,
    tunnel_name: tunnels[0]?.["tunnel_name"] ?? null,
    tunnel_id: tunnels[0]?.["tunnel_id"] ?? null,
    cloudflared_running: pid !== null,
    cloudflared_pid: pid,
    last_sync_ok: failing === undefined,
    last_error: failing?.reason ?? null,
    mappings: tunnels.filter((tunnel) => tunnel.public).length,
    tasks: tunnels,
  });
}
