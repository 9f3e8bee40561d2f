/**
 * The watched files of one task, followed for as long as it is wanted up.
 *
 * @module
 */

import type { TaskScope } from "../kit/task_scope.ts";
import type { TaskSpec } from "../domain/task_spec.ts";
import { watchFiles } from "./file_watch.ts";
import type { SupervisorHost } from "./host.ts";

/** What a watch needs. */
export interface TaskWatchOptions {
  readonly host: SupervisorHost;
  readonly scope: TaskScope;
  readonly name: string;
  /** Root of the project. */
  readonly root: string;
  readonly onChange: (files: readonly string[]) => void;
}

/** See the module. Ends with its scope. */
export class TaskWatch {
  readonly #options: TaskWatchOptions;
  #current: AbortController | null = null;

  constructor(options: TaskWatchOptions) {
    this.#options = options;
  }

  /** Begins or ends. Patterns that have changed meanwhile count from the next beginning. */
  follow(
    { watch, watchIgnore }: Pick<TaskSpec, "watch" | "watchIgnore">,
    isUp: boolean,
  ): void {
    const isWanted = isUp && watch.length > 0;
    if (isWanted === (this.#current !== null)) return;
    this.#current?.abort();
    this.#current = null;
    if (!isWanted) return;
    const cancel = new AbortController();
    this.#current = cancel;
    const { host, scope, name, root, onChange } = this.#options;
    scope.run(async (scopeSignal) => {
      const changes = watchFiles({
        root,
        patterns: watch,
        ignore: watchIgnore,
        clock: host.clock,
        signal: AbortSignal.any([scopeSignal, cancel.signal]),
        onWarning: (message) =>
          host.onError(new Error(message), `watch of ${name}`),
      });
      for await (const files of changes) onChange(files);
    });
  }
}
