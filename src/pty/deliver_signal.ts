/**
 * Sending one signal to everything that belongs to a run.
 *
 * @module
 */

import type { ProcessSnapshot } from "./process_snapshot.ts";
import type { ProcessRow, System } from "./system.ts";
import { signalNumber } from "./native_pty.ts";

/**
 * Sends a signal to every member exactly once: many programs take a second SIGINT for "now, by force".
 *
 * A process group of members only gets it as a group, which no fork can escape; members in mixed company one by one.
 * Stopped members are continued afterwards, so that they can act on it.
 *
 * @param signal A name this system knows.
 * @returns The members it was sent to.
 */
export function deliverSignal(
  system: System,
  snapshot: ProcessSnapshot,
  to: { readonly runId: string; readonly signal: string },
): readonly ProcessRow[] {
  const number = signalNumber(to.signal);
  if (number === null) return [];
  const members = snapshot.membersOf(to.runId);
  const groups = Map.groupBy(members, (row) => row.group);
  for (const [group, rows] of groups) {
    const isWhole = group > 1 &&
      snapshot.groupOf(group).every((row) =>
        snapshot.runOf(row.pid) === to.runId
      );
    if (isWhole && system.kill(-group, number)) continue;
    for (const row of rows) system.kill(row.pid, number);
  }
  continueStopped(system, members, to.signal);
  return members;
}

function continueStopped(
  system: System,
  members: readonly ProcessRow[],
  signal: string,
): void {
  if (["SIGKILL", "SIGSTOP", "SIGTSTP", "SIGCONT"].includes(signal)) return;
  const number = signalNumber("SIGCONT");
  for (const row of members) {
    if (row.state === "stopped" && number !== null) {
      system.kill(row.pid, number);
    }
  }
}
