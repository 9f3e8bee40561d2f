/**
 * Ending everything that belongs to a run, step by step, until nothing of it lives.
 *
 * The one place where the keeper ends processes. Whoever asks for an end while one is under way joins it and can only
 * shorten it. What is signalled has been proven a member by a scan immediately before.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import type { Nudge } from "../kit/nudge.ts";
import { deliverSignal } from "../pty/deliver_signal.ts";
import type { ProcessSnapshot } from "../pty/process_snapshot.ts";
import type { ProcessTable } from "../pty/process_table.ts";
import type { TerminateStep } from "../pty/protocol.ts";
import type { ProcessRow, System } from "../pty/system.ts";

/** How long SIGKILL may take, whatever a step says. What lives longer is stuck in the kernel. */
export const KILL_WAIT_MS = 5_000;

/** For what outlives its leader, for runs of a dead keeper, and when the keeper itself is told to end. */
export const LEFTOVER_STEPS: readonly TerminateStep[] = [
  { signal: "SIGTERM", waitMs: 2_000 },
  { signal: "SIGKILL", waitMs: KILL_WAIT_MS },
];

/** How long SIGKILL goes on against processes that are replaced by new ones faster than they are found. */
const STORM_MS = 30_000;

/** Empty scans, beside the first, that prove that nothing lives; more against what lives for a millisecond. */
const PROOFS = 1;
const STORM_PROOFS = 20;

const FIRST_POLL_MS = 2;
const LAST_POLL_MS = 50;

/** What an ending works on. */
export interface EndingTarget {
  readonly runId: string;
  readonly table: ProcessTable;
  readonly system: System;
  readonly clock: Clock;
  /** Nudged when the leader ends. */
  readonly nudge: Nudge;
  /** False while the exit of the leader is not known: then the run is not gone, even if no process can be seen. */
  readonly isLeaderGone: () => boolean;
  /** Shown each look at the processes. */
  readonly onSnapshot: (snapshot: ProcessSnapshot) => void;
  /** Told of the processes to which a signal is sent. */
  readonly onSignalled: (rows: readonly ProcessRow[]) => void;
}

/** Ends one run, as often as asked. */
export class Ending {
  readonly #target: EndingTarget;
  #current: TerminateStep | undefined;
  /** The steps after the current one. */
  #steps: readonly TerminateStep[] = [];
  /** End of the wait of the current step, monotonic. */
  #stepEndsAt = 0;
  /** Changes with every new plan, so that a step under way notices. */
  #plan = 0;
  #running: Promise<readonly number[]> | null = null;

  constructor(target: EndingTarget) {
    this.#target = target;
  }

  /**
   * Takes the steps one by one while anything of the run lives. Answers with the pids that live after the last step:
   * none means gone. If an ending is under way this joins it; the steps replace what is left of it if they reach
   * SIGKILL sooner.
   */
  end(steps: readonly TerminateStep[]): Promise<readonly number[]> {
    if (this.#running === null) {
      this.#begin(steps);
      this.#running = this.#run().finally(() => {
        this.#running = null;
      });
    } else if (patience(steps, 0) < this.#patienceLeft()) {
      this.#begin(steps);
      this.#target.nudge.nudge();
    }
    return this.#running;
  }

  /** Lets an ending that is under way go on with its own steps, or begins one with these. Answers like {@linkcode end}. */
  endOrJoin(steps: readonly TerminateStep[]): Promise<readonly number[]> {
    return this.#running ?? this.end(steps);
  }

  #begin(steps: readonly TerminateStep[]): void {
    this.#steps = steps;
    this.#plan++;
  }

  async #run(): Promise<readonly number[]> {
    let survivors: readonly number[] = [];
    while ((this.#current = this.#takeStep()) !== undefined) {
      survivors = await this.#perform(this.#current);
      if (survivors.length === 0 && this.#target.isLeaderGone()) break;
    }
    return survivors;
  }

  #takeStep(): TerminateStep | undefined {
    const [step, ...rest] = this.#steps;
    this.#steps = rest;
    return step;
  }

  /** One step: signal, then wait. Answers with the pids that live at its end. */
  async #perform(step: TerminateStep): Promise<readonly number[]> {
    const { table, clock, nudge } = this.#target;
    const plan = this.#plan;
    const isKill = step.signal === "SIGKILL";
    const waitMs = isKill ? Math.max(step.waitMs, KILL_WAIT_MS) : step.waitMs;
    this.#stepEndsAt = clock.monotonic() + waitMs;
    let snapshot = await table.snapshot();
    const stormEndsAt = clock.monotonic() + STORM_MS;
    let proofs = PROOFS;
    this.#stepEndsAt = clock.monotonic() + waitMs;
    if (this.#plan === plan) this.#signal(snapshot, step.signal);
    for (let pollMs = FIRST_POLL_MS;; pollMs *= 2) {
      this.#target.onSnapshot(snapshot);
      if (this.#livesIn(snapshot)) {
        const leftMs = this.#stepEndsAt - clock.monotonic();
        if (leftMs <= 0 || this.#plan !== plan) break;
        await nudge.wait(Math.min(pollMs, LAST_POLL_MS, leftMs));
      } else if (await this.#isGoneAgain(proofs)) return [];
      const before = snapshot;
      snapshot = await table.snapshot();
      const hasNew = this.#hasNew(snapshot, before);
      // Whatever the signal: the last of a chain hides from a scan or two.
      if (hasNew) proofs = STORM_PROOFS;
      if (isKill && hasNew) {
        // They do not resist, they are new: the next look comes at once, and patience begins anew.
        pollMs = FIRST_POLL_MS / 2;
        const endsAt = Math.min(clock.monotonic() + waitMs, stormEndsAt);
        this.#stepEndsAt = Math.max(this.#stepEndsAt, endsAt);
      }
      // A tree that forks faster than it is read is killed again and again, until a scan finds none.
      if (isKill) this.#signal(snapshot, step.signal);
    }
    return snapshot.membersOf(this.#target.runId).map((row) => row.pid);
  }

  /** Whether something of the run has come to be since an earlier look. */
  #hasNew(snapshot: ProcessSnapshot, before: ProcessSnapshot): boolean {
    const { runId } = this.#target;
    const known = new Set(before.membersOf(runId).map(({ pid }) => pid));
    return snapshot.membersOf(runId).some(({ pid }) => !known.has(pid));
  }

  /** One empty scan is no proof: a process may fork behind the back of a scan, and end before it is read. */
  async #isGoneAgain(proofs: number): Promise<boolean> {
    for (let left = proofs; left > 0; left--) {
      if (this.#livesIn(await this.#target.table.snapshot())) return false;
    }
    return true;
  }

  #livesIn(snapshot: ProcessSnapshot): boolean {
    return !this.#target.isLeaderGone() ||
      snapshot.membersOf(this.#target.runId).length > 0;
  }

  #signal(snapshot: ProcessSnapshot, signal: string): void {
    const { system, runId, onSignalled } = this.#target;
    const rows = deliverSignal(system, snapshot, { runId, signal });
    if (rows.length > 0) onSignalled(rows);
  }

  #patienceLeft(): number {
    if (this.#current?.signal === "SIGKILL") return 0;
    const leftMs = this.#stepEndsAt - this.#target.clock.monotonic();
    return patience(this.#steps, Math.max(0, leftMs));
  }
}

/** Milliseconds until SIGKILL; for steps without it their whole length, but longer than any with it. */
function patience(steps: readonly TerminateStep[], beforeMs: number): number {
  let ms = beforeMs;
  for (const step of steps) {
    if (step.signal === "SIGKILL") return ms;
    ms += step.waitMs;
  }
  return ms + Number.MAX_SAFE_INTEGER / 2;
}
