/**
 * What handlers work with.
 *
 * @module
 */

import type { HostConfig } from "../config/host_config.ts";
import type { Paths } from "../config/paths.ts";
import type { Registry } from "../store/registry.ts";
import type { Store } from "../store/store.ts";
import type { SupervisorHost } from "../supervisor/host.ts";
import type { Certificates } from "./certificates.ts";
import type { Aliases } from "./aliases.ts";
import type { EventBus } from "./event_bus.ts";
import type { McpFront } from "./mcp_front.ts";
import type { KeeperLink } from "./keeper_link.ts";
import type { Front } from "./front.ts";
import type { ProjectSecrets } from "./project_secrets.ts";
import type { Projects } from "./projects.ts";
import type { Resolution } from "./resolution.ts";
import type { ShutDownReport } from "./shut_down.ts";
import type { Tunnels } from "./tunnels/tunnels.ts";

/** See the module. */
export interface Services {
  readonly paths: Paths;
  readonly config: HostConfig;
  readonly host: SupervisorHost;
  readonly store: Store;
  readonly registry: Registry;
  readonly projects: Projects;
  readonly aliases: Aliases;
  readonly bus: EventBus;
  readonly keeper: KeeperLink;
  readonly secrets: ProjectSecrets;
  /** What is wrong with the host, for `status`. Present state, not history. */
  warnings(): string[];
  readonly startedAt: number;
  /** The environment of this daemon. */
  readonly environment: () => Readonly<Record<string, string>>;
  /** Whether a service manager started this daemon, and starts it again. */
  readonly isService: boolean;
  /** Whether this daemon and its tasks have the rights of root. */
  readonly isRoot: boolean;
  /** The proxy. */
  readonly front: Front;
  readonly certificates: Certificates;
  readonly tunnels: Tunnels;
  /** Has the proxy serve, and remembers where. Called when a project gets its first name. */
  serveNames(): Promise<void>;
  /** How names are resolved. */
  readonly resolution: Resolution;
  /** Port of the API on loopback; null when it could not be bound. */
  apiPort(): number | null;
  /** What is wrong with that port, a sentence; null = nothing. */
  apiProblem(): string | null;
  /** What agents ask over MCP. */
  readonly mcp: McpFront;
  /** Ends the daemon after the present answer. With `keepTasks` the keeper goes on. */
  shutDown(options: { readonly keepTasks: boolean }): Promise<ShutDownReport>;
}
