/**
 * A sandbox around the command. Loaded only then.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";

/**
 * E600 for a connection that the system does not permit at all (EPERM): agents run commands in sandboxes without
 * sockets. Whether a daemon runs cannot be told from in there.
 */
export function sandboxError(cause: Error): TaskmuxError {
  return new TaskmuxError(
    "E600",
    "Cannot reach daemon: a sandbox around this command forbids sockets",
    {
      hint: "use taskmux's MCP tools, or ask to run this outside the sandbox",
      cause,
    },
  );
}
