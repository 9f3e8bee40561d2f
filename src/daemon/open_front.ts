/**
 * Wires the proxy and its certificates to the rest of the daemon.
 *
 * @module
 */

import type { HostConfig } from "../config/host_config.ts";
import type { Paths } from "../config/paths.ts";
import { isProxyForbidden } from "../config/proxy_forbidden.ts";
import { systemClock } from "../kit/clock.ts";
import type { TaskScope } from "../kit/task_scope.ts";
import { type Aliases, servedAliases } from "./aliases.ts";
import type { SupervisorHost } from "../supervisor/host.ts";
import { discreetRouter } from "./discreet_router.ts";
import { freshBundle } from "./client_bundle.ts";
import { Certificates } from "./certificates.ts";
import type { DamageReport } from "./damage_report.ts";
import { Front } from "./front.ts";
import type { KeeperLink } from "./keeper_link.ts";
import type { FrontPorts } from "./open_front_ports.ts";
import { ProjectRouter } from "./project_router.ts";
import { ProjectSecrets } from "./project_secrets.ts";
import type { Projects } from "./projects.ts";

/** What the two need. */
export interface FrontParts {
  readonly options: {
    readonly paths: Paths;
    /** Ports that were bound while this process was root. */
    readonly front?: FrontPorts | null;
    environment(): Record<string, string>;
    log(level: "warning", message: string): void;
  };
  readonly state: {
    readonly config: HostConfig;
    /** Present problems by subject. */
    readonly problems: Map<string, string>;
    readonly damage: DamageReport;
    readonly scope: TaskScope;
    onError(error: unknown, context: string): void;
  };
  readonly keeper: KeeperLink;
  readonly aliases: Aliases;
  /** Closes the front. */
  readonly stack: AsyncDisposableStack;
  projects(): Projects;
  host(): SupervisorHost;
}

/** Makes both; nothing is opened before there is a name to serve. */
export async function openFront(
  { options, state, keeper, aliases, stack, projects, host }: FrontParts,
): Promise<{
  readonly front: Front;
  readonly certificates: Certificates;
  /** Where names lead. */
  readonly router: ProjectRouter;
}> {
  const { config, problems, damage, onError } = state;
  const { paths, environment, log } = options;
  const certificates = new Certificates({
    config,
    paths,
    clock: systemClock,
    problems,
    environment,
    onAuthority: async (certificates) => {
      try {
        await freshBundle({ certificates, paths });
      } catch (error) {
        // Names are served without it.
        if (!(error instanceof Error)) throw error;
        onError(error, "bundle");
      }
    },
    onDamage: (found) => damage.add(found),
    onWarning: (message) => log("warning", message),
  });
  const router = new ProjectRouter({
    tld: config.dns.managedTld,
    clock: systemClock,
    scope: state.scope,
    project: (id) => projects().find(id),
    holders: (of) => keeper.request("holders", of),
    alias: servedAliases(
      aliases,
      (id) =>
        projects().find(id)?.supervisor?.runners.map(({ spec }) => spec) ?? [],
    ),
  });
  let secrets: ProjectSecrets | null = null;
  const front = stack.use(
    await Front.open({
      config,
      isForbidden: isProxyForbidden(environment()),
      ports: options.front ?? null,
      certificates,
      router: discreetRouter(router, (scope) => {
        secrets ??= new ProjectSecrets({ host: host(), projects: projects() });
        return secrets.redactorFor(scope);
      }),
      holders: async (port) =>
        (await keeper.request("holders", { port })).holders,
      clock: systemClock,
      onError,
    }),
  );
  return { front, certificates, router };
}
