/**
 * The registry as commands without a daemon read it: nothing is repaired.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import { Registry, REGISTRY_KEY } from "../store/registry.ts";
import { Store } from "../store/store.ts";

/**
 * Opens it. Where its file is damaged, the copy in the state database answers.
 *
 * @param warnings Gets what is wrong with it, once.
 */
export function openRegistry(paths: Paths, warnings: string[]): Registry {
  return new Registry(paths, {
    clock: systemClock,
    readOnly: true,
    warn: (message) => {
      if (!warnings.includes(message)) warnings.push(message);
    },
    backup: { load: () => loadCopy(paths), save: () => {} },
  });
}

function loadCopy(paths: Paths): string | null {
  try {
    using store = Store.openReadOnly(paths);
    return store?.meta.get(REGISTRY_KEY) ?? null;
  } catch (error) {
    // Damaged as well, or of a newer version.
    if (error instanceof TaskmuxError) return null;
    throw error;
  }
}
