/**
 * A daemon that lives although nothing in its folder tells of it: somebody has just removed its socket and its lock.
 *
 * It listens there anew within moments. One that began meanwhile would share its state, start its tasks a second time,
 * and take the first ones for what a dead keeper left.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import { systemClock } from "../kit/clock.ts";
import { runCommand } from "../kit/run_command.ts";
import { isAnswered, SOCKET_CHECK_MS } from "../kit/steady_socket.ts";

/** How long such a daemon is waited for, on a machine that is busy. */
const RETURN_MS = SOCKET_CHECK_MS + 4_000;

/** Pause between two looks. */
const POLL_MS = 50;

const PS_LIMIT_MS = 3_000;

/** Longer than the command lines of all processes. What is cut off is not found. */
const PS_OUTPUT_BYTES = 8 * 1024 * 1024;

/** What has become of it. */
export interface OlderDaemon {
  /** It listens, or is the one that is to. False if there is none. */
  readonly isBack: boolean;
  /** One that may live, and does not listen. */
  readonly silentPid: number | null;
}

/**
 * Waits, for seconds at most, until a daemon of the same folder listens again or is gone. Asks `ps`, once if there is
 * none; where that does not exist nothing is found. To be called with the lock, so that of those that start at the same
 * time one remains.
 *
 * @param options `isService`: this one is started by a service manager, and gives way to no other that is starting.
 */
export async function awaitOlderDaemon(
  paths: Paths,
  { isService }: { readonly isService: boolean },
): Promise<OlderDaemon> {
  const deadline = systemClock.monotonic() + RETURN_MS;
  while (true) {
    if (await isAnswered(paths.daemonSocket)) {
      return { isBack: true, silentPid: null };
    }
    const found = await findDaemon(paths);
    // One that a service manager starts would have this one leave as soon as it listens, amid what that is asked to do.
    if (found?.isService && !isService) {
      return { isBack: true, silentPid: null };
    }
    if (found === null || systemClock.monotonic() >= deadline) {
      return { isBack: false, silentPid: found?.pid ?? null };
    }
    await systemClock.sleep(POLL_MS);
  }
}

/** Another daemon of this folder, known by the sockets that its command line lets it use. */
async function findDaemon(
  { daemonSocket, httpSocket }: Paths,
): Promise<{ readonly pid: number; readonly isService: boolean } | null> {
  const outcome = await runCommand({
    argv: ["ps", "-A", "-ww", "-o", "pid=", "-o", "command="],
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8" },
    timeoutMs: PS_LIMIT_MS,
    killGraceMs: 100,
    outputLimitBytes: PS_OUTPUT_BYTES,
    stderr: "discard",
    leftovers: "kill",
    clock: systemClock,
    signal: new AbortController().signal,
  });
  if (outcome.kind !== "exited") return null;
  for (const line of outcome.output.split("\n")) {
    const isDaemon = line.includes(`unix:${daemonSocket}`) &&
      line.includes(`unix:${httpSocket}`) && !line.includes("--check");
    const pid = Number.parseInt(line, 10);
    // What started us may name us.
    if (!isDaemon || pid === Deno.pid || pid === Deno.ppid) continue;
    return { pid, isService: / --service(?: |$)/.test(line) };
  }
  return null;
}
