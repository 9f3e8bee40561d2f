/**
 * Ending what is left of runs whose keeper died.
 *
 * Found by the run tag, or by descent from a tagged process. Only on systems without tags is the variable in the
 * environment enough, because nothing better survives there.
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
  runIds: readonly string[],
  host: ReclaimHost,
): Promise<KeeperRequests["reclaim"]["result"]> {
  const results = await Promise.all(
    runIds.map((runId) => reclaimRun(runId, host)),
  );
  return {
    ended: results.flatMap((result) => result.ended),
    survivors: results.flatMap((result) => result.survivors),
  };
}

async function reclaimRun(
  runId: string,
  host: ReclaimHost,
): Promise<KeeperRequests["reclaim"]["result"]> {
  const found = new Set<number>();
  host.table.track({ runId, leader: null });
  try {
    const ending = new Ending({
      ...host,
      runId,
      nudge: new Nudge(),
      isLeaderGone: () => true,
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
