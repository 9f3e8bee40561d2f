/**
 * One run from fork to the record of its end.
 *
 * A run is over when its leader is gone, nothing that the leader started lives, and all output is in the log. What
 * outlives the leader is ended at once.
 *
 * @module
 */

import { constants } from "node:os";
import type { Clock } from "../kit/clock.ts";
import { settledWithin } from "../kit/deadline.ts";
import { Nudge } from "../kit/nudge.ts";
import {
  type KeeperRequests,
  type KeeperRun,
  type ProcessInfo,
  type RunEnd,
  type SpawnParams,
  TERMINAL,
  type TerminateStep,
} from "../pty/protocol.ts";
import { deliverSignal } from "../pty/deliver_signal.ts";
import { NativePty, type PtyHost, signalName } from "../pty/native_pty.ts";
import { type ProcessSnapshot, RUN_VARIABLE } from "../pty/process_snapshot.ts";
import type { ProcessTable } from "../pty/process_table.ts";
import type { ProcessRow } from "../pty/system.ts";
import { Ending, LEFTOVER_STEPS } from "./ending.ts";
import { findProgram } from "./find_program.ts";
import type { LogHold } from "./log_files.ts";
import { Refusal } from "./refusal.ts";
import { RunOutput } from "./run_output.ts";

/** How long the rest of the output may take once nothing of the run lives. Only a stranger can hold the terminal then. */
const DRAIN_MS = 2_000;

/**
 * A leader that is dead for so long and that nobody tells of is held by a debugger which does not let go of it: its end
 * is taken from the process table then.
 */
const HELD_MS = 1_000;

/** What runs share. */
export interface RunHost {
  readonly pty: PtyHost;
  readonly table: ProcessTable;
  readonly clock: Clock;
  /** Ends the waits of all runs. */
  readonly signal: AbortSignal;
  /** Pids that the native module waits for: nobody else may reap them. */
  readonly leaders: Set<number>;
  /** Writes a line into the keeper's own log. */
  readonly report: (text: string) => void;
}

/** See the module. */
export class KeptRun {
  readonly params: SpawnParams;
  /** Fulfilled when the run is over. Rejects only if the keeper ends first. */
  readonly over: Promise<RunEnd>;
  readonly #host: RunHost;
  readonly #pty: NativePty;
  readonly #output: RunOutput;
  readonly #ending: Ending;
  readonly #nudge = new Nudge();
  readonly #exited = Promise.withResolvers<Exit>();
  readonly #startTime: number;
  readonly #startedAt: number;
  /** Monotonic. */
  readonly #begunAt: number;
  readonly #leftovers = new Set<number>();
  #exit: Exit | null = null;
  /** When the leader was first seen dead without having told, monotonic. */
  #deadSince: number | null = null;
  #end: RunEnd | null = null;

  /**
   * Starts a run.
   *
   * @param log Is given back when the run is over, or when it cannot be started.
   * @throws {Refusal} `spawn_failed` if it cannot be started.
   */
  constructor(params: SpawnParams, log: LogHold, host: RunHost) {
    this.params = params;
    this.#host = host;
    this.#output = new RunOutput(log, host.clock);
    this.#startedAt = host.clock.now();
    this.#begunAt = host.clock.monotonic();
    try {
      this.#pty = this.#fork();
    } catch (error) {
      this.#output.finish();
      throw error;
    }
    const { pid } = this.#pty;
    const { system } = host.pty;
    host.leaders.add(pid);
    this.#startTime = system.startTimeOf(pid) ?? 0;
    host.table.track({
      runId: params.runId,
      leader: { pid, startTime: this.#startTime },
      since: this.#startTime,
    });
    this.#ending = new Ending({
      runId: params.runId,
      table: host.table,
      system,
      clock: host.clock,
      nudge: this.#nudge,
      isLeaderGone: () => this.#exit !== null,
      onSnapshot: (snapshot) => this.review(snapshot),
      onSignalled: (rows) => this.#onSignalled(rows),
    });
    this.over = this.#finish();
  }

  /** Whether the run is over. */
  get isOver(): boolean {
    return this.#end !== null;
  }

  /** Looks whether the leader is dead although the kernel does not tell its parent. To be called now and then. */
  review(snapshot: ProcessSnapshot): void {
    const { pid } = this.#pty;
    if (this.#exit !== null) return;
    if (!snapshot.isZombie({ pid, startTime: this.#startTime })) return;
    const { clock, pty: { system } } = this.#host;
    const now = clock.monotonic();
    this.#deadSince ??= now;
    if (now - this.#deadSince < HELD_MS) return;
    const { code = null, signal = constants.signals.SIGKILL } =
      system.statusOf(pid) ?? {};
    this.#noteExit(code, signal === null ? null : signalName(signal));
  }

  /** The run as controllers see it. */
  describe(): KeeperRun {
    return {
      runId: this.params.runId,
      key: this.params.key,
      pid: this.#pty.pid,
      startTime: String(this.#startTime),
      startedAt: this.#startedAt,
      ...this.params.note === undefined ? {} : { note: this.params.note },
      ageMs: Math.round(this.#host.clock.monotonic() - this.#begunAt),
      ended: this.#end,
    };
  }

  /** Ends the run; see `terminate` of the protocol. */
  async terminate(
    steps: readonly TerminateStep[],
  ): Promise<{ gone: boolean; survivors: number[] }> {
    if (this.isOver) return { gone: true, survivors: [] };
    const survivors = await this.#ending.end(steps);
    if (survivors.length > 0 || this.#exit === null) {
      return { gone: false, survivors: [...survivors] };
    }
    await this.over;
    return { gone: true, survivors: [] };
  }

  /** Sends one signal to all members and counts them. */
  async signal(signal: string): Promise<number> {
    const { pty, table } = this.#host;
    const snapshot = await table.snapshot();
    const { runId } = this.params;
    return deliverSignal(pty.system, snapshot, { runId, signal }).length;
  }

  /** The living members: the leader, then each process after its parent. */
  async processes(): Promise<ProcessInfo[]> {
    const { pty, table } = this.#host;
    const members = (await table.snapshot()).membersOf(this.params.runId);
    return inTreeOrder(members, this.#pty.pid).map(({ pid, ppid }) => ({
      pid,
      ppid,
      command: pty.system.commandOf(pid),
    }));
  }

  /** The first line that matches, see `waitForLine` of the protocol. */
  async waitForLine(
    pattern: RegExp,
    signal: AbortSignal,
  ): Promise<string | null> {
    if (this.#output.isCrowded) {
      throw new Refusal("busy", "Cannot wait for a line: too many do already");
    }
    return await this.#output.waitForLine(pattern, signal);
  }

  /** Sends keystrokes. */
  write(data: string): void {
    if (this.isOver || !this.#pty.write(data)) {
      throw new Refusal("busy", "Cannot type: the program does not read");
    }
  }

  /** Changes the terminal's size. */
  resize(cols: number, rows: number): void {
    this.#pty.resize(cols, rows);
  }

  /** Raw output from a position on, see `output` of the protocol. */
  async outputFrom(
    from: number,
    signal: AbortSignal,
  ): Promise<KeeperRequests["output"]["result"]> {
    const piece = await this.#output.read(from, signal);
    const { code, signal: killer } = this.#end ?? {};
    const isLast = this.#end !== null && piece.isWhole;
    return {
      data: piece.data,
      next: piece.next,
      dropped: piece.dropped,
      end: isLast ? { code: code ?? null, signal: killer ?? null } : null,
    };
  }

  /** The last raw output. */
  replay(): string {
    return this.#output.replay();
  }

  /** Puts finished lines into the log now. */
  flush(): void {
    this.#output.flush();
  }

  #fork(): NativePty {
    const { argv: [program, ...args], cwd, env, runId } = this.params;
    const { pidsLimit = 0 } = this.params;
    const { pty } = this.#host;
    const path = findProgram({ program, cwd, env }, pty.system);
    try {
      return new NativePty(pty, {
        runId,
        pidsLimit,
        program: path,
        args,
        cwd,
        env: {
          ...env,
          PWD: cwd,
          TERM: TERMINAL.name,
          [RUN_VARIABLE]: runId,
        },
        cols: TERMINAL.cols,
        rows: TERMINAL.rows,
      }, {
        onData: (chunk) => this.#output.push(chunk),
        onExit: (code, signal) => this.#onExit(code, signal),
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new Refusal(
        "spawn_failed",
        `Cannot start "${program}": ${error.message.replace(/\.$/, "")}`,
      );
    }
  }

  #onExit(code: number | null, signal: string | null): void {
    this.#host.leaders.delete(this.#pty.pid);
    if (this.#exit === null) this.#noteExit(code, signal);
  }

  #noteExit(code: number | null, signal: string | null): void {
    this.#exit = { code, signal, at: this.#host.clock.now() };
    this.#exited.resolve(this.#exit);
    this.#nudge.nudge();
  }

  #onSignalled(rows: readonly ProcessRow[]): void {
    if (this.#exit === null) return;
    for (const row of rows) this.#leftovers.add(row.pid);
  }

  /** An ending under way keeps its own steps; what it leaves behind is ended after it. */
  async #endLeftovers(): Promise<void> {
    let left = await this.#ending.endOrJoin(LEFTOVER_STEPS);
    if (left.length > 0) left = await this.#ending.end(LEFTOVER_STEPS);
    if (left.length === 0) return;
    const { runId, key } = this.params;
    this.#host.report(
      `run ${runId} of ${key} is over, but SIGKILL did not end ${left}`,
    );
  }

  async #finish(): Promise<RunEnd> {
    const { clock, signal, table } = this.#host;
    const exit = await this.#exited.promise;
    await this.#endLeftovers();
    await settledWithin(this.#pty.drained(), { clock, ms: DRAIN_MS, signal });
    this.#pty.close();
    this.#output.finish();
    table.untrack(this.params.runId);
    this.#end = {
      ...exit,
      leftovers: [...this.#leftovers],
      tail: this.#output.tail(),
    };
    return this.#end;
  }
}

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly at: number;
}

function inTreeOrder(
  rows: readonly ProcessRow[],
  leader: number,
): ProcessRow[] {
  const pids = new Set(rows.map((row) => row.pid));
  const children = Map.groupBy(rows, (row) => row.ppid);
  const ordered: ProcessRow[] = [];
  const visit = (row: ProcessRow): void => {
    ordered.push(row);
    children.get(row.pid)?.forEach(visit);
  };
  const roots = rows.filter((row) => !pids.has(row.ppid));
  roots.sort((a, b) => Number(b.pid === leader) - Number(a.pid === leader));
  roots.forEach(visit);
  return ordered;
}
