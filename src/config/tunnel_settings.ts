/**
 * The settings of Cloudflare for one project: which value counts, and where it stands.
 *
 * @module
 */

import type { HostConfig } from "./host_config.ts";

/** Where a value stands: `override` = it came with the call, `default` = nowhere, it is taskmux's own. */
export type SettingSource =
  | "override"
  | "project"
  | "global"
  | "env"
  | "default";

const SOURCE_WORDS: Readonly<Record<SettingSource, string>> = {
  override: "as chosen now",
  project: "from taskmux.toml",
  global: "from config.toml",
  env: "from the environment",
  default: "as taskmux names it",
};

/** Where a value stands, for people; empty if there is none. */
export function sourceText(source: SettingSource | null): string {
  return source === null ? "" : SOURCE_WORDS[source];
}

/** A value and where it stands. */
export interface Setting<T extends string | null = string | null> {
  readonly value: T;
  /** Null = there is no value. */
  readonly source: SettingSource | null;
}

/** What a project says for itself. */
export interface ProjectTunnelSettings {
  readonly zoneId: string | null;
  readonly tunnelName: string | null;
}

/** What counts for one project. */
export interface CloudflareSettings {
  readonly accountId: Setting;
  readonly zoneId: Setting;
  readonly tunnelName: Setting<string>;
  /** A secret: never in output, logs or arguments. */
  readonly apiToken: Setting;
  /** Name of the variable in which a token is looked for. */
  readonly apiTokenEnv: string;
  /** Why a token that is there is not used; null = nothing is wrong. */
  readonly tokenFlaw: string | null;
}

/** What the settings are made of. */
export interface TunnelSettingParts {
  readonly projectId: string;
  readonly host: HostConfig["cloudflare"];
  readonly project: ProjectTunnelSettings;
  /** The environment of whoever asks. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether the file of the host's settings can be read by others than its owner. */
  readonly isHostFileOpen: boolean;
  /** Path of that file, for sentences. */
  readonly hostPath: string;
  readonly overrides?: {
    readonly accountId?: string | undefined;
    readonly zoneId?: string | undefined;
    readonly apiToken?: string | undefined;
  };
}

/**
 * Which value counts, each for itself: what came with the call, then the project's, then the host's, then the
 * environment's. A token in a file that others can read does not count.
 */
export function cloudflareSettings(
  parts: TunnelSettingParts,
): CloudflareSettings {
  const { host, project, env, overrides = {}, projectId } = parts;
  const inEnv = env[host.apiTokenEnv]?.trim();
  const isOpen = parts.isHostFileOpen && host.apiToken !== null;
  return {
    accountId: first([
      ["override", overrides.accountId],
      ["global", host.accountId],
    ]),
    zoneId: first([
      ["override", overrides.zoneId],
      ["project", project.zoneId],
      ["global", host.zoneId],
    ]),
    tunnelName: first([
      ["project", project.tunnelName],
      ["global", host.tunnelName],
    ], `taskmux-${projectId}`),
    apiToken: first([
      ["override", overrides.apiToken],
      ["global", isOpen ? null : host.apiToken],
      ["env", inEnv === "" ? null : inEnv],
    ]),
    apiTokenEnv: host.apiTokenEnv,
    tokenFlaw: isOpen
      ? `"${parts.hostPath}" holds an api_token and can be read by others than its owner`
      : null,
  };
}

type Candidate = readonly [SettingSource, string | null | undefined];

function first(candidates: readonly Candidate[]): Setting;
function first(
  candidates: readonly Candidate[],
  fallback: string,
): Setting<string>;
function first(
  candidates: readonly Candidate[],
  fallback: string | null = null,
): Setting {
  for (const [source, value] of candidates) {
    if (value !== null && value !== undefined) return { value, source };
  }
  return fallback === null
    ? { value: null, source: null }
    : { value: fallback, source: "default" };
}
