/**
 * The keeper itself: all runs, and what can be asked about them. Knows nothing of sockets.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { Environments } from "../kit/environments.ts";
import type { PtyHost } from "../pty/native_pty.ts";
import { ProcessTable } from "../pty/process_table.ts";
import type {
  KeeperNotice,
  KeeperRequests,
  SpawnParams,
  TerminateStep,
} from "../pty/protocol.ts";
import { KILL_WAIT_MS } from "./ending.ts";
import { KeptRun } from "./kept_run.ts";
import { LogFiles } from "./log_files.ts";
import { parsePattern } from "./parse_request.ts";
import { Reaper } from "./reaper.ts";
import { reclaimRuns } from "./reclaim.ts";
import { Refusal } from "./refusal.ts";

/** How runs end when the keeper itself is told to: their own stop signals are not known here. */
const SHUTDOWN_STEPS: readonly TerminateStep[] = [
  { signal: "SIGTERM", waitMs: 3_000 },
  { signal: "SIGKILL", waitMs: KILL_WAIT_MS },
];

/** What a keeper is given. */
export interface KeeperOptions {
  readonly pty: PtyHost;
  readonly clock: Clock;
  /** This process. */
  readonly pid: number;
  readonly notify: (notice: KeeperNotice) => void;
  /** Called when a run began, ended or was acknowledged. */
  readonly onChange: () => void;
  /** Writes a line into the keeper's own log. */
  readonly report: (text: string) => void;
}

/** What a request knows of its asker. */
export interface RequestContext {
  /** Aborts when the request is cancelled or its controller is gone. */
  readonly signal: AbortSignal;
  /** Aborts when the controller is gone. */
  readonly connection: AbortSignal;
}

type Handlers = {
  readonly [Op in keyof KeeperRequests]: (
    params: KeeperRequests[Op]["params"],
    context: RequestContext,
  ) => Promise<KeeperRequests[Op]["result"]> | KeeperRequests[Op]["result"];
};

/** See the module. */
export class Keeper implements Disposable {
  readonly #options: KeeperOptions;
  readonly #scope = new AbortController();
  readonly #table: ProcessTable;
  readonly #logs: LogFiles;
  readonly #reaper: Reaper;
  readonly #runs = new Map<string, KeptRun>();
  readonly #leaders = new Set<number>();
  readonly #environments = new Environments();
  #isEnding = false;
  readonly #handlers: Handlers = {
    introduce: ({ pid }, { connection }) => this.#introduce(pid, connection),
    spawn: (params) => this.#spawn(params),
    terminate: ({ runId, steps }) =>
      this.#runs.get(runId)?.terminate(steps) ?? { gone: true, survivors: [] },
    signal: async ({ runId, signal }) => ({
      count: await this.#run(runId).signal(signal),
    }),
    list: () => {
      this.#repeatTroubles();
      return { runs: [...this.#runs.values()].map((run) => run.describe()) };
    },
    acknowledge: ({ runIds }) => this.#acknowledge(runIds),
    processes: async ({ runId }) => ({
      processes: await this.#run(runId).processes(),
    }),
    waitForLine: async ({ runId, pattern, flags }, { signal }) => ({
      line: await this.#run(runId).waitForLine(
        parsePattern(pattern, flags),
        signal,
      ),
    }),
    write: ({ runId, data }) => {
      this.#run(runId).write(data);
      return {};
    },
    resize: ({ runId, cols, rows }) => {
      this.#run(runId).resize(cols, rows);
      return {};
    },
    output: ({ runId, from }, { signal }) =>
      this.#run(runId).outputFrom(from, signal),
    replay: ({ runId }) => ({ data: this.#run(runId).replay() }),
    putEnvironment: ({ name, env }) => {
      this.#environments.put(name, env);
      return {};
    },
    getEnvironment: ({ name }) => {
      const env = this.#environments.get(name);
      return { env: env === null ? null : { ...env } };
    },
    reclaim: (params) => this.#reclaim(params),
    holders: (params) => this.#holders(params),
    connectionOwners: ({ client, server }) =>
      this.#options.pty.system.connectionOwners(client, server) ??
        { unknown: true },
    shutdown: () => {
      if (!this.hasLivingRuns) return {};
      throw new Refusal("busy", "Cannot end the keeper: a run lives");
    },
  };

  constructor(options: KeeperOptions) {
    this.#options = options;
    const { clock, pid, pty: { system } } = options;
    this.#table = new ProcessTable({
      system,
      clock,
      keeperPid: pid,
      signal: this.#scope.signal,
    });
    this.#logs = new LogFiles(clock);
    this.#reaper = new Reaper({
      table: this.#table,
      system,
      leaders: this.#leaders,
      onSnapshot: (snapshot) => {
        for (const run of this.#runs.values()) run.review(snapshot);
      },
    });
  }

  /** Whether a run lives or its end is still to be acknowledged. */
  get hasRuns(): boolean {
    return this.#runs.size > 0;
  }

  /** Whether anything of a run lives. */
  get hasLivingRuns(): boolean {
    return this.#runs.values().some((run) => !run.isOver);
  }

  /**
   * Serves one request.
   *
   * @throws {Refusal} Why it is not done.
   * @throws The reason of the context's signal.
   */
  async serve<Op extends keyof KeeperRequests>(
    op: Op,
    params: KeeperRequests[Op]["params"],
    context: RequestContext,
  ): Promise<KeeperRequests[Op]["result"]> {
    return await this.#handlers[op](params, context);
  }

  /** Ends all runs, the gentle way first. Bounded. Nothing is started any more. */
  async endAll(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(
      this.#runs.values().map((run) => run.terminate(SHUTDOWN_STEPS)),
    );
  }

  /** Lets go of everything. Runs that still live are hung up when the process ends. */
  [Symbol.dispose](): void {
    this.#scope.abort(new DOMException("The keeper ends", "AbortError"));
    this.#reaper[Symbol.dispose]();
  }

  #run(runId: string): KeptRun {
    const run = this.#runs.get(runId);
    if (run !== undefined) return run;
    throw new Refusal("unknown_run", `Cannot find run "${runId}"`);
  }

  #spawn(params: SpawnParams): KeeperRequests["spawn"]["result"] {
    const { runId, key, log } = params;
    if (this.#isEnding) {
      throw new Refusal("ending", `Cannot start run "${runId}": we end`);
    }
    if (this.#runs.has(runId)) {
      throw new Refusal("invalid", `Cannot start run "${runId}": it exists`);
    }
    // The end of the run before comes first in the file they share.
    for (const other of this.#runs.values()) {
      if (other.params.log.path === log.path) other.flush();
    }
    const hold = this.#logs.hold(log, (message, droppedBytes) => {
      this.#options.notify({
        notice: "log",
        runId,
        key,
        message,
        droppedBytes,
        path: log.path,
      });
    });
    const run = new KeptRun(params, hold, {
      pty: this.#options.pty,
      table: this.#table,
      clock: this.#options.clock,
      signal: this.#scope.signal,
      leaders: this.#leaders,
      report: this.#options.report,
    });
    this.#runs.set(runId, run);
    this.#announceEnd(run);
    this.#options.onChange();
    return run.describe();
  }

  #announceEnd(run: KeptRun): void {
    const { runId, key } = run.params;
    run.over.then((end) => {
      this.#options.notify({ notice: "ended", runId, key, end });
      this.#options.onChange();
    }, (error) => {
      if (!this.#scope.signal.aborted) {
        this.#options.report(`run ${runId} lost: ${Deno.inspect(error)}`);
      }
    });
  }

  #acknowledge(
    runIds: readonly string[],
  ): KeeperRequests["acknowledge"]["result"] {
    for (const runId of runIds) {
      if (this.#runs.get(runId)?.isOver) this.#runs.delete(runId);
    }
    this.#options.onChange();
    return {};
  }

  #introduce(
    pid: number,
    connection: AbortSignal,
  ): KeeperRequests["introduce"]["result"] {
    connection.throwIfAborted();
    this.#table.protect(pid);
    connection.addEventListener("abort", () => this.#table.release(pid), {
      once: true,
    });
    return {};
  }

  /** A controller that came after its logs failed has not heard of it. */
  #repeatTroubles(): void {
    for (const run of this.#runs.values()) {
      const { runId, key, log: { path } } = run.params;
      const message = run.isOver ? null : this.#logs.troubleOf(path);
      if (message === null) continue;
      this.#options.notify({
        notice: "log",
        runId,
        key,
        message,
        droppedBytes: 0,
        path,
        isRepeated: true,
      });
    }
  }

  async #reclaim(
    { runIds, since }: KeeperRequests["reclaim"]["params"],
  ): Promise<KeeperRequests["reclaim"]["result"]> {
    const foreign = [...new Set(runIds)].filter((id) => !this.#runs.has(id));
    const params = { runIds: foreign, ...since === undefined ? {} : { since } };
    const result = await reclaimRuns(params, {
      table: this.#table,
      system: this.#options.pty.system,
      clock: this.#options.clock,
    });
    for (const { runId, pid } of result.ended) {
      this.#options.report(`ended process ${pid} of run ${runId}, reclaimed`);
    }
    return result;
  }

  async #holders(
    { port, runId, elsewhere }: KeeperRequests["holders"]["params"],
  ): Promise<KeeperRequests["holders"]["result"]> {
    const { system } = this.#options.pty;
    const before = runId === undefined ? null : await this.#table.snapshot();
    const members = (before?.membersOf(runId ?? "") ?? []).map((each) =>
      each.pid
    );
    const listeners = await system.listenersOn(port, members);
    const others = elsewhere === true
      ? { elsewhere: system.portsOf(members).filter((each) => each !== port) }
      : {};
    if (listeners === null) return { holders: [], hidden: [], unknown: true };
    const { seen, hidden } = listeners;
    if (seen.length === 0) {
      return { holders: [], hidden: [...hidden], ...others };
    }
    const isOfRun = seen.every(({ pid }) => members.includes(pid));
    const snapshot = before !== null && isOfRun
      ? before
      : await this.#table.snapshot();
    return {
      holders: seen.map(({ pid, addresses }) => ({
        pid,
        command: system.commandOf(pid),
        runId: snapshot.runOf(pid),
        addresses,
      })),
      hidden: [...hidden],
      ...others,
    };
  }
}
