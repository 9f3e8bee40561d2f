// deno-fmt-ignore-file
/**
 * Parameters and answers of `task.*`. Generated from the contract by `deno task generate`.
 *
 * @module
 */

/** See the module. */
export interface TaskOperations {
  /** Have tasks up: start what does not run, wait until it is healthy, tell where it is. */
  readonly "task.ensure": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks: readonly string[];
      readonly for?: string;
      readonly env?: { readonly [key: string]: string };
      readonly timeout?: number;
      readonly waited?: number;
    };
    readonly result: {
      readonly ok: boolean;
      readonly task?: string;
      readonly action?: "started" | "noop";
      readonly state?: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
      readonly pid?: number | null;
      readonly port?: number | null;
      readonly url?: string | null;
      readonly error_code?: string;
      readonly error?: string;
      readonly hint?: string;
      readonly details?: { readonly [key: string]: unknown };
      readonly age?: number | null;
      readonly line?: string;
      readonly results?: readonly {
        readonly ok: boolean;
        readonly task: string;
        readonly action: "started" | "noop";
        readonly state: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
        readonly pid: number | null;
        readonly port: number | null;
        readonly url: string | null;
        readonly error_code?: string;
        readonly error?: string;
        readonly hint?: string;
        readonly details?: { readonly [key: string]: unknown };
        readonly age: number | null;
        readonly line?: string;
        readonly [key: string]: unknown;
      }[];
      readonly warnings?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Probe tasks now and tell which are healthy and why not. */
  readonly "task.health": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks?: readonly string[];
    };
    readonly result: {
      readonly ok: true;
      readonly healthy_count: number;
      readonly total_count: number;
      readonly completed_count: number;
      readonly tasks: readonly {
        readonly name: string;
        readonly healthy: boolean | null;
        readonly method: string;
        readonly reason: string | null;
        readonly [key: string]: unknown;
      }[];
      readonly [key: string]: unknown;
    };
  };
  /** Show everything known about one task. */
  readonly "task.inspect": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly task: string;
    };
    readonly result: {
      readonly name: string;
      readonly running: boolean;
      readonly healthy: boolean;
      readonly state: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
      readonly command: string;
      readonly auto_start: boolean;
      readonly start_on_request: boolean;
      readonly pid: number | null;
      readonly port: number | null;
      readonly host: string | null;
      readonly url: string | null;
      readonly public_url: string | null;
      readonly tunnel: {
        readonly backend: "cloudflare" | "cloudflare-quick" | "tailscale" | "ngrok" | "noop";
        readonly state: "opening" | "open" | "failing" | "waiting" | "off";
        readonly public: boolean;
        readonly public_url: string | null;
        readonly public_hostname: string | null;
        readonly access: "open" | "basic" | "link";
        readonly reach: "public" | "tailnet";
        readonly standing: boolean;
        readonly opened_at: number | null;
        readonly expires_at: number | null;
        readonly origin: string | null;
        readonly process: string | null;
        readonly reason: string | null;
        readonly requests: number;
        readonly refused: number;
        readonly [key: string]: unknown;
      } | null;
      readonly restart_policy: "no" | "on-failure" | "always";
      readonly restart_count: number;
      readonly cwd: string;
      readonly depends_on: readonly string[];
      readonly started_at: number | null;
      readonly exit_code: number | null;
      readonly last_health: {
        readonly ok: boolean;
        readonly method: string;
        readonly reason: string | null;
        readonly at: number;
        readonly output?: string;
      } | null;
      readonly events: { readonly [key: string]: number };
      readonly reason: string | null;
      readonly waiting_for: readonly {
        readonly task: string;
        readonly condition: string;
        readonly state: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
      }[];
      readonly manual: boolean;
      readonly config_changed: boolean;
      readonly restart_in: number | null;
      readonly scope: "project" | "repo";
      readonly shared_from: string | null;
      readonly role?: "tunnel";
      readonly ok: true;
      readonly [key: string]: unknown;
    };
  };
  /** End tasks at once with SIGKILL, without hooks. */
  readonly "task.kill": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks: readonly string[];
    };
    readonly result: {
      readonly ok: boolean;
      readonly task?: string;
      readonly session?: string;
      readonly action?: string;
      readonly tasks?: readonly string[];
      readonly results?: readonly {
        readonly ok: boolean;
        readonly task: string;
        readonly action?: "started" | "noop" | "stopped" | "restarted" | "killed";
        readonly state?: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
        readonly pid?: number | null;
        readonly port?: number | null;
        readonly url?: string | null;
        readonly error_code?: string;
        readonly error?: string;
        readonly hint?: string;
        readonly details?: { readonly [key: string]: unknown };
        readonly [key: string]: unknown;
      }[];
      readonly warnings?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Stop tasks that run and start them again. */
  readonly "task.restart": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks?: readonly string[];
      readonly env?: { readonly [key: string]: string };
      readonly timeout?: number;
      readonly wait?: boolean;
    };
    readonly result: {
      readonly ok: boolean;
      readonly task?: string;
      readonly session?: string;
      readonly action?: string;
      readonly tasks?: readonly string[];
      readonly results?: readonly {
        readonly ok: boolean;
        readonly task: string;
        readonly action?: "started" | "noop" | "stopped" | "restarted" | "killed";
        readonly state?: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
        readonly pid?: number | null;
        readonly port?: number | null;
        readonly url?: string | null;
        readonly error_code?: string;
        readonly error?: string;
        readonly hint?: string;
        readonly details?: { readonly [key: string]: unknown };
        readonly [key: string]: unknown;
      }[];
      readonly warnings?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Run a command as an ad-hoc task under the daemon. */
  readonly "task.run": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly task: string;
      readonly command: string;
      readonly cwd: string;
      readonly env?: { readonly [key: string]: string };
    };
    readonly result: {
      readonly ok: boolean;
      readonly task?: string;
      readonly session?: string;
      readonly action?: string;
      readonly tasks?: readonly string[];
      readonly results?: readonly {
        readonly ok: boolean;
        readonly task: string;
        readonly action?: "started" | "noop" | "stopped" | "restarted" | "killed";
        readonly state?: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
        readonly pid?: number | null;
        readonly port?: number | null;
        readonly url?: string | null;
        readonly error_code?: string;
        readonly error?: string;
        readonly hint?: string;
        readonly details?: { readonly [key: string]: unknown };
        readonly [key: string]: unknown;
      }[];
      readonly warnings?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Start tasks and what they depend on, in dependency order. */
  readonly "task.start": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks?: readonly string[];
      readonly env?: { readonly [key: string]: string };
      readonly timeout?: number;
      readonly wait?: boolean;
      readonly if_stopped?: boolean;
      readonly deps?: boolean;
    };
    readonly result: {
      readonly ok: boolean;
      readonly task?: string;
      readonly session?: string;
      readonly action?: string;
      readonly tasks?: readonly string[];
      readonly results?: readonly {
        readonly ok: boolean;
        readonly task: string;
        readonly action?: "started" | "noop" | "stopped" | "restarted" | "killed";
        readonly state?: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
        readonly pid?: number | null;
        readonly port?: number | null;
        readonly url?: string | null;
        readonly error_code?: string;
        readonly error?: string;
        readonly hint?: string;
        readonly details?: { readonly [key: string]: unknown };
        readonly [key: string]: unknown;
      }[];
      readonly warnings?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Show every task of a project with its state and the evidence for it. */
  readonly "task.status": {
    readonly params: { readonly scope: { readonly config?: string; readonly session?: string } };
    readonly result: {
      readonly ok: true;
      readonly session: string;
      readonly project_id: string;
      readonly config_path: string;
      readonly running: boolean;
      readonly active_tasks: number;
      readonly tasks: readonly ({
        readonly name: string;
        readonly running: boolean;
        readonly healthy: boolean;
        readonly state: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
        readonly command: string;
        readonly auto_start: boolean;
        readonly start_on_request: boolean;
        readonly pid: number | null;
        readonly port: number | null;
        readonly host: string | null;
        readonly url: string | null;
        readonly public_url: string | null;
        readonly tunnel: {
          readonly backend: "cloudflare" | "cloudflare-quick" | "tailscale" | "ngrok" | "noop";
          readonly state: "opening" | "open" | "failing" | "waiting" | "off";
          readonly public: boolean;
          readonly public_url: string | null;
          readonly public_hostname: string | null;
          readonly access: "open" | "basic" | "link";
          readonly reach: "public" | "tailnet";
          readonly standing: boolean;
          readonly opened_at: number | null;
          readonly expires_at: number | null;
          readonly origin: string | null;
          readonly process: string | null;
          readonly reason: string | null;
          readonly requests: number;
          readonly refused: number;
          readonly [key: string]: unknown;
        } | null;
        readonly restart_policy: "no" | "on-failure" | "always";
        readonly restart_count: number;
        readonly cwd: string;
        readonly depends_on: readonly string[];
        readonly started_at: number | null;
        readonly exit_code: number | null;
        readonly last_health: {
          readonly ok: boolean;
          readonly method: string;
          readonly reason: string | null;
          readonly at: number;
        } | null;
        readonly events: { readonly [key: string]: number };
        readonly reason: string | null;
        readonly waiting_for: readonly {
          readonly task: string;
          readonly condition: string;
          readonly state: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
        }[];
        readonly manual: boolean;
        readonly config_changed: boolean;
        readonly restart_in: number | null;
        readonly scope: "project" | "repo";
        readonly shared_from: string | null;
        readonly role?: "tunnel";
        readonly [key: string]: unknown;
      })[];
      readonly aliases: readonly {
        readonly name: string;
        readonly host: string;
        readonly port: number;
        readonly url: string | null;
        readonly [key: string]: unknown;
      }[];
      readonly proxy: {
        readonly enabled: boolean;
        readonly bound: boolean;
        readonly port: number | null;
        readonly reason: string | null;
      };
      readonly config_error: {
        readonly error_code: string;
        readonly error: string;
        readonly line: number | null;
        readonly column: number | null;
      } | null;
      readonly warnings: readonly string[];
      readonly daemon_pid: number | null;
      readonly [key: string]: unknown;
    };
  };
  /** Stop tasks gracefully, dependents first, until no process of them is left. */
  readonly "task.stop": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks?: readonly string[];
    };
    readonly result: {
      readonly ok: boolean;
      readonly task?: string;
      readonly session?: string;
      readonly action?: string;
      readonly tasks?: readonly string[];
      readonly results?: readonly {
        readonly ok: boolean;
        readonly task: string;
        readonly action?: "started" | "noop" | "stopped" | "restarted" | "killed";
        readonly state?: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
        readonly pid?: number | null;
        readonly port?: number | null;
        readonly url?: string | null;
        readonly error_code?: string;
        readonly error?: string;
        readonly hint?: string;
        readonly details?: { readonly [key: string]: unknown };
        readonly [key: string]: unknown;
      }[];
      readonly warnings?: readonly string[];
      readonly [key: string]: unknown;
    };
  };
  /** Wait until tasks reach a condition, or it has become impossible, or the time is over. */
  readonly "task.wait": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly tasks: readonly string[];
      readonly for?: string;
      readonly any?: boolean;
      readonly timeout?: number;
      readonly waited?: number;
      readonly after?: number | null;
    };
    readonly result: {
      readonly ok: true;
      readonly for: string;
      readonly waited: number;
      readonly met: readonly string[];
      readonly tasks: readonly {
        readonly task: string;
        readonly state: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
        readonly met: boolean;
        readonly pid: number | null;
        readonly port: number | null;
        readonly line?: string;
        readonly event?: { readonly [key: string]: unknown };
        readonly [key: string]: unknown;
      }[];
      readonly event?: { readonly [key: string]: unknown };
      readonly [key: string]: unknown;
    };
  };
  /** Explain why a task is in its state: the evidence, and what comes next. */
  readonly "task.why": {
    readonly params: {
      readonly scope: { readonly config?: string; readonly session?: string };
      readonly task: string;
    };
    readonly result: {
      readonly ok: true;
      readonly task: string;
      readonly state: "stopped" | "waiting" | "starting" | "running" | "healthy" | "unhealthy" | "stopping" | "backoff" | "failed" | "completed";
      readonly url?: string | null;
      readonly summary: string;
      readonly chain: readonly {
        readonly kind: string;
        readonly text: string;
        readonly at?: number;
        readonly age_s?: number;
        readonly [key: string]: unknown;
      }[];
      readonly next: { readonly taskmux: string; readonly you: string | null };
      readonly [key: string]: unknown;
    };
  };
}
