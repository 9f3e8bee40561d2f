/**
 * Handlers of the operations on public names.
 *
 * @module
 */

import { readPublicHostname } from "../../config/value_rules.ts";
import type { Params, Result } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { CATCH_ALL } from "../../domain/host_name.ts";
import { isAtRest } from "../../domain/task_machine.ts";
import {
  isTunnelProgram,
  TUNNEL_BACKENDS,
  type TunnelBackend,
} from "../../domain/tunnel.ts";
import { linkPath } from "../../proxy/public_access.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { TaskRunner } from "../../supervisor/task_runner.ts";
import type { TunnelProvider } from "../../tunnels/tunnel_provider.ts";
import type { CallContext, Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";
import { type Admission, newAdmission } from "../tunnels/admission.ts";
import type { ProjectTunnels } from "../tunnels/project_tunnels.ts";

type TunnelHandlers = Pick<
  Handlers,
  "tunnel.up" | "tunnel.down" | "tunnel.link" | "tunnel.status"
>;

/** See the module. */
export function tunnelHandlers(services: Services): TunnelHandlers {
  return {
    "tunnel.up": (params, context) => up(services, params, context),
    "tunnel.down": (params) => down(services, params),
    "tunnel.link": (params) => link(services, params),
    "tunnel.status": (params) => status(services, params),
  };
}

async function status(
  { projects, tunnels }: Services,
  { scope }: Params<"tunnel.status">,
): Promise<Result<"tunnel.status">> {
  const session = scope === undefined ? null : await projects.sessionOf(scope);
  const supervisor = session === null
    ? null
    : projects.find(session)?.supervisor ?? null;
  const owner = supervisor?.owner ?? null;
  const rows = tunnels.all().filter((row) =>
    scope === undefined || row.session === session ||
    // What is shared is public here as well.
    (owner !== null && row.session === owner.projectId &&
      supervisor?.homeOf(row.task) === owner)
  ).map(({ view, ...of }) => ({ ...of, ...view }));
  return { ok: true, tunnels: rows, count: rows.length };
}

async function up(
  services: Services,
  params: Params<"tunnel.up">,
  { signal }: CallContext,
): Promise<Result<"tunnel.up">> {
  const { task } = params;
  const asked = await services.projects.require(params.scope);
  const runner = asked.runner(task);
  const project = asked.homeOf(task);
  requirePublishable(project, runner);
  const tunnels = await services.tunnels.of(project);
  // Who changes only who is let in must not have it opened in another way.
  const open = params.backend === undefined && params.hostname === undefined &&
      tunnels.live.has(task)
    ? tunnels.notes.find(task)
    : null;
  const backend = params.backend ?? open?.backend ?? namedBackend(runner) ??
    "cloudflare-quick";
  const provider = await services.tunnels.provider(backend);
  const hostname = open?.hostname ??
    hostnameOf(params.hostname, runner, provider);
  const reach = params.reach ?? open?.reach ?? "public";
  requireReach(task, provider, reach);
  const admitted: { admission?: Admission } = {};
  const { expires } = params;
  const action = await tunnels.up({
    task,
    backend,
    hostname,
    reach,
    admit: async (before) => {
      const { clock } = services.host;
      admitted.admission = await newAdmission(before, params, clock);
      return admitted.admission.record;
    },
    expiresInMs: expires === undefined
      ? undefined
      : expires === 0
      ? null
      : expires * 1_000,
    environment: params.env === undefined
      ? null
      : await services.host.environments.remember(params.env),
    timeoutMs: params.timeout * 1_000,
  }, signal);
  return viewOpened(services, { project, task, action, ...admitted });
}

function viewOpened(
  { tunnels }: Services,
  { project, task, action, admission }: {
    readonly project: ProjectSupervisor;
    readonly task: string;
    readonly action: "opened" | "changed" | "noop";
    readonly admission?: Admission;
  },
): Result<"tunnel.up"> {
  const { projectId } = project;
  const tunnel = tunnels.viewOf(projectId, task);
  if (!admission || tunnel === null || tunnel.public_url === null) {
    throw new TaskmuxError(
      "E741",
      `Cannot open the tunnel of "${task}": it was closed again`,
      { hint: "taskmux tunnel status" },
    );
  }
  const { user, password, token } = admission;
  const everybody = tunnel.access === "open" && tunnel.reach === "public";
  return {
    ok: true,
    task,
    session: projectId,
    action,
    public_url: tunnel.public_url,
    tunnel,
    user,
    password,
    link: token === null ? null : linkOf(tunnel.public_url, token),
    warnings: everybody
      ? [
        `Everybody on the internet can use "${task}" now; --auth basic or --auth link lets in whom you choose`,
      ]
      : [],
  };
}

async function down(
  services: Services,
  { scope, tasks }: Params<"tunnel.down">,
): Promise<Result<"tunnel.down">> {
  await using looked = await services.projects.look(scope);
  const { supervisor } = looked;
  for (const task of tasks) supervisor.runner(task);
  const all = await tunnelsOf(services, supervisor);
  const open = all.flatMap(({ tunnels, names }) =>
    names.filter((task) => tunnels.notes.find(task)?.isPaused === false)
  );
  const missing = tasks.find((task) => !open.includes(task));
  if (missing !== undefined) throw noTunnel(missing, "taskmux tunnel status");
  const closed: string[] = [];
  const warnings: string[] = [];
  for (const { tunnels, names, isOwn } of all) {
    // What is shared with others is closed by its name only.
    const meant = tasks.length > 0
      ? names.filter((task) => tasks.includes(task))
      : isOwn
      ? names.filter((task) => open.includes(task))
      : [];
    const done = await tunnels.down(meant, "down");
    closed.push(...done.closed);
    warnings.push(...done.warnings);
  }
  return { ok: true, session: supervisor.projectId, closed, warnings };
}

/** The tunnels of a project's own tasks, and of those that it shares. */
async function tunnelsOf(
  { tunnels }: Services,
  supervisor: ProjectSupervisor,
): Promise<
  {
    readonly tunnels: ProjectTunnels;
    readonly names: readonly string[];
    readonly isOwn: boolean;
  }[]
> {
  const { owner } = supervisor;
  const isShared = (task: string): boolean =>
    supervisor.homeOf(task) !== supervisor;
  const own = await tunnels.of(supervisor);
  const names = own.notes.records.map(({ task }) => task);
  const all = [{ tunnels: own, names, isOwn: true }];
  if (owner === null) return all;
  const others = await tunnels.of(owner);
  const shared = others.notes.records.map(({ task }) => task).filter(isShared);
  return [...all, { tunnels: others, names: shared, isOwn: false }];
}

async function link(
  services: Services,
  { scope, task }: Params<"tunnel.link">,
): Promise<Result<"tunnel.link">> {
  await using looked = await services.projects.look(scope);
  looked.supervisor.runner(task);
  const project = looked.supervisor.homeOf(task);
  const tunnels = await services.tunnels.of(project);
  const record = tunnels.notes.find(task);
  const publicUrl = record?.publicUrl ?? null;
  if (record === null || publicUrl === null || !tunnels.live.has(task)) {
    throw noTunnel(task, `taskmux tunnel up ${task} --auth link`);
  }
  if (record.access.kind !== "link") {
    throw new TaskmuxError(
      "E500",
      `Cannot make a link for task "${task}": its tunnel lets in by "${record.access.kind}"`,
      { hint: `taskmux tunnel up ${task} --auth link`, details: { task } },
    );
  }
  const { clock } = services.host;
  const { record: access, token, linkExpiresAt } = await newAdmission(
    record.access,
    { access: "link" },
    clock,
  );
  tunnels.setAccess(task, access);
  return {
    ok: true,
    task,
    link: linkOf(publicUrl, token ?? ""),
    expires_at: (linkExpiresAt ?? clock.now()) / 1_000,
  };
}

function linkOf(publicUrl: string, token: string): string {
  return publicUrl + linkPath(token);
}

/** Whether a task can be public at all: it runs, is one name, and listens somewhere. */
function requirePublishable(
  project: ProjectSupervisor,
  runner: TaskRunner,
): void {
  const { name: task, spec, machine } = runner;
  const details = { task };
  if (isTunnelProgram(spec)) {
    throw new TaskmuxError(
      "E500",
      `Cannot make "${task}" public: it is the program of a tunnel itself`,
      { hint: "taskmux tunnel status", details },
    );
  }
  if (spec.host === CATCH_ALL) {
    throw new TaskmuxError(
      "E701",
      `Cannot make task "${task}" public: its host "*" is many names, and a tunnel serves one`,
      { hint: `Give it a host of its own in taskmux.toml`, details },
    );
  }
  if (isAtRest(machine)) {
    throw new TaskmuxError("E202", `Task '${task}' is not running`, {
      hint: `taskmux start ${task} && taskmux tunnel up ${task}`,
      details,
    });
  }
  if (project.portOf(runner) !== null) return;
  throw new TaskmuxError(
    "E700",
    `Cannot make task "${task}" public: it has no host and no port`,
    {
      hint:
        `Give it host = "${task}" in taskmux.toml, and restart it with "taskmux restart ${task}"`,
      details,
    },
  );
}

function namedBackend({ spec }: TaskRunner): TunnelBackend | undefined {
  return TUNNEL_BACKENDS.find((backend) => backend === spec.tunnel);
}

/** The name that is meant, as its provider takes it. */
function hostnameOf(
  written: string | undefined,
  { name, spec }: TaskRunner,
  { backend, hostnames }: TunnelProvider,
): string | null {
  if (written === undefined) {
    if (hostnames === "none") return null;
    if (spec.publicHostname !== null || hostnames === "optional") {
      return spec.publicHostname;
    }
    throw new TaskmuxError(
      "E500",
      `Cannot open a tunnel of ${backend} for task "${name}": it needs a public name`,
      {
        hint:
          `taskmux tunnel up ${name} --via ${backend} --hostname ${name}.example.com`,
        details: { task: name },
      },
    );
  }
  const hostname = readPublicHostname(written);
  if (hostname === null || hostnames === "none") {
    throw new TaskmuxError(
      "E500",
      hostname === null
        ? `Cannot use the public name "${written}": it must be a DNS name such as "api.example.com"`
        : `Cannot use the public name "${written}": ${backend} gives names itself`,
      {
        hint: hostname === null
          ? `taskmux tunnel up ${name} --via ${backend} --hostname ${name}.example.com`
          : `taskmux tunnel up ${name} --via cloudflare --hostname ${hostname}`,
        details: { task: name, hostname: written },
      },
    );
  }
  return hostname;
}

function requireReach(
  task: string,
  { backend, reaches }: TunnelProvider,
  reach: TunnelProvider["reaches"][number],
): void {
  if (reaches.includes(reach)) return;
  throw new TaskmuxError(
    "E500",
    `Cannot open a tunnel of ${backend} for a tailnet only: it is public`,
    { hint: `taskmux tunnel up ${task} --via tailscale --tailnet-only` },
  );
}

function noTunnel(
  task: string,
  hint = `taskmux tunnel up ${task}`,
): TaskmuxError {
  return new TaskmuxError("E743", `Task '${task}' has no open tunnel`, {
    hint,
    details: { task },
  });
}
