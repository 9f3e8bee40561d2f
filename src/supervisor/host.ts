/**
 * What a supervisor is given by the daemon: the world, as narrow interfaces.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import type { Alias } from "../domain/alias.ts";
import type { NewEvent } from "../domain/event.ts";
import type { ProxyBinding } from "../domain/task_url.ts";
import type { TunnelView } from "../domain/tunnel.ts";
import type { Store } from "../store/store.ts";
import type { TaskRow } from "../store/task_table.ts";
import type { PortAssigner } from "./port_assigner.ts";
import type { EnvironmentStore } from "./environment_store.ts";
import type { Keeper } from "./keeper.ts";
import type { SecretStore } from "./secret_store.ts";

/** Lets the keeper forget ends of runs, once their records are on disk. */
export interface Receipts {
  /** Whether the end of a run is recorded, and only not on disk yet. */
  isOwed(runId: string): boolean;
  /** The end of a run is recorded. */
  give(runId: string): Promise<void>;
}

/** Everything outside that supervision needs. Shared by all projects. */
export interface SupervisorHost {
  readonly clock: Clock;
  readonly keeper: Keeper;
  readonly store: Store;
  readonly ports: PortAssigner;
  readonly environments: EnvironmentStore;
  readonly secrets: SecretStore;
  /** Where ends of runs are signed for. */
  readonly receipts: Receipts;
  /** Stores and publishes an event. Never throws. */
  emit(event: NewEvent): void;
  /** Remembers what is wanted of a task. */
  saveTask(session: string, task: string, row: TaskRow): void;
  /** Where the log of a task goes by default. */
  logFile(projectId: string, task: string): string;
  /** The aliases of a project. */
  aliases(projectId: string): readonly Alias[];
  /** How it is with the tunnel of a task; null = nobody has asked for one. */
  tunnel(projectId: string, task: string): TunnelView | null;
  /** The proxy as it is now, for addresses. */
  proxy(): ProxyBinding;
  /** Path of the CA's certificate, when there is one. */
  caPath(): string | null;
  /** Path of the bundle of it and the roots of the system, when there is one. */
  caBundle(): string | null;
  /** Reports a failure of the supervisor itself. */
  onError(error: unknown, context: string): void;
}
