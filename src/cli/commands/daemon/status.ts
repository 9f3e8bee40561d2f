/**
 * `taskmux daemon status` and `taskmux daemon pid`
 *
 * @module
 */

import { connect } from "../../../client/client.ts";
import { VERSION } from "../../../contract/wire.ts";
import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import { askOrRead } from "../../daemon_access.ts";
import { daemonLines } from "../../render/daemon.ts";
import { warningLines } from "../../render/status.ts";

/** Tells how the daemon is. */
export const daemonStatus = command({
  usage: "",
  about: "Never starts it.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux daemon status", "Its process, ports and projects"]],
  async run(context) {
    const { output, paths } = context;
    const result = await askOrRead(
      context,
      ["daemon.status", {}],
      async () => {
        const { readDaemonStatus } = await import(
          "../../../offline/daemon.ts"
        );
        return await readDaemonStatus(paths, context.env());
      },
    );
    // Of this command; the daemon's own is `version`.
    const answer = { ...result, cli_version: VERSION };
    const isOther = result.running && result.version !== VERSION;
    await output.answer(
      isOther ? { ...answer, hint: "taskmux daemon restart" } : answer,
      () => daemonLines(result, output.paint),
    );
    const warnings = [
      ...result.warnings,
      ...result.is_root === true
        ? ["the daemon and its tasks run as root"]
        : [],
    ];
    await output.notes(warningLines(warnings, output.paintError));
    return EXIT.ok;
  },
});

/** Prints its process id and nothing else. */
export const daemonPid = command({
  usage: "",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux daemon pid", "For scripts"]],
  async run(context) {
    await using client = await connect(context.paths.daemonSocket, {
      home: context.paths.home,
      anyProtocol: true,
    });
    if (client === null) {
      throw new TaskmuxError(
        "E600",
        "Cannot tell the pid of the daemon: it is not running",
        { hint: "taskmux daemon start", details: { pid: null } },
      );
    }
    const { pid } = client.hello;
    await context.output.answer({ ok: true, pid }, () => [String(pid)]);
    return EXIT.ok;
  },
});
