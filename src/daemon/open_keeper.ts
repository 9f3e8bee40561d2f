/**
 * The daemon's keeper: what it tells goes to those who restore runs, and what is wrong with it to `status`.
 *
 * @module
 */

import { remedyFor } from "../domain/disk_error.ts";
import type { TaskScope } from "../kit/task_scope.ts";
import type { KeeperClient } from "../pty/keeper_client.ts";
import type { KeeperNotice } from "../pty/protocol.ts";
import { KeeperLink } from "./keeper_link.ts";
import type { RunRecovery } from "./run_recovery.ts";

/** What it is wired to. */
export interface KeeperParts {
  readonly recovery: RunRecovery;
  readonly scope: TaskScope;
  /** Present problems by subject. */
  readonly problems: Map<string, string>;
  /** Finds the keeper or starts it. */
  connect(): Promise<KeeperClient>;
  onError(error: unknown, context: string): void;
}

/**
 * Finds the keeper or starts it.
 *
 * @throws {TaskmuxError} As `KeeperLink.open`.
 */
export async function openKeeper(parts: KeeperParts): Promise<KeeperLink> {
  const { recovery, scope, problems, onError } = parts;
  return await KeeperLink.open({
    connect: () => parts.connect(),
    onNotice: (notice) => {
      noteLog(problems, notice);
      scope.run((signal) => recovery.onNotice(notice, signal));
    },
    onLost: (pid) => {
      forgetLogs(problems);
      recovery.onKeeperLost(pid);
    },
    onReplaced: () => recovery.onKeeperReplaced(),
    onTrouble: (error) => {
      if (error === null) problems.delete("keeper");
      else problems.set("keeper", error.message);
      if (error !== null) onError(error, "keeper");
    },
    onError: (error) => onError(error, "keeper"),
  });
}

const LOG_PROBLEM = "log of ";

/** What cannot be written now. A run that is over has nothing more to say. */
function noteLog(problems: Map<string, string>, notice: KeeperNotice): void {
  const name = LOG_PROBLEM + notice.key;
  if (notice.notice !== "log" || notice.message === null) {
    problems.delete(name);
    return;
  }
  const { message, path } = notice;
  const where = path === undefined ? "" : `cannot write ${path}: `;
  problems.set(
    name,
    `${where}${message}; its output is dropped and counted. ${
      remedyFor(message)
    }`,
  );
}

/** The keeper that told of them is gone. */
function forgetLogs(problems: Map<string, string>): void {
  for (const name of problems.keys()) {
    if (name.startsWith(LOG_PROBLEM)) problems.delete(name);
  }
}
