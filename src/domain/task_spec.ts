/**
 * What a task and a project are after their file was read: plain data, every default filled in, every path absolute,
 * every duration in milliseconds. Nothing below reads TOML again.
 *
 * @module
 */

/** When a dependency counts as satisfied. */
export type DependencyCondition = "healthy" | "started" | "completed";

/** One entry of `depends_on`. */
export interface Dependency {
  readonly task: string;
  readonly condition: DependencyCondition;
}

/** Shell commands run around a start or a stop. */
export interface Hooks {
  readonly before_start?: string;
  readonly after_start?: string;
  readonly before_stop?: string;
  readonly after_stop?: string;
}

/** The name of a hook. */
export type HookName = keyof Hooks;

/** When to start a task again by itself. */
export type RestartPolicy = "no" | "on-failure" | "always";

/** How a task is probed. The first of url, check, TCP and process that applies is used. */
export interface HealthSpec {
  /** `health_url`, unexpanded. */
  readonly url: string | null;
  readonly expectedStatus: number;
  /** Regular expression source, searched in the first 64 KiB of the body. */
  readonly expectedBody: string | null;
  /** `health_check`, a shell command. */
  readonly check: string | null;
  /** `ready_log`, regular expression source matched against each output line. Readiness only. */
  readonly readyLog: string | null;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Consecutive failures until the task counts as unhealthy. */
  readonly retries: number;
  /** Time after the spawn in which failures do not count. */
  readonly bootGraceMs: number;
}

/** How a task is restarted. */
export interface RestartSpec {
  readonly policy: RestartPolicy;
  /** 0 = no limit. */
  readonly maxRestarts: number;
  /** Base of the exponential delay in seconds. */
  readonly backoff: number;
  readonly successExitCodes: readonly number[];
}

/** How a task's output is kept. */
export interface LogSpec {
  /** Absolute path of `log_file`, or null for the default place. */
  readonly file: string | null;
  readonly maxBytes: number;
  /** Rotated files kept beside the current one. */
  readonly maxFiles: number;
}

/** One task, ready to run. */
export interface TaskSpec {
  readonly name: string;
  readonly command: string;
  /** Program that gets `-c command`; null = `/bin/sh`. */
  readonly shell: string | null;
  /** Absolute. */
  readonly cwd: string;
  /** Project and task env files in order of reading, absolute paths. */
  readonly envFiles: readonly string[];
  /** The project's `env` then the task's, in file order. A later entry may use an earlier one as `$NAME`. */
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly autoStart: boolean;
  /** Whether the first request for its host starts it. Absent = it does not. */
  readonly startOnRequest?: boolean;
  /** Slug, `"@"` or `"*"`; null = no host name. */
  readonly host: string | null;
  readonly hostPath: string;
  /** Fixed port; null = a free one, if the task has a port at all. */
  readonly port: number | null;
  /** Whether the task gets `$PORT`: it has a host or port, or mentions PORT in its command or probes. */
  readonly wantsPort: boolean;
  readonly dependsOn: readonly Dependency[];
  readonly health: HealthSpec;
  readonly restart: RestartSpec;
  readonly stopSignal: string;
  readonly stopGraceMs: number;
  /** Processes the task may add to those its user has when it starts; 0 = any number. */
  readonly pidsLimit: number;
  readonly watch: readonly string[];
  readonly watchIgnore: readonly string[];
  readonly log: LogSpec;
  readonly tunnel: string | null;
  readonly publicHostname: string | null;
  /** `tunnel`: the program of a provider that makes another task public. Absent = a task of the user's. */
  readonly role?: "tunnel";
  readonly hooks: Hooks;
  /** `repo`: linked worktrees have the one of the primary checkout. */
  readonly scope: "project" | "repo";
  /** Digest of everything above but the scope; differs when the file's entry differs in meaning. */
  readonly digest: string;
}

/** One `taskmux.toml`, ready to run. */
export interface ProjectSpec {
  readonly name: string;
  /** Absolute path of the file. */
  readonly configPath: string;
  /** Absolute folder of the file. */
  readonly root: string;
  readonly autoStart: boolean;
  readonly autoInjectAgents: boolean | null;
  readonly hooks: Hooks;
  /** For the project's own hooks; each task holds them as well. Absolute paths. */
  readonly envFiles: readonly string[];
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly worktree: {
    readonly enabled: boolean;
    readonly separator: string;
    readonly mainBranches: readonly string[];
  };
  /** Settings of Cloudflare that the project says for itself. */
  readonly tunnel: {
    readonly zoneId: string | null;
    readonly tunnelName: string | null;
  };
  /** In file order. */
  readonly tasks: ReadonlyMap<string, TaskSpec>;
}
