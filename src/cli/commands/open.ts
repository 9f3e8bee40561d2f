/**
 * `taskmux open`
 *
 * @module
 */

import { command } from "../command.ts";
import { needDaemon } from "../daemon_access.ts";
import { exitStatus } from "../exit_status.ts";
import { interruptible } from "../interrupt.ts";
import { projectScope } from "../project.ts";
import { errorLines } from "../render/error.ts";

/** Opens an address in the browser. */
export const open = command({
  usage: "NAME",
  about:
    "Opens the address of a task or alias in $BROWSER, else in the system's browser. If that\n" +
    "fails, it prints the address. Starts no task.",
  options: {},
  positionals: { min: 1, max: 1 },
  examples: [
    ["taskmux open web", "In the default browser"],
    ["BROWSER=firefox taskmux open web", "In another one"],
  ],
  async run(context, { positionals: [name = ""] }) {
    const scope = projectScope(context);
    return await interruptible(
      "Stopped waiting: the page may still open",
      async (signal) => {
        await using client = await needDaemon(context, signal);
        const params = { scope, name, env: context.env() };
        const result = await client.call("address.open", params, { signal });
        const { output } = context;
        const { ok, url, error_code = "E704", error = "", hint } = result;
        await output.answer(result, () => [ok ? `Opened ${url}` : url]);
        if (!ok) {
          const shape = { ok: false as const, error_code, error };
          await output.notes(
            errorLines(
              hint === undefined ? shape : { ...shape, hint },
              output.paintError,
            ),
          );
        }
        return exitStatus(result);
      },
    );
  },
});
