/**
 * Which port belongs to which task. Sticky: a lease stays until it is released, whether the task runs or not.
 *
 * Says nothing about who listens on a port; that is for the machine to tell.
 *
 * @module
 */

import type { Database, Statement } from "./database.ts";

/** A port and the task that owns it. */
export interface PortLease {
  readonly session: string;
  readonly task: string;
  readonly port: number;
}

/** Leases of all projects. A task has at most one port, a port at most one task. */
export class LeaseTable {
  readonly #database: Database;
  readonly #byPort: Statement<PortLease>;
  readonly #byTask: Statement<{ port: number }>;
  readonly #all: Statement<PortLease>;
  readonly #insert: Statement<never>;
  readonly #delete: Statement<never>;
  readonly #deleteSession: Statement<never>;

  constructor(database: Database) {
    this.#database = database;
    this.#byPort = database.prepare(
      "select session, task, port from leases where port = ?",
    );
    this.#byTask = database.prepare(
      "select port from leases where session = ? and task = ?",
    );
    this.#all = database.prepare(
      "select session, task, port from leases order by port",
    );
    this.#insert = database.prepare(
      "insert or replace into leases values (?, ?, ?)",
    );
    this.#delete = database.prepare(
      "delete from leases where session = ? and task = ?",
    );
    this.#deleteSession = database.prepare(
      "delete from leases where session = ?",
    );
  }

  /**
   * Gives a task a port, in place of the one it had. One transaction. Waits for a full disk, and may then come to
   * nothing because the port was given away meanwhile.
   *
   * @returns False, and nothing changes, if the port belongs to another task.
   */
  lease(session: string, task: string, port: number): boolean {
    const holder = this.#byPort.get(port);
    if (holder !== undefined) {
      return holder.session === session && holder.task === task;
    }
    return this.#database.write(() => {
      if (this.#byPort.get(port) !== undefined) return false;
      this.#insert.run(session, task, port);
      return true;
    }, true);
  }

  /** The port of a task, or null. One look-up by key. */
  leaseOf(session: string, task: string): number | null {
    return this.#byTask.get(session, task)?.port ?? null;
  }

  /** Who owns a port, or null. One look-up by key. */
  holderOf(port: number): PortLease | null {
    return this.#byPort.get(port) ?? null;
  }

  /** All leases in the order of their ports. O(leases). */
  leases(): PortLease[] {
    return this.#all.all();
  }

  /** Takes the port of a task away. Without one nothing happens. */
  release(session: string, task: string): void {
    this.#database.write(() => this.#delete.run(session, task), 1);
  }

  /** Takes the ports of all tasks of a project away. O(its leases). */
  releaseSession(session: string): void {
    this.#database.write(() => this.#deleteSession.run(session), 1);
  }
}
