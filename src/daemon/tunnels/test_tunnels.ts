/**
 * `tunnel test`: would it work? Changes nothing.
 *
 * @module
 */

import type { Params, Result } from "../../contract/mod.ts";
import { CATCH_ALL } from "../../domain/host_name.ts";
import type { TaskSpec } from "../../domain/task_spec.ts";
import { TUNNEL_BACKENDS, type TunnelBackend } from "../../domain/tunnel.ts";
import type {
  TunnelCheck,
  TunnelProvider,
} from "../../tunnels/tunnel_provider.ts";
import type { CallContext } from "../dispatcher.ts";
import type { Services } from "../services.ts";
import { targetOf } from "./enable_plan.ts";
import { failedChecks } from "./failed_checks.ts";
import type { ProjectTunnels } from "./project_tunnels.ts";

/** A task that is to be looked at, and how it would be public. */
interface Candidate {
  readonly spec: TaskSpec;
  readonly backend: TunnelBackend;
}

/**
 * Does it.
 *
 * @throws {TaskmuxError} E200 for a task that is none; what is wrong with the project's file.
 */
export async function testTunnels(
  services: Services,
  params: Params<"tunnel.test">,
  { signal }: CallContext,
): Promise<Result<"tunnel.test">> {
  await using looked = await services.projects.look(params.scope);
  const { supervisor: project } = looked;
  const tunnels = await services.tunnels.of(project);
  const environment = params.env === undefined
    ? null
    : await services.host.environments.remember(params.env);
  const specs = params.tasks.length > 0
    ? params.tasks.map((task) => project.runner(task).spec)
    : [...project.spec.tasks.values()].filter(({ tunnel }) => tunnel !== null);
  const candidates = specs.map((spec) => ({
    spec,
    backend: params.backend ?? backendOf(tunnels, spec),
  }));
  // Without a task it can still be told whether the provider could be used at all.
  const backends = candidates.length === 0
    ? [params.backend ?? "cloudflare"]
    : [...new Set(candidates.map(({ backend }) => backend))];
  const checks: TunnelCheck[] = [];
  for (const backend of backends) {
    const provider = await services.tunnels.provider(backend);
    const meant = candidates.filter((each) => each.backend === backend);
    const flaws = meant.flatMap(({ spec }) => flawOf(spec, provider) ?? []);
    const targets = meant.filter(({ spec }) => flawOf(spec, provider) === null)
      .map(({ spec: { name: task, publicHostname } }) =>
        targetOf(tunnels, {
          task,
          hostname: provider.hostnames === "none" ? null : publicHostname,
        }, provider)
      );
    checks.push(
      ...flaws,
      ...await tunnels.check(provider, targets, { environment }, signal),
    );
  }
  const failed = failedChecks(checks);
  const { error_code, error = null, hint } = failed?.toShape() ?? {};
  return {
    ok: failed === null,
    session: project.projectId,
    tasks: candidates.map(({ spec }) => spec.name),
    preflight: {
      ok: failed === null,
      checks: checks.map((check) => ({ ...check })),
    },
    ...error_code === undefined ? {} : { error_code },
    error,
    ...hint === undefined ? {} : { hint },
  };
}

function backendOf(
  { notes }: ProjectTunnels,
  { name, tunnel }: TaskSpec,
): TunnelBackend {
  return TUNNEL_BACKENDS.find((each) => each === tunnel) ??
    notes.find(name)?.backend ?? "cloudflare-quick";
}

/** What is wrong with a task itself. */
function flawOf(
  { name, host, publicHostname, wantsPort }: TaskSpec,
  { backend, hostnames }: TunnelProvider,
): TunnelCheck | null {
  if (host === CATCH_ALL) {
    return {
      name: `task:${name}`,
      ok: false,
      detail:
        `The host "*" of task "${name}" is many names, and a tunnel serves one`,
      fix: "Give it a host of its own in taskmux.toml",
    };
  }
  if (host === null && !wantsPort) {
    return {
      name: `task:${name}`,
      ok: false,
      detail: `Task "${name}" has no host and no port`,
      fix: `Give it host = "${name}" in taskmux.toml`,
    };
  }
  if (hostnames !== "required" || publicHostname !== null) return null;
  return {
    name: `hostname:${name}`,
    ok: false,
    detail: `Task "${name}" has no public_hostname, and ${backend} needs one`,
    fix:
      `taskmux tunnel enable --task ${name} --public-hostname ${name}=${name}.example.com`,
  };
}
