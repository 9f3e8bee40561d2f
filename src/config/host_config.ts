/**
 * The settings of the host, `~/.taskmux/config.toml`: read and described.
 *
 * An unknown key is only a warning here: an older taskmux must start with a newer one's file.
 *
 * @module
 */

import type { JsonObject } from "../kit/json.ts";
import { readConfigText } from "./config_file.ts";
import { HOST_FIELDS, type HostValues } from "./host_keys.ts";
import { ProblemList } from "./problem.ts";
import { readFields } from "./rule.ts";
import { TomlDocument } from "./toml_document.ts";

/** Bits of a file's mode that let others than its owner in. */
const OTHERS_MODE = 0o077;

/** Shorter tokens are not shown at all, not even in part. */
const MIN_MASKABLE_LENGTH = 9;

const DEFAULT_TOKEN_VARIABLE = "CLOUDFLARE_API_TOKEN";

/** Settings of the host, every default filled in. */
export interface HostConfig {
  readonly healthCheckIntervalMs: number;
  /** 0 = any free port. */
  readonly apiPort: number;
  readonly proxy: {
    readonly enabled: boolean;
    readonly httpsPort: number;
    readonly bind: string;
    /** 0 = no redirect. */
    readonly httpRedirectPort: number;
  };
  readonly hostResolver: HostValues["host_resolver"];
  readonly dns: { readonly serverPort: number; readonly managedTld: string };
  readonly caProvider: HostValues["ca_provider"];
  readonly autoInjectAgents: boolean;
  readonly cloudflare: {
    readonly accountId: string | null;
    readonly zoneId: string | null;
    readonly tunnelName: string | null;
    /** A secret: never in output, logs or arguments. */
    readonly apiToken: string | null;
    readonly apiTokenEnv: string;
  };
  readonly mcp: {
    readonly enabled: boolean;
    readonly path: string;
    /** Empty = all. */
    readonly filter: readonly string[];
    /** Empty = all. */
    readonly tools: readonly string[];
  };
}

/** A host's settings and what is odd about their file. */
export interface HostConfigReading {
  readonly config: HostConfig;
  /** Sentences with file, line and column. */
  readonly warnings: readonly string[];
}

/**
 * Reads the settings.
 *
 * @param text The content of the file; empty gives the defaults.
 * @throws {TaskmuxError} E101 for a syntax error, E104 for wrong values, all of them at once.
 */
export function parseHostConfig(text: string, path: string): HostConfigReading {
  const document = new TomlDocument(text, path);
  const problems = new ProblemList();
  const { value } = document;
  const reading = { document, problems, path: [], value };
  const values = readFields(HOST_FIELDS, reading);
  const unknown = problems.take("E103", document);
  problems.throwIfAny(document);
  const warnings = unknown.map(({ message, line, column, hint }) =>
    `${path}:${line}:${column} ${message}${
      hint === undefined ? "" : ` (${hint})`
    }`
  );
  return { config: configOf(values), warnings };
}

/**
 * Reads the settings from their file. Without a file there are the defaults.
 *
 * @param path Absolute.
 * @throws {TaskmuxError} As {@linkcode parseHostConfig}, and E100 if the file is there but cannot be read.
 */
export async function loadHostConfig(path: string): Promise<HostConfigReading> {
  const text = await readConfigText(path);
  const { config, warnings } = parseHostConfig(text ?? "", path);
  if (text === null || config.cloudflare.apiToken === null) {
    return { config, warnings };
  }
  if (!await isOpenToOthers(path)) return { config, warnings };
  const warning = `${path} holds an api_token and is open to others than its ` +
    `owner; run: chmod 600 "${path}"`;
  return { config, warnings: [...warnings, warning] };
}

/** Whether others than its owner may read or write a file. One that is not there is open to nobody. */
export async function isOpenToOthers(path: string): Promise<boolean> {
  const mode = await fileMode(path);
  return mode !== null && (mode & OTHERS_MODE) !== 0;
}

/** The mode of a file; null = there is none. */
export async function fileMode(path: string): Promise<number | null> {
  try {
    return (await Deno.stat(path)).mode;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The settings under the names of the file, for people and `--json`. The token is masked unless revealed. */
export function describeHostConfig(
  config: HostConfig,
  options: { readonly reveal: boolean },
): JsonObject {
  const { proxy, dns, cloudflare, mcp } = config;
  const token = cloudflare.apiToken;
  return {
    health_check_interval: config.healthCheckIntervalMs / 1000,
    api_port: config.apiPort,
    proxy_enabled: proxy.enabled,
    proxy_https_port: proxy.httpsPort,
    proxy_bind: proxy.bind,
    proxy_http_redirect_port: proxy.httpRedirectPort,
    host_resolver: config.hostResolver,
    dns_server_port: dns.serverPort,
    dns_managed_tld: dns.managedTld,
    ca_provider: config.caProvider,
    auto_inject_agents: config.autoInjectAgents,
    tunnel: {
      cloudflare: {
        account_id: cloudflare.accountId,
        zone_id: cloudflare.zoneId,
        tunnel_name: cloudflare.tunnelName,
        api_token: token === null || options.reveal ? token : maskSecret(token),
        api_token_env: cloudflare.apiTokenEnv,
      },
    },
    mcp: {
      enabled: mcp.enabled,
      path: mcp.path,
      filter: mcp.filter,
      tools: mcp.tools,
    },
  };
}

/** A secret that can be recognised but not used: its first and last four characters, or none of a short one. */
export function maskSecret(secret: string): string {
  return secret.length < MIN_MASKABLE_LENGTH
    ? "***"
    : `${secret.slice(0, 4)}***${secret.slice(-4)}`;
}

/** Whether a dotted key of the settings is a secret. */
export function isSecretKey(key: string): boolean {
  return key === "tunnel.cloudflare.api_token";
}

function configOf(values: HostValues): HostConfig {
  const { cloudflare } = values.tunnel;
  return {
    healthCheckIntervalMs: values.health_check_interval * 1000,
    apiPort: values.api_port,
    proxy: {
      enabled: values.proxy_enabled,
      httpsPort: values.proxy_https_port,
      bind: values.proxy_bind,
      httpRedirectPort: values.proxy_http_redirect_port,
    },
    hostResolver: values.host_resolver,
    dns: {
      serverPort: values.dns_server_port,
      managedTld: values.dns_managed_tld,
    },
    caProvider: values.ca_provider,
    autoInjectAgents: values.auto_inject_agents,
    cloudflare: {
      accountId: cloudflare.account_id ?? values.cloudflare_account_id,
      zoneId: cloudflare.zone_id,
      tunnelName: cloudflare.tunnel_name,
      apiToken: cloudflare.api_token,
      apiTokenEnv: cloudflare.api_token_env ??
        values.cloudflare_api_token_env ?? DEFAULT_TOKEN_VARIABLE,
    },
    mcp: values.mcp,
  };
}
