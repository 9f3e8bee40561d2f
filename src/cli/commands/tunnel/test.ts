/**
 * `taskmux tunnel test`
 *
 * @module
 */

import { TUNNEL_BACKENDS } from "../../../domain/tunnel.ts";
import { command } from "../../command.ts";
import { needDaemon } from "../../daemon_access.ts";
import { exitStatus } from "../../exit_status.ts";
import { interruptible } from "../../interrupt.ts";
import { withLiveView } from "../../live_view.ts";
import { oneOf } from "../../option_value.ts";
import { projectScope } from "../../project.ts";
import { checkLines } from "../../render/tunnel_setup.ts";

/** Looks whether tasks could be made public. */
export const tunnelTest = command({
  usage: "[TASK...] [--via BACKEND]",
  about:
    "Program, settings, token and what it may do, zones, DNS records: each with what to do where\n" +
    "it is wrong. Changes nothing. Without TASK for all that name a tunnel in taskmux.toml.",
  options: {
    via: {
      type: "string",
      value: "BACKEND",
      summary: `${TUNNEL_BACKENDS.join(", ")} (default: as in the file)`,
    },
  },
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux tunnel test", "Everything that the file names"],
    ["taskmux tunnel test web --via cloudflare-quick", "Before tunnel up"],
  ],
  async run(context, { values, positionals }) {
    const scope = projectScope(context);
    const backend = oneOf("via", values.via, TUNNEL_BACKENDS);
    const { output } = context;
    return await interruptible("Stopped checking", async (signal) => {
      // Cloudflare is asked by the daemon; the command line reaches no network.
      await using client = await needDaemon(context, signal);
      const params = {
        scope,
        tasks: [...positionals],
        ...backend === null ? {} : { backend },
        env: context.env(),
      };
      const result = await withLiveView(
        context,
        { title: "Checking" },
        () => client.call("tunnel.test", params, { signal }),
      );
      await output.answer(
        result,
        () =>
          result.preflight.checks.length === 0
            ? ["Nothing to check."]
            : checkLines(result.preflight.checks, output.paint),
      );
      return exitStatus(result);
    });
  },
});
