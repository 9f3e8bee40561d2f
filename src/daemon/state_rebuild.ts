/**
 * Puts together again what a damaged state folder has lost: from the events that outlived it, and from the notes that the
 * keeper holds with each run.
 *
 * @module
 */

import type { KeeperRun } from "../pty/protocol.ts";
import { type Registry, REGISTRY_KEY } from "../store/registry.ts";
import { formatRegistry, toRaw } from "../store/registry_file.ts";
import { UNKNOWN_BOOT } from "../store/run_table.ts";
import type { StateDamage } from "../store/state_file.ts";
import type { Store } from "../store/store.ts";
import { parseRunKey } from "../supervisor/launch_run.ts";
import { decodeRunNote, type RunNote } from "../supervisor/run_note.ts";
import {
  decodeSavedState,
  encodeSavedState,
} from "../supervisor/saved_state.ts";
import { type RecalledState, recallState } from "./state_recall.ts";

/** How the last daemon ended, for the next one. */
export const SHUTDOWN_KEY = "shutdown";

/**
 * Restores wishes, port leases, aliases, the registry's second copy and how the last daemon ended from the events that the database
 * did not have any more. O(those events).
 *
 * @param database Absolute path.
 * @returns What was found and done, for the user; empty if nothing was wrong.
 */
export function rebuildFromEvents(
  store: Store,
  database: string,
): StateDamage[] {
  const { damage, isNew, recovered } = store.finding;
  const others = damage.filter(({ file }) => file !== database);
  const own = damage.filter(({ file }) => file === database);
  if (recovered.length === 0) {
    return [
      ...others,
      ...own.map((each) => ({
        ...each,
        message: `${each.message}; a new one was begun, and no events ` +
          "were left to restore it from",
      })),
    ];
  }
  const state = recallState(recovered);
  restore(store, state);
  const what = own.length > 0
    ? own.map(({ message }) => message).join("; ")
    : isNew
    ? "The state database was empty or gone"
    : "The state database lacked its newest events";
  const ports = state.tasks.filter(({ port }) => port !== null).length;
  const message = `${what}; restored from events.jsonl: ${
    counted(recovered.length, "event")
  }, ${counted(state.tasks.length, "task")}, ${counted(ports, "port")}${
    isNew ? "; the records of earlier runs are lost" : ""
  }`;
  return [...others, {
    file: database,
    aside: own.at(-1)?.aside ?? null,
    message,
  }];
}

function restore(store: Store, state: RecalledState): void {
  for (const task of state.tasks) {
    const { session, task: name, desired, manual, outcome, port, at } = task;
    const before = store.tasks.desired(session).get(name);
    const saved = decodeSavedState(before?.state ?? null);
    store.tasks.setDesired(session, name, {
      desired,
      manual,
      changedAt: at,
      adhoc: before?.adhoc ?? null,
      state: encodeSavedState({ ...saved, outcome }),
    });
    if (port !== null) store.leases.lease(session, name, port);
    if (task.run === null || store.runs.has(task.run.runId)) continue;
    // What is left of it is found by this, should its keeper be dead.
    store.runs.start({
      ...task.run,
      session,
      task: name,
      port,
      startTime: "0",
      startedAt: at,
      bootId: UNKNOWN_BOOT,
      command: "",
      digest: "",
    });
  }
  for (const { session, name, alias } of state.aliases) {
    if (alias === null) store.aliases.remove(session, name);
    else store.aliases.set(session, alias);
  }
  for (const { runId, ...end } of state.ends) {
    store.runs.end(runId, { ...end, reason: "exited" });
  }
  if (!store.finding.isNew) return;
  store.meta.set(SHUTDOWN_KEY, state.shutdown ?? "");
  const entries = state.projects.map((project) =>
    [project.id, toRaw(project)] as const
  );
  store.meta.set(REGISTRY_KEY, formatRegistry(new Map(entries)));
}

/** What {@linkcode rememberRuns} works with. */
export interface RememberParts {
  readonly store: Store;
  readonly registry: Registry;
  readonly bootId: string;
  /** Whether projects may be missing from the registry because it was lost. */
  readonly isLost: boolean;
}

/**
 * Writes down runs that the keeper has and the store does not know: otherwise their tasks would be ended as strangers.
 *
 * @returns Their keys.
 */
export async function rememberRuns(
  parts: RememberParts,
  kept: readonly KeeperRun[],
): Promise<string[]> {
  const remembered: string[] = [];
  for (const run of kept) {
    const note = decodeRunNote(run.note);
    const known = parts.store.runs.bootOf(run.runId);
    if (note === null || (known ?? UNKNOWN_BOOT) !== UNKNOWN_BOOT) continue;
    if (known !== null) parts.store.runs.forget(run.runId);
    rememberRun(parts, run, note);
    remembered.push(run.key);
    const { projectId: id } = parseRunKey(run.key);
    if (!parts.isLost || await parts.registry.get(id) !== null) continue;
    const { configPath, name, worktreeId } = note;
    await parts.registry.register({ id, configPath, name, worktreeId });
  }
  return remembered;
}

function rememberRun(
  { store, bootId }: RememberParts,
  run: KeeperRun,
  note: RunNote,
): void {
  const { projectId: session, task } = parseRunKey(run.key);
  const { runId, pid, startTime, startedAt } = run;
  const { port, command, digest, adhoc, environment } = note;
  const spawned = { runId, pid, startTime, startedAt, port };
  store.runs.start({ ...spawned, session, task, bootId, command, digest });
  if (port !== null) store.leases.lease(session, task, port);
  const before = store.tasks.desired(session).get(task);
  const saved = decodeSavedState(before?.state ?? null);
  store.tasks.setDesired(session, task, {
    // Whether it was stopped or ended by itself nobody knows any more. What is up by mistake does more harm.
    desired: before?.desired ?? (run.ended === null ? "up" : "down"),
    manual: before?.manual ?? run.ended !== null,
    changedAt: before?.changedAt ?? startedAt,
    adhoc: before?.adhoc ?? adhoc,
    state: encodeSavedState({
      ...saved,
      environment: saved.environment ?? environment,
    }),
  });
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
