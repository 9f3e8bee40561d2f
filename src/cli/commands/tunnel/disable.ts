/**
 * `taskmux tunnel disable`
 *
 * @module
 */

import { command } from "../../command.ts";
import { needDaemon } from "../../daemon_access.ts";
import { exitStatus } from "../../exit_status.ts";
import { interruptible } from "../../interrupt.ts";
import { withLiveView } from "../../live_view.ts";
import { projectScope } from "../../project.ts";
import { disabledLines, failureLines } from "../../render/tunnel_setup.ts";
import { warningLines } from "../../render/warnings.ts";
import { refuseSudo } from "../../sudo.ts";

/** No longer has tasks be public. */
export const tunnelDisable = command({
  usage: "[TASK...] [--prune]",
  about:
    "Closes the tunnels, forgets that you wanted them, and takes tunnel and public_hostname out\n" +
    "of taskmux.toml. Without TASK for all of the project. May be repeated.",
  options: {
    prune: {
      type: "boolean",
      summary: "Remove the tunnel and DNS records that taskmux made, too",
    },
  },
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux tunnel disable api", "One task"],
    ["taskmux tunnel disable --prune", "Leave nothing at Cloudflare"],
  ],
  async run(context, { values, positionals }) {
    refuseSudo(context.user, "disable tunnels");
    const scope = projectScope(context);
    const { output } = context;
    return await interruptible(
      "Stopped waiting: it is done all the same",
      async (signal) => {
        await using client = await needDaemon(context, signal);
        const params = {
          scope,
          tasks: [...positionals],
          prune: values.prune,
          env: context.env(),
        };
        const result = await withLiveView(
          context,
          { title: "Disabling" },
          () => client.call("tunnel.disable", params, { signal }),
        );
        await output.answer(result, () => disabledLines(result));
        if (!output.json) {
          await output.notes([
            ...warningLines(result.warnings, output.paintError),
            ...failureLines(result, output.paintError),
          ]);
        }
        return exitStatus(result);
      },
    );
  },
});
