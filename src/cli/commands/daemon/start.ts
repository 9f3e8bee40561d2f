/**
 * `taskmux daemon start`
 *
 * @module
 */

import type { Client } from "../../../client/client.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import type { Context } from "../../context.ts";
import { findDaemon } from "../../daemon_access.ts";
import { wholeNumber } from "../../option_value.ts";

/** The option of every command that starts a daemon. */
export const PORT_OPTION = {
  type: "string",
  value: "PORT",
  summary: "Port of the API on 127.0.0.1 (0 = any free one)",
} as const;

/** Starts the daemon. */
export const daemonStart = command({
  usage: "[--port PORT]",
  about: "Every command that acts does this by itself.",
  options: {
    port: PORT_OPTION,
    force: { type: "boolean", summary: "Has no effect" },
  },
  positionals: { min: 0, max: 0 },
  examples: [["taskmux daemon start", "Start it before it is needed"]],
  async run(context, { values }) {
    const args = portArguments(values.port);
    await using present = await findDaemon(context);
    if (present !== null) {
      return await report(context, present, "already_running");
    }
    const { ensureDaemon } = await import("../../../client/spawn_daemon.ts");
    await using client = await ensureDaemon(context.paths, {
      args,
      user: context.user,
    });
    return await report(context, client, "started");
  },
});

/**
 * Arguments of the daemon itself.
 *
 * @throws {TaskmuxError} E500 if it is no port.
 */
export function portArguments(option: string | null): string[] {
  const port = wholeNumber("port", option, { max: 65_535 });
  return port === null ? [] : ["--port", String(port)];
}

async function report(
  { output }: Context,
  { hello: { pid } }: Client,
  action: "started" | "already_running",
): Promise<number> {
  await output.answer({ ok: true, pid, action }, () => [
    action === "started"
      ? `Started daemon (pid ${pid})`
      : `The daemon is running already (pid ${pid})`,
  ]);
  return EXIT.ok;
}
