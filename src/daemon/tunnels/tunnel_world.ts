/**
 * What tunnels need of the daemon, for all projects.
 *
 * @module
 */

import type { CloudflareSettings } from "../../config/tunnel_settings.ts";
import type { TunnelBackend } from "../../domain/tunnel.ts";
import type { Refusal, Route, Upstream } from "../../proxy/router.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { TunnelProvider } from "../../tunnels/tunnel_provider.ts";

/** Settings that came with a call, for this call only. */
export interface SettingOverrides {
  readonly accountId?: string | undefined;
  readonly zoneId?: string | undefined;
  readonly apiToken?: string | undefined;
}

/** Who has a public name. */
export interface HostnameHolder {
  readonly session: string;
  readonly task: string;
}

/** See the module. */
export interface TunnelWorld {
  /** Folder of a project's tunnels. */
  folder(projectId: string): string;
  /** Path of the log of the requests to a public task. */
  requestLog(projectId: string, task: string): string;
  /** Where the requests of strangers to a task go now. Starts nothing. */
  route(
    of: { readonly projectId: string; readonly task: string },
    client: { readonly signal: AbortSignal },
  ): Promise<Route>;
  failed(upstream: Upstream, error: Error): Refusal;
  provider(backend: TunnelBackend): Promise<TunnelProvider>;
  /** As they are in the files now. */
  settings(
    project: ProjectSupervisor,
    env: Readonly<Record<string, string>>,
    overrides?: SettingOverrides,
  ): Promise<CloudflareSettings>;
  /** Who has a public name, of all projects; null = nobody. */
  holderOf(hostname: string): HostnameHolder | null;
  onError(error: unknown, context: string): void;
}
