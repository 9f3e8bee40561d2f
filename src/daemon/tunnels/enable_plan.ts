/**
 * What `tunnel enable` is to do: everything is read and judged before anything is asked or changed.
 *
 * @module
 */

import {
  editHostTunnels,
  tunnelEdit,
} from "../../config/edit_tunnel_settings.ts";
import type { TunnelValues } from "../../config/edit_tunnel_settings.ts";
import { readConfigText } from "../../config/config_file.ts";
import { planEdit } from "../../config/edit_project.ts";
import { loadHostConfig } from "../../config/host_config.ts";
import { readPublicHostname } from "../../config/value_rules.ts";
import type { Params } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { CATCH_ALL } from "../../domain/host_name.ts";
import type { TaskSpec } from "../../domain/task_spec.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type {
  TunnelProvider,
  TunnelTarget,
} from "../../tunnels/tunnel_provider.ts";
import type { ProjectTunnels } from "./project_tunnels.ts";
import type { SettingOverrides } from "./tunnel_world.ts";

/** One task that is to be public whenever it runs. */
export interface EnabledTask {
  readonly task: string;
  readonly hostname: string | null;
}

/** See the module. */
export interface EnablePlan {
  readonly project: ProjectSupervisor;
  readonly tunnels: ProjectTunnels;
  readonly provider: TunnelProvider;
  readonly tasks: readonly EnabledTask[];
  readonly overrides: SettingOverrides;
  /** What the host's settings are to get; empty = nothing. */
  readonly hostValues: TunnelValues;
  /** What the project's file is to get; null = it has that. */
  readonly zoneId: string | null;
  /** Tasks whose entries in the file change. */
  readonly edited: readonly EnabledTask[];
  /** Tasks that this machine has not consented to yet. */
  readonly consents: readonly EnabledTask[];
  /** All of it in words. */
  readonly steps: {
    readonly host: readonly string[];
    readonly file: readonly string[];
    readonly consent: readonly string[];
  };
}

/** What a plan is made of. */
export interface EnableWish {
  readonly project: ProjectSupervisor;
  readonly tunnels: ProjectTunnels;
  readonly provider: TunnelProvider;
  readonly params: Params<"tunnel.enable">;
  /** Path of the host's settings. */
  readonly hostPath: string;
  readonly home: string | undefined;
}

/**
 * The plan.
 *
 * @throws {TaskmuxError} E200, E500, E700, E701 and E742 for what is wrong with what was asked; E10x if a file cannot be
 * used or changed.
 */
export async function planEnable(wish: EnableWish): Promise<EnablePlan> {
  const { project, tunnels, provider, params, hostPath, home } = wish;
  const { backend } = provider;
  const { api_token: apiToken, account_id: accountId, zone_id: zone } = params;
  refuseForeignSettings(params);
  const tasks = namesOf(project, params).map((task) => ({
    task,
    hostname: hostnameOf(project, task, { provider, params }),
  }));
  refuseDoubles(project, tasks);
  for (const task of tasks) tunnels.requireFree(task);
  const { config } = await loadHostConfig(hostPath);
  const hostValues = {
    ...accountId === undefined || accountId === config.cloudflare.accountId
      ? {}
      : { account_id: accountId },
    ...apiToken === undefined || apiToken === config.cloudflare.apiToken
      ? {}
      : { api_token: apiToken },
  };
  // What cannot be written is told now.
  editHostTunnels(await readConfigText(hostPath) ?? "", hostValues);
  const zoneId = zone === undefined || zone === project.spec.tunnel.zoneId
    ? null
    : zone;
  const edited = tasks.filter(({ task, hostname }) => {
    const spec = project.spec.tasks.get(task);
    return spec?.tunnel !== backend || spec.publicHostname !== hostname;
  });
  const file = { config: project.spec.configPath, home };
  await planEdit(
    file,
    tunnelEdit(edited.map((each) => ({ ...each, backend })), zoneId),
  );
  const consents = tasks.filter(({ task, hostname }) => {
    const record = tunnels.notes.find(task);
    return record === null || !record.standing || record.isPaused ||
      record.backend !== backend || record.hostname !== hostname;
  });
  const overrides = {
    ...accountId === undefined ? {} : { accountId },
    ...apiToken === undefined ? {} : { apiToken },
    ...zone === undefined ? {} : { zoneId: zone },
  };
  const parts = { hostValues, zoneId, edited, consents };
  const steps = wordsOf(parts, { backend, hostPath });
  return { project, tunnels, provider, tasks, overrides, ...parts, steps };
}

/** Where requests to a task arrive; before its gate is open any address of this machine stands for it. */
export function targetOf(
  tunnels: ProjectTunnels,
  { task, hostname }: EnabledTask,
  { reaches }: Pick<TunnelProvider, "reaches">,
): TunnelTarget {
  const record = tunnels.notes.find(task);
  const port = tunnels.live.get(task)?.entrance.port ?? record?.port ?? 0;
  const origin = `http://127.0.0.1:${port}`;
  // Nothing is made wider than somebody wanted it.
  const reach = reaches.find((each) => each === record?.reach) ?? "public";
  return { task, origin, hostname, reach };
}

function wordsOf(
  { hostValues, zoneId, edited, consents }: Pick<
    EnablePlan,
    "hostValues" | "zoneId" | "edited" | "consents"
  >,
  { backend, hostPath }: {
    readonly backend: string;
    readonly hostPath: string;
  },
): EnablePlan["steps"] {
  const host = Object.keys(hostValues).map((key) =>
    key === "api_token"
      ? `${key} in ${hostPath}, which only you can read`
      : `${key} in ${hostPath}`
  );
  const file = [
    ...zoneId === null ? [] : [`tunnel.cloudflare.zone_id in taskmux.toml`],
    ...edited.map(({ task, hostname }) =>
      `tunnel = "${backend}"${
        hostname === null ? "" : ` and public_hostname = "${hostname}"`
      } of task "${task}" in taskmux.toml`
    ),
  ];
  const consent = consents.map(({ task, hostname }) =>
    `${
      hostname ?? `a public name of ${backend}`
    } leads to task "${task}" whenever it runs, on this machine`
  );
  return { host, file, consent };
}

function refuseForeignSettings(
  { backend, api_token, account_id, zone_id }: Params<"tunnel.enable">,
): void {
  const given = Object.entries({ api_token, account_id, zone_id })
    .find(([, value]) => value !== undefined)?.[0];
  if (backend === "cloudflare" || given === undefined) return;
  throw invalid(given, `Cannot use ${given} with backend "${backend}"`, {
    hint: "--backend cloudflare",
  });
}

/** Those that are named, else those that the file names the backend for. */
function namesOf(
  { spec }: ProjectSupervisor,
  { tasks, public_hostnames, backend }: Params<"tunnel.enable">,
): string[] {
  const named = new Set([...tasks, ...Object.keys(public_hostnames)]);
  const meant = named.size > 0
    ? [...named]
    : [...spec.tasks.values()].filter(({ tunnel }) => tunnel === backend)
      .map(({ name }) => name);
  if (meant.length > 0) return meant;
  const hosts = [...spec.tasks.values()].filter(({ host }) =>
    host !== null && host !== CATCH_ALL
  ).map(({ name }) => name);
  const example = hosts[0] ?? [...spec.tasks.keys()][0] ?? "web";
  throw invalid("task", "Cannot enable tunnels: no task is named", {
    hint: `taskmux tunnel enable --task ${example} ` +
      `--public-hostname ${example}=${example}.example.com`,
    details: { tasks: hosts },
  });
}

function hostnameOf(
  project: ProjectSupervisor,
  task: string,
  { provider, params }: Pick<EnableWish, "provider" | "params">,
): string | null {
  const spec = requireTask(project, task);
  const { backend, hostnames } = provider;
  const written = params.public_hostnames[task];
  const field = "public_hostname";
  if (written === undefined) {
    if (hostnames === "none") return null;
    if (spec.publicHostname !== null || hostnames === "optional") {
      return spec.publicHostname;
    }
    throw invalid(
      field,
      `Cannot enable the tunnel of task "${task}": it has no public name`,
      {
        hint: enableHint(task, `${task}.example.com`),
        details: { task },
      },
    );
  }
  if (hostnames === "none") {
    throw invalid(
      field,
      `Cannot use the public name "${written}": ${backend} gives names itself`,
      { hint: enableHint(task, written), details: { task } },
    );
  }
  const hostname = readPublicHostname(written);
  if (hostname !== null) return hostname;
  throw invalid(
    field,
    `Cannot use the public name "${written}": it must be a DNS name such as "${task}.example.com"`,
    {
      hint: enableHint(task, `${task}.example.com`),
      details: { task, value: written },
    },
  );
}

/** Whether a task can be public whenever it runs: it stands in this file and is one name. */
function requireTask(project: ProjectSupervisor, task: string): TaskSpec {
  const runner = project.runner(task);
  const spec = project.spec.tasks.get(task);
  const details = { task };
  if (spec === undefined || project.homeOf(task) !== project) {
    throw invalid(
      "task",
      spec === undefined
        ? `Cannot enable the tunnel of "${runner.name}": it does not stand in taskmux.toml`
        : `Cannot enable the tunnel of "${task}": it is the primary checkout's`,
      {
        hint: spec === undefined
          ? `taskmux tunnel up ${task}`
          : "Say it in the primary checkout",
        details,
      },
    );
  }
  if (spec.host === null) {
    throw new TaskmuxError(
      "E700",
      `Cannot make task "${task}" public: it has no host`,
      {
        hint:
          `Give it host = "${task}" in taskmux.toml, then taskmux restart ${task}`,
        details: { ...details, field: "task" },
      },
    );
  }
  if (spec.host === CATCH_ALL) {
    throw new TaskmuxError(
      "E701",
      `Cannot make task "${task}" public: its host "*" is many names, and a tunnel serves one`,
      { hint: "Give it a host of its own in taskmux.toml", details },
    );
  }
  return spec;
}

function enableHint(task: string, hostname: string): string {
  return `taskmux tunnel enable --backend cloudflare --task ${task} --public-hostname ${task}=${hostname}`;
}

/** One name cannot lead to two tasks. */
function refuseDoubles(
  { spec, projectId }: ProjectSupervisor,
  tasks: readonly EnabledTask[],
): void {
  const meant = new Set(tasks.map(({ task }) => task));
  const holders = new Map<string, string>();
  for (const { name, publicHostname, tunnel } of spec.tasks.values()) {
    if (tunnel === null || publicHostname === null || meant.has(name)) continue;
    holders.set(publicHostname, name);
  }
  for (const { task, hostname } of tasks) {
    if (hostname === null) continue;
    const holder = holders.get(hostname);
    if (holder === undefined) {
      holders.set(hostname, task);
      continue;
    }
    throw new TaskmuxError(
      "E742",
      `Cannot use the public name ${hostname} for task "${task}": task "${holder}" has it`,
      {
        hint: enableHint(task, "ANOTHER-NAME"),
        details: { hostname, session: projectId, task: holder },
      },
    );
  }
}

function invalid(
  field: string,
  message: string,
  { hint, details = {} }: {
    readonly hint: string;
    readonly details?: Record<string, string | string[]>;
  },
): TaskmuxError {
  return new TaskmuxError("E500", message, {
    hint,
    details: { ...details, field },
  });
}
