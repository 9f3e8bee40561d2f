/**
 * Checks of our own processes.
 *
 * @module
 */

import { isLockHeld } from "../../client/lock_probe.ts";
import { VERSION } from "../../contract/wire.ts";
import { failed, type Finding, passed, warned } from "../../kit/checks.ts";
import { askKeeper, keptWarnings } from "../kept_runs.ts";
import type { DaemonReply, DoctorCheck } from "./world.ts";

/** The daemon: answers, is of this version, has nothing to complain about. */
export const daemonCheck: DoctorCheck = {
  name: "daemon",
  run: async ({ paths, daemon }) => {
    switch (daemon.kind) {
      case "none":
        // Read only: a start that needs the lock at this moment tries again.
        return await isLockHeld(paths.daemonLock)
          ? failed(
            "it lives, but does not listen on its socket",
            "taskmux daemon restart",
          )
          : passed("not running; acting commands start it");
      case "trouble":
        return failed(
          daemon.error.message,
          daemon.error.hint ?? "taskmux daemon restart",
        );
      case "answered": {
        const { pid, version, status: { warnings } } = daemon;
        if (version !== VERSION) {
          return warned(
            `it is taskmux ${version}, this is ${VERSION}`,
            "taskmux daemon restart",
          );
        }
        if (warnings.length === 0) return passed(`pid ${pid}, ${version}`);
        return warnings.map((warning) =>
          warned(warning, `tail -n 20 ${paths.daemonLog}`)
        );
      }
    }
  },
};

/** The keeper: there while a daemon or tasks are. */
export const keeperCheck: DoctorCheck = {
  name: "keeper",
  run: async ({ paths, daemon }) => {
    const kept = await askKeeper(paths);
    if (daemon.kind === "answered" && kept.keeper === "none") {
      const fix = `tail -n 20 ${paths.keeperLog}`;
      return failed("the daemon has no keeper", fix);
    }
    if (kept.keeper === "none") return passed("not running");
    const pid = kept.keeper === "present" ? `pid ${kept.pid}` : "it lives";
    // Of a daemon that hangs its own check tells.
    if (daemon.kind !== "none") return passed(pid);
    const [warning] = keptWarnings(kept);
    return warning === undefined
      ? passed(pid)
      : warned(warning, "taskmux daemon start");
  },
};

/** What the daemon found out about itself and the machine. */
export function ownFindings(daemon: DaemonReply): Finding[] {
  if (daemon.kind === "answered" && daemon.findings !== null) {
    return [...daemon.findings];
  }
  return [{
    name: "machine",
    ...daemon.kind === "none"
      ? passed("disk, ports, limits and leftovers: only a daemon can tell")
      : warned(
        "disk, ports, limits and leftovers: the daemon does not tell",
        "taskmux daemon restart",
      ),
  }];
}
