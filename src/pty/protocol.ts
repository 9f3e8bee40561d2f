/**
 * What the controller and the keeper say to each other over `run/keeper.sock`: newline-delimited JSON, version first.
 *
 * The keeper owns everything that must outlive a controller. It knows runs, never tasks or policy: `key` is opaque to it.
 * The keeper speaks first with {@linkcode KeeperHello}. Then each request gets one reply with its `id`, in any order,
 * and notices arrive between them. Readers ignore unknown fields and unknown notices.
 *
 * @module
 */

/** The newest version of this protocol that this taskmux speaks. */
export const KEEPER_PROTOCOL = 1;

/**
 * The oldest one it still speaks. Keepers live as long as their tasks, so raising this makes an upgrade end tasks: see
 * `docs/decisions/0011`.
 */
export const OLDEST_KEEPER_PROTOCOL = 1;

/** Size of every task's terminal. */
export const TERMINAL = {
  cols: 160,
  rows: 48,
  name: "xterm-256color",
} as const;

/**
 * The first frame of the keeper. Frozen: every version sends these fields, whatever it speaks after them, and ends itself
 * and its runs in order when its process gets SIGTERM.
 */
export interface KeeperHello {
  readonly taskmux: "keeper";
  /** The newest version of the protocol that it speaks. */
  readonly protocol: number;
  /** The oldest one; absent = no other. */
  readonly oldestProtocol?: number;
  readonly version: string;
  readonly pid: number;
  /** Identifies this boot of the machine. */
  readonly bootId: string;
}

/** How the keeper keeps the output of a run. */
export interface LogTarget {
  /** Absolute path of the current file. Its folder is created with mode 0700, the file with 0600. */
  readonly path: string;
  readonly maxBytes: number;
  /** Rotated files kept as `path.1` (newest) to `path.N`. */
  readonly maxFiles: number;
}

/** What to spawn. */
export interface SpawnParams {
  /** 12 lower-case hexadecimal digits, unique for ever. Also the value of `TASKMUX_RUN_ID`. */
  readonly runId: string;
  /** Opaque to the keeper; handed back in lists and notices. */
  readonly key: string;
  readonly argv: readonly [program: string, ...args: string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: LogTarget;
  /** Opaque to the keeper, as `key`: what a controller that has lost its state needs to know of the run. At most 64 KiB. */
  readonly note?: string;
  /**
   * Processes that the run may add to those its user has when it starts; 0 or absent = any number. Linux only, and not
   * enforced for root.
   */
  readonly pidsLimit?: number;
}

/** A run as the keeper knows it. */
export interface KeeperRun {
  readonly runId: string;
  readonly key: string;
  readonly pid: number;
  /** Kernel start time of the leader, clock ticks since boot as decimal text. */
  readonly startTime: string;
  /** Wall time in milliseconds. */
  readonly startedAt: number;
  /** As it was given; a keeper of 0.1.0 has none. */
  readonly note?: string;
  /** Milliseconds since the start, whatever the wall clock has done meanwhile. Absent from an older keeper. */
  readonly ageMs?: number;
  /** Null while the run or anything it started lives. */
  readonly ended: RunEnd | null;
}

/** How a run ended: its leader is gone, all it started is gone, all its output is in the log. */
export interface RunEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** Wall time at which the leader ended. */
  readonly at: number;
  /** Pids that outlived the leader and were ended by the keeper. */
  readonly leftovers: readonly number[];
  /** Last lines of output, plain text, oldest first, at most 20. */
  readonly tail: readonly string[];
}

/** One step of ending a run: send the signal to everything that belongs to it, wait, go on if something still lives. */
export interface TerminateStep {
  readonly signal: string;
  readonly waitMs: number;
}

/** A process that belongs to a run. */
export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly command: string;
}

/** A process that listens on a TCP port. */
export interface PortHolder {
  readonly pid: number;
  readonly command: string;
  /** The run it belongs to; null = not ours. */
  readonly runId: string | null;
  /** Addresses it listens on, as in a URL. Absent from older keepers. */
  readonly addresses?: readonly string[];
}

/** A listening socket whose process cannot be seen, because it is another user's or in a container. */
export interface HiddenHolder {
  readonly uid: number;
  readonly address: string;
}

/** One end of a TCP connection. */
export interface ConnectionEnd {
  /** `127.0.0.1`, `::1`. */
  readonly address: string;
  readonly port: number;
}

/** Users by number who opened the ends of a connection. Null = nobody holds that end any more. */
export interface ConnectionOwners {
  readonly client: number | null;
  readonly server: number | null;
}

/** Requests: name → parameters and result. */
export interface KeeperRequests {
  /**
   * Says which process the controller is, and which version of the protocol both speak from here on; the oldest one that
   * the keeper offers until then. While it is connected neither it nor what it starts counts as part of a run, even
   * if it was started from within one. The client does this by itself.
   */
  introduce: {
    params: { pid: number; protocol: number };
    result: Record<string, never>;
  };
  /** Starts a run. Fails with `spawn_failed` when the program or folder is missing. */
  spawn: { params: SpawnParams; result: KeeperRun };
  /**
   * Ends a run. Answers when nothing of it lives (`gone`), or after the last step's wait (`survivors`, pids that could not
   * be ended). A second terminate of the same run joins the first and can only shorten it. An unknown run is gone.
   */
  terminate: {
    params: { runId: string; steps: readonly TerminateStep[] };
    result: { gone: boolean; survivors: number[] };
  };
  /** Sends one signal to everything that belongs to a run. */
  signal: {
    params: { runId: string; signal: string };
    result: { count: number };
  };
  /**
   * All runs that live or whose end is not acknowledged. Before the answer the notice of each log that cannot be written
   * is repeated.
   */
  list: { params: Record<string, never>; result: { runs: KeeperRun[] } };
  /** Forgets an ended run. Unknown ids are ignored. */
  acknowledge: {
    params: { runIds: readonly string[] };
    result: Record<string, never>;
  };
  /** The whole process tree of a run, leader first. */
  processes: {
    params: { runId: string };
    result: { processes: ProcessInfo[] };
  };
  /**
   * Waits until a line of the run's output matches; looks through the replay ring first. Answers null when the run ended
   * without a match. Lines are matched as plain text, cut at 4 KiB. `cancel` ends it.
   */
  waitForLine: {
    params: { runId: string; pattern: string; flags: string };
    result: { line: string | null };
  };
  /** Keystrokes for the terminal. */
  write: {
    params: { runId: string; data: string };
    result: Record<string, never>;
  };
  /** Changes the terminal's size. */
  resize: {
    params: { runId: string; cols: number; rows: number };
    result: Record<string, never>;
  };
  /**
   * Raw output from a position on, for who looks at the terminal: waits until there is some, or the run is over. Asked
   * again with `next` it goes on without a loss, as long as the asker keeps up; what it missed is counted. A character
   * is never torn.
   */
  output: {
    params: { runId: string; from: number };
    result: {
      data: string;
      next: number;
      /** Bytes between `from` and `data` that are not kept any more. */
      dropped: number;
      /** How the run ended, with its last output; null while it lives. */
      end: { code: number | null; signal: string | null } | null;
    };
  };
  /** The last raw output of a run, at most 64 KiB. */
  replay: { params: { runId: string }; result: { data: string } };
  /** Remembers an environment under a name. Held in memory only. */
  putEnvironment: {
    params: { name: string; env: Readonly<Record<string, string>> };
    result: Record<string, never>;
  };
  /** The environment under a name, or null. */
  getEnvironment: {
    params: { name: string };
    result: { env: Record<string, string> | null };
  };
  /**
   * Finds processes of runs that this keeper did not start (their keeper died) and ends them. Proven by the kernel's run
   * tag; only where there are no tags, an orphan is taken for one that names the run in `TASKMUX_RUN_ID` and did not
   * begin before the leader of the run, whose start time is told by `since`.
   */
  reclaim: {
    params: {
      runIds: readonly string[];
      /** Run → recorded start time of its leader, in the words of {@linkcode KeeperRun}. Older keepers ignore it. */
      since?: Readonly<Record<string, string>>;
    };
    result: { ended: { runId: string; pid: number }[]; survivors: number[] };
  };
  /** Who listens on a TCP port of this machine. */
  holders: {
    params: {
      port: number;
      /**
       * Whose processes are looked at first. If every socket is one of theirs nobody else is looked at, which costs a
       * hundredth; who shares those sockets is then not told. Older keepers ignore it.
       */
      runId?: string;
      /** Whether to tell the `elsewhere` of the run. Older keepers ignore it. */
      elsewhere?: boolean;
    };
    result: {
      holders: PortHolder[];
      /** The other ports that the run listens on, ascending, if that was asked. Absent from older keepers. */
      elsewhere?: number[];
      /** Absent from older keepers. */
      hidden?: HiddenHolder[];
      /** True if this system does not tell who listens. */
      unknown?: boolean;
    };
  };
  /**
   * Whose the two ends of a TCP connection on this machine are. Unknown to older keepers, which answer `invalid`. Costs
   * a look at the kernel's table of connections.
   */
  connectionOwners: {
    params: { client: ConnectionEnd; server: ConnectionEnd };
    result: ConnectionOwners | { unknown: true };
  };
  /** Ends the keeper. Refused with `busy` while a run lives. */
  shutdown: { params: Record<string, never>; result: Record<string, never> };
}

/** A request frame. `cancel` withdraws an earlier request, which then answers with the error code `cancelled`. */
export type KeeperRequest =
  | {
    readonly id: number;
    readonly op: keyof KeeperRequests;
    readonly params: unknown;
  }
  | { readonly cancel: number };

/** Why the keeper refused. */
export interface KeeperError {
  readonly code:
    | "spawn_failed"
    | "unknown_run"
    | "busy"
    /** The keeper was told to end: it starts nothing any more. The next keeper will. */
    | "ending"
    | "invalid"
    | "cancelled"
    | "internal";
  readonly message: string;
}

/** A reply frame. */
export type KeeperReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: KeeperError };

/** What the keeper says unasked. */
export type KeeperNotice =
  /** A run is over. Repeated to each new controller until acknowledged (as part of `list`). */
  | {
    readonly notice: "ended";
    readonly runId: string;
    readonly key: string;
    readonly end: RunEnd;
  }
  /** The log of a run cannot be written, or can be again (`message` null). Output is kept flowing and counted as dropped. */
  | {
    readonly notice: "log";
    readonly runId: string;
    readonly key: string;
    readonly message: string | null;
    readonly droppedBytes: number;
    /** The file. Absent from an older keeper. */
    readonly path?: string;
    /** Not news: for a controller that came later. */
    readonly isRepeated?: boolean;
  };
