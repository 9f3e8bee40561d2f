/**
 * What the checks of `doctor` look at: paths, the project at hand, and what the daemon answers, asked once.
 *
 * @module
 */

import { type Client, connect } from "../../client/client.ts";
import type { Paths } from "../../config/paths.ts";
import { cliFlags } from "../../config/permissions.ts";
import type { Result } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import type { Check } from "../../kit/checks.ts";

/** How long a listening daemon may take for each answer. */
const ANSWER_MS = 5_000;

/** How long it may take to say who it is. */
const HELLO_MS = 2_000;

/** The daemon, as far as it answers. */
export type DaemonReply =
  | { readonly kind: "none" }
  | { readonly kind: "trouble"; readonly error: TaskmuxError }
  | {
    readonly kind: "answered";
    readonly pid: number;
    readonly version: string;
    readonly status: Result<"daemon.status">;
    /** Null if this version cannot examine itself. */
    readonly findings: Result<"daemon.examine">["checks"] | null;
  };

/** See the module. */
export interface DoctorWorld {
  readonly paths: Paths;
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path of the project's file; null = no project here. */
  readonly config: string | null;
  readonly daemon: DaemonReply;
}

/** A check of the machine and the state folder. */
export type DoctorCheck = Check<DoctorWorld>;

/** Asks the daemon, if one listens. Starts none. At most about twelve seconds, usually milliseconds. */
export async function askDaemon(paths: Paths): Promise<DaemonReply> {
  try {
    await using client = await connect(paths.daemonSocket, {
      home: paths.home,
      helloTimeoutMs: HELLO_MS,
    });
    if (client === null) return { kind: "none" };
    const { pid, version } = client.hello;
    const status = await client.call("daemon.status", {}, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const findings = await examine(client);
    return { kind: "answered", pid, version, status, findings };
  } catch (error) {
    return { kind: "trouble", error: asTrouble(error, paths) };
  }
}

async function examine(
  client: Client,
): Promise<Result<"daemon.examine">["checks"] | null> {
  try {
    const { checks } = await client.call("daemon.examine", {}, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return checks;
  } catch (error) {
    if (error instanceof TaskmuxError && error.code === "E500") return null;
    throw error;
  }
}

function asTrouble(error: unknown, paths: Paths): TaskmuxError {
  if (error instanceof TaskmuxError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof Deno.errors.NotCapable
    ? `deno install -gf -n taskmux ${
      cliFlags(paths).join(" ")
    } ${Deno.mainModule}`
    : "taskmux daemon restart";
  return new TaskmuxError("E600", `Cannot talk to daemon: ${message}`, {
    hint,
    cause: error,
  });
}
