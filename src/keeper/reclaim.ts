/**
 * Ending what is left of runs whose keeper died.
 *
 * Found by the run tag, or by descent from a tagged process. Only on systems without tags are orphans taken for what
 * the variable in their environment says, because nothing better survives there. What began before the run is never
 * of it. No pid, group or session that was recorded proves anything: all of them are given out again.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { Nudge } from "../kit/nudge.ts";
import type { ProcessTable } from "../pty/process_table.ts";
import type { KeeperRequests } from "../pty/protocol.ts";
import type { System } from "../pty/system.ts";
import { Ending, LEFTOVER_STEPS } from "./ending.ts";

/** What reclaiming works with. */
export interface ReclaimHost {
  readonly table: ProcessTable;
  readonly system: System;
  readonly clock: Clock;
}

/** Ends the processes of these runs, all at the same time. The caller has left out the runs it keeps itself. */
export async function reclaimRuns(
  { runIds, since = {} }: KeeperRequests["reclaim"]["params"],
  host: ReclaimHost,
): Promise<KeeperRequests["reclaim"]["result"]> {
  const results = await Promise.all(
    runIds.map((runId) => reclaimRun(runId, Number(since[runId] ?? 0), host)),
  );
  return {
    ended: results.flatMap((result) => result.ended),
    survivors: results.flatMap((result) => result.survivors),
  };
}

async function reclaimRun(
  runId: string,
  since: number,
  host: ReclaimHost,
): Promise<KeeperRequests["reclaim"]["result"]> {
  const found = new Set<number>();
  host.table.track({ runId, leader: null, since });
  try {
    const ending = new Ending({
      ...host,
      runId,
      nudge: new Nudge(),
      isLeaderGone: () => true,
      onSnapshot: () => {},
      onSignalled: (rows) => rows.forEach((row) => found.add(row.pid)),
    });
    const survivors = [...await ending.end(LEFTOVER_STEPS)];
    return {
      ended: [...found].filter((pid) => !survivors.includes(pid))
        .map((pid) => ({ runId, pid })),
      survivors,
    };
  } finally {
    host.table.untrack(runId);
  }
}
