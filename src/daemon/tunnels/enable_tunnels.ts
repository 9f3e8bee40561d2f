/**
 * `tunnel enable`: nothing is changed before every check has passed; then settings, file, consent, tunnels.
 *
 * @module
 */

import {
  hasTunnelTable,
  tunnelEdit,
  writeHostTunnels,
} from "../../config/edit_tunnel_settings.ts";
import { editProject } from "../../config/edit_project.ts";
import { viewSettings } from "../../config/tunnel_config_view.ts";
import type { CloudflareSettings } from "../../config/tunnel_settings.ts";
import type { Params, Result } from "../../contract/mod.ts";
import { diskError } from "../../domain/disk_error.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { settledWithin } from "../../kit/deadline.ts";
import { openRecord } from "../../proxy/public_access.ts";
import type { TunnelCheck } from "../../tunnels/tunnel_provider.ts";
import type { CallContext } from "../dispatcher.ts";
import type { Services } from "../services.ts";
import { type EnablePlan, planEnable, targetOf } from "./enable_plan.ts";
import { failedChecks } from "./failed_checks.ts";
import type { ProjectTunnels } from "./project_tunnels.ts";

/** Longest time that tunnels of running tasks are waited for. */
const OPEN_MS = 90_000;

type Answer = Result<"tunnel.enable">;

/**
 * Does it.
 *
 * @throws {TaskmuxError} What is wrong with what was asked. What is wrong at the provider, or happens later, is in the
 * answer, with what was done until then; the same call again goes on from there.
 */
export async function enableTunnels(
  services: Services,
  params: Params<"tunnel.enable">,
  { signal }: CallContext,
): Promise<Answer> {
  const project = await services.projects.require(params.scope);
  const { projectId } = project;
  if (params.api_token !== undefined) {
    services.host.secrets.note(projectId, { TOKEN: params.api_token });
  }
  const provider = await services.tunnels.provider(params.backend);
  const tunnels = await services.tunnels.of(project);
  const environment = params.env === undefined
    ? null
    : await services.host.environments.remember(params.env);
  const wish = {
    project,
    tunnels,
    provider,
    params,
    hostPath: services.paths.hostConfig,
    home: services.environment()["HOME"],
  };
  const asked = await planEnable(wish);
  const whole = await withAccount(
    services,
    { params, tunnels, environment },
    signal,
  );
  const plan = whole === params
    ? asked
    : await planEnable({ ...wish, params: whole });
  const { overrides } = plan;
  const context = await tunnels.context("cloudflare", {
    environment,
    overrides,
  });
  const checks = await tunnels.check(
    provider,
    plan.tasks.map((task) => targetOf(tunnels, task, provider)),
    { environment, overrides },
    signal,
  );
  const facts = { plan, checks, settings: context.cloudflare, params };
  const failed = failedChecks(checks);
  if (failed !== null) return answer(services, facts, { error: failed });
  if (params.dry_run) return answer(services, facts, {});
  const done: string[] = [];
  const warnings: string[] = [];
  try {
    await carryOut(services, plan, { environment, done, warnings, signal });
  } catch (error) {
    const failure = error instanceof TaskmuxError ? error : diskError(error);
    if (failure === null || done.length === 0) throw error;
    return answer(services, facts, { error: failure, done, warnings });
  }
  return answer(services, facts, { done, warnings });
}

/** With the account that the token belongs to, where none is set and there is only one. */
async function withAccount(
  services: Services,
  { params, tunnels, environment }: {
    readonly params: Params<"tunnel.enable">;
    readonly tunnels: ProjectTunnels;
    readonly environment: string | null;
  },
  signal: AbortSignal,
): Promise<Params<"tunnel.enable">> {
  const { backend, account_id: given, api_token: apiToken } = params;
  if (backend !== "cloudflare" || given !== undefined) return params;
  const overrides = apiToken === undefined ? {} : { apiToken };
  const context = await tunnels.context(backend, { environment, overrides });
  const { accountId, apiToken: token } = context.cloudflare;
  if (accountId.value !== null || token.value === null) return params;
  try {
    const { seenPlaces } = await import(
      "../../tunnels/cloudflare/seen_places.ts"
    );
    const base = services.environment()["TASKMUX_CLOUDFLARE_API"];
    const { accounts } = await seenPlaces(context, base, signal);
    const [only] = accounts;
    return accounts.length === 1 && only !== undefined
      ? { ...params, account_id: only.id }
      : params;
  } catch (error) {
    // The checks say what is wrong with the token.
    if (error instanceof TaskmuxError) return params;
    throw error;
  }
}

/** What is done is written down as it is done. */
async function carryOut(
  services: Services,
  { project, tunnels, provider, ...plan }: EnablePlan,
  { environment, done, warnings, signal }: {
    readonly environment: string | null;
    readonly done: string[];
    readonly warnings: string[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { backend } = provider;
  const { hostValues, zoneId, edited, steps } = plan;
  if (Object.keys(hostValues).length > 0) {
    const { hostConfig } = services.paths;
    const written = await writeHostTunnels(hostConfig, hostValues);
    warnings.push(...written.warnings);
    done.push(...steps.host);
  }
  if (steps.file.length > 0) {
    const config = project.spec.configPath;
    const file = { config, home: services.environment()["HOME"] };
    const tasks = edited.map((each) => ({ ...each, backend }));
    const { original } = await editProject(file, tunnelEdit(tasks, zoneId));
    if (zoneId !== null) {
      const madeTable = !hasTunnelTable(original);
      tunnels.notes.changeSetup({ traces: { zoneId, madeTable } });
    }
    done.push(...steps.file);
    await services.projects.find(project.projectId)?.refresh();
  }
  const wishes = plan.consents.map((each) => ({
    ...each,
    backend,
    reach: targetOf(tunnels, each, provider).reach,
    access: tunnels.notes.find(each.task)?.access ?? openRecord(),
    expiresAt: null,
    environment,
  }));
  // What is open in another way would stay so beside it.
  const others = wishes.filter(({ task, hostname }) => {
    const record = tunnels.notes.find(task);
    return record !== null && tunnels.live.has(task) &&
      (record.backend !== backend || record.hostname !== hostname);
  });
  const { warnings: untold } = await tunnels.down(
    others.map(({ task }) => task),
    "down",
  );
  warnings.push(...untold);
  tunnels.stand(wishes);
  done.push(...steps.consent);
  const names = plan.tasks.map(({ task }) => task);
  await tunnels.retry(names, environment, signal);
  await settledWithin(
    tunnels.settled(names, signal),
    { clock: project.host.clock, ms: OPEN_MS, signal },
  );
}

/** What is known when it is answered. */
interface Facts {
  readonly plan: EnablePlan;
  readonly checks: readonly TunnelCheck[];
  readonly settings: CloudflareSettings;
  readonly params: Params<"tunnel.enable">;
}

function answer(
  services: Services,
  { plan, checks, settings, params }: Facts,
  { error = null, done = [], warnings = [] }: {
    readonly error?: TaskmuxError | null;
    readonly done?: readonly string[];
    readonly warnings?: readonly string[];
  },
): Answer {
  const { project, tunnels, provider: { backend }, tasks, steps } = plan;
  const { projectId } = project;
  const views = tasks.flatMap(({ task }) => {
    const view = services.tunnels.viewOf(projectId, task);
    return view === null ? [] : [{ task, ...view }];
  });
  const failing = error ?? failingOne(views);
  const isCloudflare = backend === "cloudflare";
  const urls = tasks.flatMap(({ task, hostname }) => {
    const url = views.find((view) => view.task === task)?.public_url ??
      (hostname === null ? null : `https://${hostname}`);
    return url === null ? [] : [[task, url] as const];
  });
  const { error_code, error: message, hint } = failing?.toShape() ?? {};
  return {
    ok: failing === null,
    backend,
    project_id: projectId,
    tunnel_name: isCloudflare ? settings.tunnelName.value : null,
    tunnel_id: isCloudflare ? tunnelId(tunnels.notes.memoryOf(backend)) : null,
    public_urls: failing === null ? Object.fromEntries(urls) : {},
    config: viewSettings(settings),
    preflight: {
      ok: checks.every(({ ok }) => ok),
      checks: checks.map((check) => ({ ...check })),
    },
    dry_run: params.dry_run,
    plan: [...steps.host, ...steps.file, ...steps.consent],
    done: [...done],
    tunnels: views,
    warnings: [...warnings, ...cautions(plan, settings)],
    ...error_code === undefined ? {} : { error_code },
    error: message ?? null,
    ...hint === undefined ? {} : { hint },
  };
}

/** What somebody who enables tunnels should know. */
function cautions(
  { provider: { backend }, tunnels, tasks }: EnablePlan,
  { apiToken }: CloudflareSettings,
): string[] {
  const open = tasks.filter(({ task }) =>
    (tunnels.notes.find(task)?.access.kind ?? "open") === "open"
  ).map(({ task }) => task);
  return [
    ...open.length === 0 ? [] : [
      `Everybody on the internet can use ${
        open.map((task) => `"${task}"`).join(", ")
      } whenever it runs; "taskmux tunnel up ${
        open[0]
      } --auth basic" asks for a password`,
    ],
    ...backend !== "cloudflare" || apiToken.source !== "env" ? [] : [
      'The API token stands only in the environment of this shell, which is forgotten when the machine restarts; "taskmux tunnel enable --token-stdin" keeps it',
    ],
  ];
}

function failingOne(
  views: readonly {
    readonly task: string;
    readonly state: string;
    readonly reason: string | null;
  }[],
): TaskmuxError | null {
  const failing = views.find(({ state }) => state === "failing");
  if (failing === undefined) return null;
  return new TaskmuxError(
    "E741",
    `The tunnel of task "${failing.task}" does not work: ${
      failing.reason ?? "no reason is known"
    }`,
    { hint: "taskmux tunnel status" },
  );
}

function tunnelId(memory: unknown): string | null {
  const { tunnel } = Object(memory) as { readonly tunnel?: unknown };
  const { id } = Object(tunnel) as { readonly id?: unknown };
  return typeof id === "string" ? id : null;
}
