/**
 * Checks of what taskmux needs of the machine.
 *
 * @module
 */

import { failed, passed, warned } from "../../kit/checks.ts";
import { systemClock } from "../../kit/clock.ts";
import { runCommand } from "../../kit/run_command.ts";
import { launchEnvironment } from "../../config/launch.ts";
import { Store } from "../../store/store.ts";
import type { DoctorCheck } from "./world.ts";

/** Oldest Deno that works: major, minor. */
const DENO_MIN = [2, 9] as const;

/** Before this was written no clock is right. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);

/** Events of the future by less than this come from small corrections. */
const CLOCK_TOLERANCE_MS = 60_000;

const GIT_TIMEOUT_MS = 5_000;

/** The runtime's version. */
export const denoCheck: DoctorCheck = {
  name: "deno",
  run: () => {
    const { deno } = Deno.version;
    const [major = 0, minor = 0] = deno.split(".").map(Number);
    const [wanted, atLeast] = DENO_MIN;
    const isNew = major > wanted || (major === wanted && minor >= atLeast);
    return Promise.resolve(
      isNew
        ? passed(`Deno ${deno}`)
        : failed(`Deno ${deno} is too old`, "deno upgrade"),
    );
  },
};

/** Git, which tells worktrees apart. */
export const gitCheck: DoctorCheck = {
  name: "git",
  run: async ({ env }, signal) => {
    const outcome = await runCommand({
      argv: ["git", "--version"],
      cwd: "/",
      env: launchEnvironment(env),
      timeoutMs: GIT_TIMEOUT_MS,
      killGraceMs: 100,
      outputLimitBytes: 1_000,
      stderr: "discard",
      leftovers: "leave",
      clock: systemClock,
      signal,
    });
    if (outcome.kind === "exited" && outcome.code === 0) {
      return passed(outcome.output.trim());
    }
    return warned(
      "git does not run: worktrees of a project cannot be told apart",
      Deno.build.os === "darwin"
        ? "xcode-select --install"
        : "sudo apt-get install git",
    );
  },
};

/** The clock: what happened cannot be later than now. */
export const clockCheck: DoctorCheck = {
  name: "clock",
  run: ({ paths }) => {
    const now = systemClock.now();
    const text = new Date(now).toISOString();
    const fix = Deno.build.os === "darwin"
      ? "sudo sntp -sS time.apple.com"
      : "sudo timedatectl set-ntp true";
    if (now < EARLIEST_MS) {
      return Promise.resolve(failed(`it is not ${text}`, fix));
    }
    using store = openOrNull(paths);
    const last = store?.events.list({ limit: 1 }).events.at(-1);
    const ahead = last === undefined ? 0 : Date.parse(last.ts) - now;
    return Promise.resolve(
      ahead > CLOCK_TOLERANCE_MS
        ? warned(`${text}, but the last event is of ${last?.ts}`, fix)
        : passed(text),
    );
  },
};

/** What is wrong with the database, its own check tells. */
function openOrNull(paths: Parameters<typeof Store.openReadOnly>[0]) {
  try {
    return Store.openReadOnly(paths);
  } catch {
    return null;
  }
}
