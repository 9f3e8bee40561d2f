/**
 * Shows a page in the browser of whoever asks, in the environment of that shell: the daemon's own knows no display.
 *
 * @module
 */

import type { Clock } from "../kit/clock.ts";
import { settledWithin } from "../kit/deadline.ts";

/** A launcher that has not failed by then has shown the page, or is the browser itself. */
const LAUNCH_MS = 2_000;

/** A page and who wants to see it. */
export interface PageRequest {
  readonly url: string;
  /** The whole environment of the caller. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly os: typeof Deno.build.os;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Opens it with the first program that can: those of `$BROWSER`, then what the system has for it. No shell sees the
 * address. The browser is a process of its own that outlives the daemon; its output is dropped. Takes two seconds for
 * each program at most.
 *
 * @returns Null if it is open; else why not, for people.
 * @throws The signal's reason.
 */
export async function openPage(request: PageRequest): Promise<string | null> {
  const troubles: string[] = [];
  for (const argv of launchers(request)) {
    const trouble = await launch(argv, request);
    if (trouble === null) return null;
    troubles.push(trouble);
  }
  if (troubles.length > 0) return troubles.join("; ");
  return "there is no display, and BROWSER is not set";
}

/** Command lines to try, in order. */
export function launchers(
  { url, env, os }: Pick<PageRequest, "url" | "env" | "os">,
): string[][] {
  const own = (env["BROWSER"] ?? "").split(":")
    .filter((entry) => entry.trim() !== "")
    .map((entry) => launcherOf(entry, url));
  if (os === "darwin") return [...own, ["open", url]];
  const hasDisplay = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"]
    .some((name) => (env[name] ?? "") !== "");
  return hasDisplay ? [...own, ["xdg-open", url], ["wslview", url]] : own;
}

/** An entry of `$BROWSER`: words, of which `%s` is the address, `%c` a colon, `%%` a percent sign. */
function launcherOf(entry: string, url: string): string[] {
  let isNamed = false;
  const words = entry.trim().split(/\s+/).map((word) =>
    word.replace(/%[sc%]/g, (mark) => {
      isNamed ||= mark === "%s";
      return mark === "%s" ? url : mark === "%c" ? ":" : "%";
    })
  );
  return isNamed ? words : [...words, url];
}

/** @returns Null if it did not fail. */
async function launch(
  [program = "", ...args]: readonly string[],
  { env, cwd, clock, signal }: PageRequest,
): Promise<string | null> {
  signal.throwIfAborted();
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args,
      cwd,
      env: { ...env },
      clearEnv: true,
      detached: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `there is no ${program}`;
    if (error instanceof Deno.errors.PermissionDenied) {
      return `${program} may not be executed`;
    }
    throw error;
  }
  child.unref();
  const isOver = await settledWithin(child.status, {
    clock,
    ms: LAUNCH_MS,
    signal,
  });
  if (!isOver) return null;
  const { success, code } = await child.status;
  return success ? null : `${program} exited with ${code}`;
}
