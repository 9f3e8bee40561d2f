/**
 * A project whose file is gone: its tasks go down in reverse order, and up again when the file is back.
 *
 * Nothing may run unmanaged for ever: without the file nobody can stop its tasks any more. What went down is written
 * down, so that the next daemon can bring it back as well.
 *
 * @module
 */

import { dependencyOrder } from "../domain/dependency_graph.ts";
import { isAtRest } from "../domain/task_machine.ts";
import { isTunnelProgram } from "../domain/tunnel.ts";
import type { SupervisorHost } from "../supervisor/host.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import { stopAll } from "../supervisor/stop_action.ts";

/** Whose file it is. */
export interface LostFileOptions {
  readonly id: string;
  readonly configPath: string;
  readonly host: SupervisorHost;
}

/** See the module. */
export class LostFile {
  readonly #options: LostFileOptions;
  readonly #key: string;

  constructor(options: LostFileOptions) {
    this.#options = options;
    this.#key = `down_with_file:${options.id}`;
  }

  /** Takes everything down. What is wanted of the tasks does not change. Bounded by their grace periods. */
  async takeDown(
    supervisor: ProjectSupervisor,
    signal: AbortSignal,
  ): Promise<void> {
    // The program of a tunnel goes with its task, and comes back with it only if the tunnel does.
    const active = supervisor.ownRunners.filter((runner) =>
      !isAtRest(runner.machine) && !isTunnelProgram(runner.spec)
    );
    if (active.length === 0) return;
    const names = active.map(({ name }) => name);
    this.#meta.set(this.#key, JSON.stringify(names));
    this.tell(names);
    await stopAll(supervisor, "shutdown", { signal });
  }

  /** Starts again what went down, unless it was stopped by hand since. Does nothing the second time. */
  bringBack(supervisor: ProjectSupervisor): void {
    const text = this.#meta.get(this.#key) ?? "";
    if (text === "") return;
    this.forget();
    const names = (JSON.parse(text) as string[]).filter((name) => {
      const machine = supervisor.own(name)?.machine;
      return machine?.desired === "up" && !machine.manual;
    });
    for (const name of dependencyOrder(supervisor.tasks, names)) {
      const runner = supervisor.runner(name);
      runner.wasResumed = true;
      runner.dispatch({ type: "start", isGated: true });
    }
  }

  /** From now on nothing is brought back. */
  forget(): void {
    this.#meta.set(this.#key, "");
  }

  /** The event that says why these tasks end. */
  tell(tasks: readonly string[]): void {
    const { host, id, configPath } = this.#options;
    host.emit({
      event: "config_missing",
      session: id,
      at: host.clock.now(),
      data: { config_path: configPath, tasks: [...tasks] },
    });
  }

  get #meta(): SupervisorHost["store"]["meta"] {
    return this.#options.host.store.meta;
  }
}
