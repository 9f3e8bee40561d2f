/**
 * The settings of public names as they are told: what counts for a project, where it stands, what is odd. Pure.
 *
 * @module
 */

import type { ProjectSpec } from "../domain/task_spec.ts";
import { type HostConfig, maskSecret } from "./host_config.ts";
import {
  type CloudflareSettings,
  cloudflareSettings,
  type Setting,
} from "./tunnel_settings.ts";

/** What it is told from. */
export interface TunnelConfigParts {
  readonly projectId: string;
  readonly spec: ProjectSpec;
  readonly host: HostConfig["cloudflare"];
  readonly hostPath: string;
  /** Permission bits of that file; null = there is none. */
  readonly hostMode: number | null;
  /** The environment of whoever asks. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether the program is on the PATH of that environment. */
  readonly hasCloudflared: boolean;
  /** Task → where it was public last. */
  readonly urls: ReadonlyMap<string, string>;
  /** Whether the token of the host's file is told in full. */
  readonly reveal: boolean;
}

/** A value and where it stands; a secret is masked. */
interface SettingView {
  readonly value: string | null;
  readonly source: string | null;
  readonly masked?: true;
  readonly [key: string]: unknown;
}

/** What counts, without a secret. */
export interface EffectiveView {
  readonly account_id: SettingView;
  readonly zone_id: SettingView;
  readonly tunnel_name: SettingView;
  readonly api_token: SettingView;
  readonly [key: string]: unknown;
}

/** What counts, without a secret. */
export function viewSettings(settings: CloudflareSettings): EffectiveView {
  const { accountId, zoneId, tunnelName, apiToken } = settings;
  const { value, source } = apiToken;
  return {
    account_id: view(accountId),
    zone_id: view(zoneId),
    tunnel_name: view(tunnelName),
    api_token: {
      value: value === null ? null : maskSecret(value),
      source,
      masked: true,
    },
  };
}

/** The settings as `tunnel config` tells them. */
export interface TunnelConfigView {
  readonly ok: true;
  readonly backend: "cloudflare";
  readonly project_id: string;
  readonly config_path: string;
  readonly global_config_path: string;
  readonly effective: EffectiveView;
  readonly global: {
    readonly account_id: string | null;
    readonly zone_id: string | null;
    readonly tunnel_name: string | null;
    readonly api_token: string | null;
    readonly api_token_env: string;
  };
  readonly project: {
    readonly zone_id: string | null;
    readonly tunnel_name: string | null;
  };
  /** Those that name a tunnel. */
  readonly tasks: {
    readonly name: string;
    readonly tunnel: string | null;
    readonly host: string | null;
    readonly public_hostname: string | null;
    readonly public_url: string | null;
  }[];
  readonly cloudflared_in_path: boolean;
  /** Such as `0600`; null = there is no such file. */
  readonly config_file_mode: string | null;
  readonly config_file_mode_ok: boolean;
  readonly warnings: string[];
  /** Index signature for answers that may grow. */
  readonly [key: string]: unknown;
}

/** Puts them together. */
export function viewTunnelConfig(parts: TunnelConfigParts): TunnelConfigView {
  const { projectId, spec, host, hostPath, hostMode, env, urls } = parts;
  const isHostFileOpen = hostMode !== null && (hostMode & 0o077) !== 0;
  const settings = cloudflareSettings({
    projectId,
    host,
    project: spec.tunnel,
    env,
    isHostFileOpen,
    hostPath,
  });
  const { apiToken } = host;
  return {
    ok: true,
    backend: "cloudflare",
    project_id: projectId,
    config_path: spec.configPath,
    global_config_path: hostPath,
    effective: viewSettings(settings),
    global: {
      account_id: host.accountId,
      zone_id: host.zoneId,
      tunnel_name: host.tunnelName,
      api_token: apiToken === null || parts.reveal
        ? apiToken
        : maskSecret(apiToken),
      api_token_env: host.apiTokenEnv,
    },
    project: {
      zone_id: spec.tunnel.zoneId,
      tunnel_name: spec.tunnel.tunnelName,
    },
    tasks: [...spec.tasks.values()].flatMap((task) =>
      task.tunnel === null && task.publicHostname === null ? [] : [{
        name: task.name,
        tunnel: task.tunnel,
        host: task.host,
        public_hostname: task.publicHostname,
        public_url: urls.get(task.name) ?? null,
      }]
    ),
    cloudflared_in_path: parts.hasCloudflared,
    config_file_mode: hostMode === null
      ? null
      : (hostMode & 0o7777).toString(8).padStart(4, "0"),
    config_file_mode_ok: settings.tokenFlaw === null,
    warnings: settings.tokenFlaw === null
      ? []
      : [`${settings.tokenFlaw}; run: chmod 600 "${hostPath}"`],
  };
}

function view({ value, source }: Setting): SettingView {
  return { value, source };
}
