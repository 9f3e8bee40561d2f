/**
 * Actions of several steps that a crash of the daemon must not leave half done: written down before they begin, crossed
 * out when they are over, and finished by the next daemon.
 *
 * @module
 */

import type { MetaTable } from "../store/meta_table.ts";

/** An action under way. Holds no secret: the environment is only named. */
export interface PendingAction {
  readonly action: "stop" | "restart";
  /** Task → its last run when the action began; null = it had none. */
  readonly runs: Readonly<Record<string, string | null>>;
  /** The caller's environment by name. */
  readonly environment: string | null;
}

/** The actions of one project. */
export class PendingActions {
  readonly #meta: MetaTable;
  readonly #key: string;
  /** Each as it was begun → what is left of it. */
  readonly #current = new Map<PendingAction, PendingAction>();
  #left: readonly PendingAction[];

  constructor(meta: MetaTable, projectId: string) {
    this.#meta = meta;
    this.#key = `pending_actions:${projectId}`;
    const text = meta.get(this.#key) ?? "";
    this.#left = text === "" ? [] : JSON.parse(text) as PendingAction[];
  }

  /**
   * Performs an action that is written down for as long as it lasts.
   *
   * @param signal Aborts when this daemon ends first: then the action stays written down for the next one.
   */
  async during<T>(
    action: PendingAction,
    signal: AbortSignal,
    perform: () => Promise<T>,
  ): Promise<T> {
    if (Object.keys(action.runs).length === 0) return await perform();
    this.#current.set(action, action);
    this.#save();
    try {
      return await perform();
    } finally {
      if (!signal.aborted) {
        this.#current.delete(action);
        this.#save();
      }
    }
  }

  /** What an earlier daemon did not finish, in order. */
  get left(): readonly PendingAction[] {
    return this.#left;
  }

  /** Whether such an action on this task is under way, or was left by an earlier daemon, and nobody has taken it back. */
  has(action: PendingAction["action"], task: string): boolean {
    return [...this.#left, ...this.#current.values()].some((each) =>
      each.action === action && Object.hasOwn(each.runs, task)
    );
  }

  /** Crosses tasks out of such actions: the opposite was asked for later, and the later word counts. */
  takeBack(action: PendingAction["action"], tasks: readonly string[]): void {
    if (!tasks.some((task) => this.has(action, task))) return;
    const without = (each: PendingAction): PendingAction =>
      each.action === action ? withoutTasks(each, tasks) : each;
    this.#left = this.#left.map(without);
    for (const [begun, left] of this.#current) {
      this.#current.set(begun, without(left));
    }
    this.#save();
  }

  /** Crosses out what an earlier daemon did not finish. */
  forget(): void {
    if (this.#left.length === 0) return;
    this.#left = [];
    this.#save();
  }

  #save(): void {
    // Another crash must not lose what the one before has left.
    const actions = [...this.#left, ...this.#current.values()];
    this.#meta.set(
      this.#key,
      actions.length === 0 ? "" : JSON.stringify(actions),
    );
  }
}

function withoutTasks(
  action: PendingAction,
  tasks: readonly string[],
): PendingAction {
  const runs = Object.entries(action.runs)
    .filter(([task]) => !tasks.includes(task));
  return { ...action, runs: Object.fromEntries(runs) };
}
