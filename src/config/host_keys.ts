/**
 * Every key of the host's `config.toml`: the one definition from which reading, `config set` and messages derive.
 *
 * @module
 */

import {
  choice,
  defaulted,
  flag,
  integer,
  list,
  optional,
  section,
  text,
  type Values,
} from "./rule.ts";
import { EVENT_CATALOG } from "../domain/event_catalog.ts";
import { MCP_TOOL_NAMES, shortToolName } from "../domain/mcp_tool_names.ts";
import { growing, label } from "./value_rules.ts";

const MAX_PORT = 65_535;

/** An address to bind to, as far as a pattern can tell. */
const ADDRESS_REGEXP =
  /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$/;

const variableName = text({
  expected: "the name of an environment variable",
  pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
});

const CLOUDFLARE_FIELDS = {
  account_id: optional(text(), "Cloudflare account"),
  zone_id: optional(text(), "Zone of the public names; else it is looked up"),
  tunnel_name: optional(text(), "Name of the tunnel"),
  api_token: optional(
    text(),
    "Cloudflare token; the file must then be readable by its owner only",
  ),
  api_token_env: optional(
    variableName,
    "Environment variable that holds the Cloudflare token",
  ),
};

const EVENT_TYPES = Object.keys(EVENT_CATALOG);

const TUNNEL_FIELDS = {
  cloudflare: section(
    CLOUDFLARE_FIELDS,
    "Cloudflare settings shared by every project",
  ),
};

const MCP_FIELDS = {
  enabled: defaulted(flag(), true, "Whether the daemon answers MCP clients"),
  path: defaulted(
    text({ expected: 'a path that starts with "/"', pattern: /^\/\S*$/ }),
    "/mcp",
    "Path of the MCP endpoint on the API port",
  ),
  filter: defaulted(
    list(growing("event type", EVENT_TYPES), "event types"),
    [],
    "Types of events that clients are told of; empty = all",
  ),
  tools: defaulted(
    list(growing("tool", MCP_TOOL_NAMES, shortToolName), "tool names"),
    [],
    "Tools that clients are offered; empty = all",
  ),
};

/** Keys of the file. */
export const HOST_FIELDS = {
  health_check_interval: defaulted(
    integer(1, 86_400),
    30,
    "Seconds between health sweeps of the daemon",
  ),
  api_port: defaulted(
    integer(0, MAX_PORT),
    8765,
    "Port of the API on 127.0.0.1; 0 = any free one",
  ),
  proxy_enabled: defaulted(flag(), true, "Whether the HTTPS proxy runs"),
  proxy_https_port: defaulted(
    integer(0, MAX_PORT),
    443,
    "Port of the HTTPS proxy, 8443 where 443 cannot be bound; 0 = any free one",
  ),
  proxy_bind: defaulted(
    text({ expected: "an IP address", pattern: ADDRESS_REGEXP }),
    "127.0.0.1",
    "Address that the proxy binds to",
  ),
  proxy_http_redirect_port: defaulted(
    integer(0, MAX_PORT),
    80,
    "Port that redirects HTTP to HTTPS, 8080 where 80 cannot be bound; 0 = none",
  ),
  host_resolver: defaulted(
    choice(["auto", "etc_hosts", "dns_server", "noop"]),
    "auto",
    "How host names are made to resolve; auto = by the hosts file, where the machine does not do it by itself",
  ),
  dns_server_port: defaulted(
    integer(0, MAX_PORT),
    5454,
    "Port of the DNS server on 127.0.0.1 and ::1; 0 = any free one",
  ),
  dns_managed_tld: defaulted(
    label(),
    "localhost",
    "Top-level domain of the host names",
  ),
  ca_provider: defaulted(
    choice(["builtin", "mkcert"]),
    "builtin",
    "Who signs the certificates: a CA of taskmux's own, or mkcert's",
  ),
  auto_inject_agents: defaulted(
    flag(),
    true,
    "Whether add and remove refresh the block in CLAUDE.md and AGENTS.md",
  ),
  cloudflare_account_id: optional(
    text(),
    "Old name of tunnel.cloudflare.account_id",
  ),
  cloudflare_api_token_env: optional(
    variableName,
    "Old name of tunnel.cloudflare.api_token_env",
  ),
  tunnel: section(TUNNEL_FIELDS, "Settings of public names"),
  mcp: section(MCP_FIELDS, "The MCP server"),
};

/** What stands in the file. */
export type HostValues = Values<typeof HOST_FIELDS>;
