/**
 * Checks of what is stored: the database and the registry.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { failed, passed, warned } from "../../kit/checks.ts";
import { kindOf } from "../../kit/set_aside.ts";
import { Store } from "../../store/store.ts";
import { openRegistry } from "../registry.ts";
import type { DoctorCheck } from "./world.ts";

/** Beyond this the whole file is not read. */
const MAX_CHECKED_BYTES = 512 * 1024 * 1024;

/** What repairs damaged state. */
function repairBy(daemon: { readonly kind: string }): string {
  return daemon.kind === "none"
    ? "taskmux daemon start"
    : "taskmux daemon restart";
}

/** Whether SQLite finds the file whole. */
export const databaseCheck: DoctorCheck = {
  name: "database",
  run: ({ paths, daemon }) => {
    const path = paths.database;
    const kind = kindOf(path);
    if (kind === "absent") return Promise.resolve(passed("nothing stored yet"));
    if (kind !== "file") {
      return Promise.resolve(
        failed(`${path} is no file but a ${kind}`, repairBy(daemon)),
      );
    }
    const { size } = Deno.statSync(path);
    if (size > MAX_CHECKED_BYTES) {
      return Promise.resolve(
        warned(
          `${path} is too large to be checked`,
          "taskmux clean --all --dry-run",
        ),
      );
    }
    try {
      using store = Store.openReadOnly(paths);
      if (store === null) {
        return Promise.resolve(
          warned(`${path} is of an older version`, repairBy(daemon)),
        );
      }
      const damage = store.check();
      return Promise.resolve(
        damage === null
          ? passed(`whole, ${Math.ceil(size / 1024)} KiB`)
          : failed(`${path} is damaged: ${damage}`, repairBy(daemon)),
      );
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      return Promise.resolve(
        failed(
          error.message,
          error.code === "E601" ? "taskmux --version" : repairBy(daemon),
        ),
      );
    }
  },
};

/** Whether the registry can be read. */
export const registryCheck: DoctorCheck = {
  name: "registry",
  run: async ({ paths, daemon }) => {
    const warnings: string[] = [];
    try {
      const entries = await openRegistry(paths, warnings).list();
      const [warning] = warnings;
      if (warning !== undefined) return failed(warning, repairBy(daemon));
      return passed(
        `${entries.length} project${entries.length === 1 ? "" : "s"}`,
      );
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      return failed(error.message, "taskmux --version");
    }
  },
};
