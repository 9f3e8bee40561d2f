/**
 * The table of error codes: what each one means and how a process exits with it.
 * Pure data, because the CLI reads it on its fast path.
 *
 * @module
 */

/** Exit status of the CLI, stable for scripts. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  config: 3,
  notFound: 4,
  conflict: 5,
  unavailable: 6,
  timeout: 124,
  interrupted: 130,
} as const;

/** What is known about one error code. */
export interface ErrorCodeInfo {
  /** Exit status of the CLI. */
  readonly exit: number;
  /** Stable word of the WebSocket and MCP surfaces. */
  readonly slug: string;
}

/** Every code a user can meet. A code is never reused with another meaning. */
export const ERROR_CODES = {
  E100: { exit: EXIT.config, slug: "config_not_found" },
  E101: { exit: EXIT.config, slug: "config_syntax" },
  E102: { exit: EXIT.config, slug: "invalid_task" },
  E103: { exit: EXIT.config, slug: "unknown_keys" },
  E104: { exit: EXIT.config, slug: "invalid_value" },
  E200: { exit: EXIT.notFound, slug: "unknown_task" },
  E201: { exit: EXIT.conflict, slug: "already_running" },
  E202: { exit: EXIT.notFound, slug: "not_running" },
  E210: { exit: EXIT.config, slug: "unknown_dependency" },
  E211: { exit: EXIT.config, slug: "self_dependency" },
  E212: { exit: EXIT.config, slug: "dependency_cycle" },
  E213: { exit: EXIT.config, slug: "cwd_missing" },
  E214: { exit: EXIT.conflict, slug: "port_taken" },
  E300: { exit: EXIT.notFound, slug: "nothing_running" },
  E301: { exit: EXIT.conflict, slug: "session_running" },
  E303: { exit: EXIT.notFound, slug: "unknown_session" },
  E305: { exit: EXIT.conflict, slug: "registered_elsewhere" },
  E400: { exit: EXIT.failure, slug: "hook_failed" },
  E401: { exit: EXIT.failure, slug: "hook_timeout" },
  E402: { exit: EXIT.failure, slug: "dependency_failed" },
  E403: { exit: EXIT.failure, slug: "start_failed" },
  E500: { exit: EXIT.usage, slug: "invalid_argument" },
  E600: { exit: EXIT.unavailable, slug: "daemon_unreachable" },
  E601: { exit: EXIT.unavailable, slug: "version_mismatch" },
  E602: { exit: EXIT.timeout, slug: "timeout" },
  E603: { exit: EXIT.interrupted, slug: "interrupted" },
  E700: { exit: EXIT.notFound, slug: "no_host" },
  E701: { exit: EXIT.failure, slug: "wildcard_host" },
  E702: { exit: EXIT.conflict, slug: "host_taken" },
  E703: { exit: EXIT.notFound, slug: "alias_not_found" },
  E704: { exit: EXIT.failure, slug: "not_opened" },
  E710: { exit: EXIT.failure, slug: "certificate_failed" },
  E711: { exit: EXIT.failure, slug: "trust_failed" },
  E720: { exit: EXIT.failure, slug: "resolver_failed" },
  E721: { exit: EXIT.failure, slug: "dns_query_failed" },
  E730: { exit: EXIT.notFound, slug: "no_repository" },
  E740: { exit: EXIT.failure, slug: "preflight_failed" },
  E741: { exit: EXIT.failure, slug: "tunnel_failed" },
  E742: { exit: EXIT.conflict, slug: "hostname_taken" },
  E743: { exit: EXIT.notFound, slug: "no_tunnel" },
  E900: { exit: EXIT.failure, slug: "internal" },
} as const satisfies Record<string, ErrorCodeInfo>;

/** A code of {@linkcode ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;
