/**
 * Gives every task that wants one a port of its own: the same each time if that is possible, never one that is in use.
 *
 * Signals nobody. A port held by somebody else is left to them.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { fingerprint } from "../kit/fingerprint.ts";
import type { PortHolder } from "../pty/protocol.ts";
import { isPortFree } from "./port_check.ts";

/** Chosen ports are in this range: below the kernels' ephemeral ports, above well-known ones. */
export const PORT_RANGE = { first: 20_000, count: 10_000 } as const;

/** Ports of the range that a common program expects to find free when it starts later. */
const CLAIMED_PORTS: ReadonlySet<number> = new Set([
  22000, // Syncthing
  24678, // Vite, hot reload
  25565, // Minecraft
  25672, // RabbitMQ
  26257, // CockroachDB
  26379, // Redis Sentinel
  27017, // MongoDB
  27018,
  27019,
  28015, // RethinkDB
  29015,
]);

/** A port that belongs to a task, whether it runs or not. */
export interface PortLease extends TaskName {
  readonly port: number;
}

/** Where leases are kept. A task has one at most, and a port belongs to one task at most. */
export interface LeaseStore {
  /** The port of a task, or null. */
  leaseOf(session: string, task: string): number | null;
  /** Gives a port to a task in place of any it had. The port must not be another's. */
  lease(session: string, task: string, port: number): void;
  /** Takes a task's port away, if it has one. */
  release(session: string, task: string): void;
  leases(): readonly PortLease[];
}

/** What port assignment needs to know of the rest. */
export interface PortAssignerOptions {
  readonly leases: LeaseStore;
  /** Who listens on a port, as the keeper sees it; not those whom it cannot see. */
  holders(port: number): Promise<readonly PortHolder[]>;
  /**
   * Whether a task has a run or is being started. The port of such a task is not given to another, so this must be true
   * from before its port is assigned until its run is gone.
   */
  isUp(session: string, task: string): boolean;
  /** The task that a run belongs to; null = unknown. */
  ownerOf(runId: string): TaskName | null;
}

/** A task among all projects. */
export interface TaskName {
  /** Project id. */
  readonly session: string;
  readonly task: string;
}

/** Who wants a port. */
export interface PortRequest extends TaskName {
  /** The only port that will do; null = any. */
  readonly fixed: number | null;
  /** Whether a run is an earlier one of this very task. */
  isOurs(runId: string): boolean;
}

/** Who was in the way. */
export type PortObstacle = {
  readonly pid: number;
  readonly command: string;
};

/** The port a task gets. */
export interface PortAssignment {
  readonly port: number;
  /** Set when the task had another port that somebody else holds now. */
  readonly changed: {
    readonly from: number;
    /** Null = it could not be found out. */
    readonly holder: PortObstacle | null;
  } | null;
}

/** See the module. */
export class PortAssigner {
  readonly #options: PortAssignerOptions;

  constructor(options: PortAssignerOptions) {
    this.#options = options;
  }

  /**
   * The port for a new run of a task, leased to it. However many ask at a time, no port is given to two tasks.
   *
   * @throws {TaskmuxError} E214 if the fixed port is in use, naming the holder; or if no port of the range is free.
   */
  async assign(request: PortRequest): Promise<PortAssignment> {
    return request.fixed === null ? await this.#assignAny(request) : {
      port: await this.#assignFixed(request, request.fixed),
      changed: null,
    };
  }

  async #assignAny(request: PortRequest): Promise<PortAssignment> {
    const { session, task } = request;
    const previous = this.#options.leases.leaseOf(session, task);
    if (previous !== null && isPortFree(previous)) {
      return { port: previous, changed: null };
    }
    // Nothing is awaited between the choice and the lease: that is what keeps two requests apart.
    const port = this.#choose(request);
    this.#options.leases.lease(session, task, port);
    if (previous === null) return { port, changed: null };
    const holder = await this.#holderOf(previous);
    return {
      port,
      changed: {
        from: previous,
        holder: holder === null
          ? null
          : { pid: holder.pid, command: holder.command },
      },
    };
  }

  async #assignFixed(request: PortRequest, port: number): Promise<number> {
    const owner = this.#options.leases.leases().find((lease) =>
      lease.port === port && !isSameTask(lease, request)
    );
    if (owner !== undefined && this.#options.isUp(owner.session, owner.task)) {
      throw portTaken(request, port, { owner, holder: null });
    }
    if (!isPortFree(port)) {
      const holder = await this.#holderOf(port);
      throw portTaken(request, port, {
        owner: this.#ownerOf(request, holder),
        holder,
      });
    }
    if (owner !== undefined) {
      this.#options.leases.release(owner.session, owner.task);
    }
    this.#options.leases.lease(request.session, request.task, port);
    return port;
  }

  #choose({ session, task }: PortRequest): number {
    const taken = new Set(this.#options.leases.leases().map((l) => l.port));
    const { first, count } = PORT_RANGE;
    // Neither name holds a slash.
    const hash = BigInt(`0x${fingerprint(`${session}/${task}`)}`);
    const start = Number(hash % BigInt(count));
    for (let step = 0; step < count; step++) {
      const port = first + (start + step) % count;
      if (taken.has(port) || CLAIMED_PORTS.has(port)) continue;
      if (isPortFree(port)) return port;
    }
    throw new TaskmuxError(
      "E214",
      `Cannot find a port for task "${task}": all from ${first} to ${
        first + count - 1
      } are taken`,
      { hint: "taskmux prune --apply" },
    );
  }

  #ownerOf(request: PortRequest, holder: PortHolder | null): TaskName | null {
    const runId = holder?.runId ?? null;
    if (runId === null) return null;
    return request.isOurs(runId) ? request : this.#options.ownerOf(runId);
  }

  async #holderOf(port: number): Promise<PortHolder | null> {
    const holders = await this.#options.holders(port);
    return holders[0] ?? null;
  }
}

function isSameTask(a: TaskName, b: TaskName): boolean {
  return a.session === b.session && a.task === b.task;
}

function portTaken(
  request: TaskName,
  port: number,
  by: {
    readonly owner: TaskName | null;
    readonly holder: PortHolder | null;
  },
): TaskmuxError {
  const { task } = request;
  const { owner, holder } = by;
  const ours = owner === null ? null : ownerText(owner, request);
  const program = holder === null
    ? null
    : `"${holder.command}" (pid ${holder.pid})`;
  const who = [ours, program].filter((part) => part !== null).join(", ");
  return new TaskmuxError(
    "E214",
    `Cannot give port ${port} to task "${task}": it is held by ${
      who || "another program"
    }`,
    {
      hint: `"taskmux who ${port}" tells more; stop ${
        ours ?? "that program"
      }, or change port of task "${task}" in taskmux.toml`,
      details: {
        port,
        holder: holder === null
          ? null
          : { pid: holder.pid, command: holder.command },
        session: owner?.session ?? null,
        task: owner?.task ?? null,
      },
    },
  );
}

function ownerText(owner: TaskName, request: TaskName): string {
  if (isSameTask(owner, request)) return "an earlier run of that task";
  return owner.session === request.session
    ? `task "${owner.task}"`
    : `task "${owner.task}" of project "${owner.session}"`;
}
