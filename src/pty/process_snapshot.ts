/**
 * Which process belongs to which run, decided from one scan of the process table.
 *
 * A process belongs to a run when one of these proves it:
 *
 * 1. it was born into the run: it carries the run's tag, and did not begin before the run;
 * 2. it is the leader, or its chain of parents leads to a member, or it is in the session of the living leader;
 * 3. an earlier scan proved it, and it is still the same process;
 * 4. it is an orphan that the keeper adopted, so it is of one of its runs, and its environment tells which, or its tag,
 *    which is that of a run of another taskmux that was seen to run inside of this one;
 * 5. only where no tag and no adoption can tell: it is an orphan of process 1, its environment names the run, and it did
 *    not begin before the run.
 *
 * A copied `TASKMUX_RUN_ID` therefore proves nothing on Linux, and on macOS nothing while whoever started its process
 * lives. The keeper, process 1, the controllers and all that controllers started belong to no run, even if a controller
 * was started from within one. See `docs/decisions/0012`.
 *
 * @module
 */

import { type ProcessRow, runNumber } from "./system.ts";

/** Name of the variable that every process of a run begins with. */
export const RUN_VARIABLE = "TASKMUX_RUN_ID";

/** A run that processes may belong to. */
export interface TrackedRun {
  readonly runId: string;
  /** The leader, or null for a run of an earlier keeper, whose leader is not known. */
  readonly leader: {
    readonly pid: number;
    readonly startTime: number;
  } | null;
  /** No process of the run began before this time; 0 = not known. */
  readonly since: number;
}

/** What an earlier scan found: pid → its start time and run. */
export type Membership = ReadonlyMap<
  number,
  { readonly startTime: number; readonly runId: string }
>;

/** Tags that are not of our runs → the run in which a process with that tag was seen. */
export type NestedTags = ReadonlyMap<number, string>;

/** What a snapshot is made from. */
export interface SnapshotInput {
  readonly rows: readonly ProcessRow[];
  readonly runs: readonly TrackedRun[];
  /** This process. */
  readonly keeperPid: number;
  /** Pids that belong to no run, nor do their descendants. */
  readonly protectedPids: ReadonlySet<number>;
  readonly earlier: Membership;
  readonly nestedTags: NestedTags;
  readonly hasRunTags: boolean;
  /** Whether orphans of living runs become children of this process, and start times are those of one steady clock. */
  readonly adoptsOrphans: boolean;
  /** Reads {@linkcode RUN_VARIABLE} of a process. */
  readonly runVariableOf: (pid: number) => string | null;
}

/** Where a process stands: which run owns it, or that no run may. */
interface Standing {
  readonly runId: string | null;
  readonly isProtected: boolean;
}

const FOREIGN: Standing = { runId: null, isProtected: false };
const PROTECTED: Standing = { runId: null, isProtected: true };

/** One look at all processes. Immutable. */
export class ProcessSnapshot {
  readonly #input: SnapshotInput;
  readonly #rows: ReadonlyMap<number, ProcessRow>;
  readonly #byTag = new Map<number, string>();
  readonly #byLeader = new Map<number, TrackedRun>();
  readonly #runs = new Map<string, TrackedRun>();
  readonly #standings = new Map<number, Standing>();
  readonly #members = new Map<string, ProcessRow[]>();

  constructor(input: SnapshotInput) {
    this.#input = input;
    this.#rows = new Map(input.rows.map((row) => [row.pid, row]));
    for (const run of input.runs) {
      this.#runs.set(run.runId, run);
      this.#byTag.set(runNumber(run.runId), run.runId);
      if (run.leader !== null) this.#byLeader.set(run.leader.pid, run);
    }
    for (const row of input.rows) {
      const { runId } = this.#standingOf(row.pid);
      if (runId === null || row.state === "zombie") continue;
      const members = this.#members.get(runId);
      if (members === undefined) this.#members.set(runId, [row]);
      else members.push(row);
    }
  }

  /** The living processes of a run, by pid. Zombies do not live. */
  membersOf(runId: string): readonly ProcessRow[] {
    return this.#members.get(runId) ?? [];
  }

  /** The run a process belongs to, or null. */
  runOf(pid: number): string | null {
    return this.#standings.get(pid)?.runId ?? null;
  }

  /** Whether this process, and no later one of that number, is dead and waits for being reaped. */
  isZombie({ pid, startTime }: { pid: number; startTime: number }): boolean {
    const row = this.#rows.get(pid);
    return row?.state === "zombie" && row.startTime === startTime;
  }

  /** Every living process of the group, ours or not. */
  groupOf(group: number): readonly ProcessRow[] {
    return this.#input.rows.filter((row) =>
      row.group === group && row.state !== "zombie"
    );
  }

  /** Dead children of the keeper. */
  zombies(): readonly number[] {
    return this.#input.rows.filter((row) =>
      row.state === "zombie" && row.ppid === this.#input.keeperPid
    ).map((row) => row.pid);
  }

  /** What this snapshot proved, for the next one. */
  membership(): Membership {
    return new Map(
      [...this.#members].flatMap(([runId, rows]) =>
        rows.map((row) => [row.pid, { startTime: row.startTime, runId }])
      ),
    );
  }

  /** Tags among the members that are not of our runs: another taskmux runs inside of ours. */
  nestedTags(): NestedTags {
    return new Map(
      [...this.#members].flatMap(([runId, rows]) =>
        rows.filter(({ tag }) => tag >= 0 && !this.#byTag.has(tag))
          .map(({ tag }) => [tag, runId] as const)
      ),
    );
  }

  #standingOf(pid: number): Standing {
    const known = this.#standings.get(pid);
    if (known !== undefined) return known;
    // Stands for the answer while the parents are asked: a torn scan may show a ring of parents.
    this.#standings.set(pid, FOREIGN);
    const standing = this.#judge(pid);
    this.#standings.set(pid, standing);
    return standing;
  }

  #judge(pid: number): Standing {
    const { keeperPid, protectedPids } = this.#input;
    if (pid === keeperPid || pid <= 1) return FOREIGN;
    if (protectedPids.has(pid)) return PROTECTED;
    const row = this.#rows.get(pid);
    if (row === undefined) return FOREIGN;
    const parent = this.#isParent(row) ? this.#standingOf(row.ppid) : FOREIGN;
    if (parent.isProtected) return PROTECTED;
    const runId = this.#ownProof(row) ?? parent.runId ??
      (row.ppid === keeperPid
        ? this.#adoptedProof(row)
        : this.#environmentProof(row));
    return runId === null ? FOREIGN : { runId, isProtected: false };
  }

  /** A parent that is younger than its child is a stranger, which got the pid of the parent while this was read. */
  #isParent({ ppid, startTime }: ProcessRow): boolean {
    const parent = this.#rows.get(ppid);
    return parent === undefined || !this.#input.adoptsOrphans ||
      parent.startTime <= startTime;
  }

  /** What the process shows by itself. */
  #ownProof(row: ProcessRow): string | null {
    const tagged = this.#runs.get(this.#byTag.get(row.tag) ?? "");
    if (tagged !== undefined && row.startTime >= tagged.since) {
      return tagged.runId;
    }
    const led = this.#byLeader.get(row.pid);
    if (led?.leader?.startTime === row.startTime) return led.runId;
    const session = this.#byLeader.get(row.session);
    const leader = this.#rows.get(row.session);
    if (
      session !== undefined && leader !== undefined &&
      session.leader?.startTime === leader.startTime
    ) return session.runId;
    const earlier = this.#input.earlier.get(row.pid);
    return earlier?.startTime === row.startTime && this.#runs.has(earlier.runId)
      ? earlier.runId
      : null;
  }

  /** Of which run is an orphan that came to the keeper? Nobody can become its child but by descent. */
  #adoptedProof(row: ProcessRow): string | null {
    const { runVariableOf, nestedTags } = this.#input;
    if (row.state === "zombie") return null;
    const named = runVariableOf(row.pid) ?? "";
    const nested = nestedTags.get(row.tag) ?? "";
    return [named, nested].find((runId) => this.#runs.has(runId)) ?? null;
  }

  /** The last resort. Whoever copied the variable into a shell of theirs is not an orphan. */
  #environmentProof(row: ProcessRow): string | null {
    const { hasRunTags, adoptsOrphans, runVariableOf } = this.#input;
    if (row.state === "zombie" || row.ppid !== 1 || hasRunTags) return null;
    const run = this.#runs.get(runVariableOf(row.pid) ?? "");
    if (run === undefined || row.startTime < run.since) return null;
    // While its keeper lives and adopts, a member is never an orphan of process 1.
    const isAdoptable = adoptsOrphans && run.leader !== null;
    return isAdoptable ? null : run.runId;
  }
}
