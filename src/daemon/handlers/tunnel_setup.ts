/**
 * Handlers of the operations that set public names up and take them back. What they need is loaded when one is called.
 *
 * @module
 */

import {
  writeHostTunnels,
  writeProjectTunnels,
} from "../../config/edit_tunnel_settings.ts";
import type { Params, Result } from "../../contract/mod.ts";
import { findProgram } from "../../tunnels/program_check.ts";
import { fileMode, loadHostConfig } from "../../config/host_config.ts";
import { viewTunnelConfig } from "../../config/tunnel_config_view.ts";
import type { CallContext, Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";

type SetupHandlers = Pick<
  Handlers,
  | "tunnel.test"
  | "tunnel.enable"
  | "tunnel.disable"
  | "tunnel.config"
  | "tunnel.config_set"
  | "tunnel.zones"
>;

/** See the module. */
export function tunnelSetupHandlers(services: Services): SetupHandlers {
  return {
    "tunnel.test": async (params, context) => {
      const { testTunnels } = await import("../tunnels/test_tunnels.ts");
      return await testTunnels(services, params, context);
    },
    "tunnel.enable": async (params, context) => {
      const { enableTunnels } = await import("../tunnels/enable_tunnels.ts");
      return await enableTunnels(services, params, context);
    },
    "tunnel.disable": async (params, context) => {
      const { disableTunnels } = await import("../tunnels/disable_tunnels.ts");
      return await disableTunnels(services, params, context);
    },
    "tunnel.config": (params) => config(services, params),
    "tunnel.config_set": (params) => setConfig(services, params),
    "tunnel.zones": (params, context) => zones(services, params, context),
  };
}

async function config(
  services: Services,
  { scope, env = services.environment() }: Params<"tunnel.config">,
): Promise<Result<"tunnel.config">> {
  await using looked = await services.projects.look(scope);
  const { projectId, spec } = looked.supervisor;
  const { hostConfig: hostPath } = services.paths;
  const { config: { cloudflare } } = await loadHostConfig(hostPath);
  const urls = services.tunnels.all(projectId).flatMap(({ task, view }) =>
    view.public_url === null ? [] : [[task, view.public_url] as const]
  );
  return viewTunnelConfig({
    projectId,
    spec,
    host: cloudflare,
    hostPath,
    hostMode: await fileMode(hostPath),
    env,
    hasCloudflared: await findProgram("cloudflared", env["PATH"]) !== null,
    urls: new Map(urls),
    // Nobody but the file's owner, at the command line, is shown a token.
    reveal: false,
  });
}

async function setConfig(
  services: Services,
  { scope, where, values }: Params<"tunnel.config_set">,
): Promise<Result<"tunnel.config_set">> {
  const session = await services.projects.sessionOf(scope);
  for (const [key, token] of Object.entries(values)) {
    if (session === null || !key.endsWith("api_token")) continue;
    services.host.secrets.note(session, { TOKEN: token });
  }
  const written = where === "global"
    ? await writeHostTunnels(services.paths.hostConfig, values)
    : await writeProjectTunnels({
      config: scope.config ??
        services.projects.requireSession(scope.session ?? "").configPath,
      home: services.environment()["HOME"],
    }, values);
  if (session !== null) await services.projects.find(session)?.refresh();
  return {
    ok: true,
    scope: where,
    config_path: written.path,
    updated: { ...written.updated },
    warnings: [...written.warnings],
  };
}

async function zones(
  services: Services,
  { scope, api_token: apiToken, env }: Params<"tunnel.zones">,
  { signal }: CallContext,
): Promise<Result<"tunnel.zones">> {
  await using looked = await services.projects.look(scope);
  const { supervisor: project } = looked;
  if (apiToken !== undefined) {
    services.host.secrets.note(project.projectId, { TOKEN: apiToken });
  }
  const environment = env === undefined
    ? null
    : await services.host.environments.remember(env);
  const tunnels = await services.tunnels.of(project);
  const context = await tunnels.context("cloudflare", {
    environment,
    ...apiToken === undefined ? {} : { overrides: { apiToken } },
  });
  const { seenPlaces } = await import(
    "../../tunnels/cloudflare/seen_places.ts"
  );
  const base = services.environment()["TASKMUX_CLOUDFLARE_API"];
  return { ok: true, ...await seenPlaces(context, base, signal) };
}
