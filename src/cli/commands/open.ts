/**
 * `taskmux open`
 *
 * @module
 */

import type { Client } from "../../client/client.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { command } from "../command.ts";
import { needDaemon } from "../daemon_access.ts";
import { exitStatus } from "../exit_status.ts";
import { interruptible } from "../interrupt.ts";
import { type ProjectScope, projectScope } from "../project.ts";
import { errorLines } from "../render/error.ts";
import { warningLines } from "../render/warnings.ts";

/** Opens an address in the browser. */
export const open = command({
  usage: "[NAME] [--public]",
  about:
    "Opens the address of a task or alias in $BROWSER, else in the system's browser; without\n" +
    'NAME that of the task with host = "@", or the only one. If that fails, it prints the\n' +
    "address. Starts no task.",
  options: {
    public: {
      type: "boolean",
      summary: "Its public address, E743 if it has none",
    },
  },
  positionals: { min: 0, max: 1 },
  examples: [
    ["taskmux open web", "In the default browser"],
    ["BROWSER=firefox taskmux open web", "In another one"],
  ],
  async run(context, { values, positionals: [word] }) {
    const scope = projectScope(context);
    return await interruptible(
      "Stopped waiting: the page may still open",
      async (signal) => {
        await using client = await needDaemon(context, signal);
        const name = word ?? await onlyName(client, scope, signal);
        const params = {
          scope,
          name,
          public: values.public,
          env: context.env(),
        };
        const result = await client.call("address.open", params, { signal });
        const { output } = context;
        const { ok, url, error_code = "E704", error = "", hint } = result;
        await output.answer(result, () => [ok ? `Opened ${url}` : url]);
        await output.notes(
          warningLines(result.warnings ?? [], output.paintError),
        );
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

/** The task that a project is opened by. @throws {TaskmuxError} E500 if there is more than one to choose from. */
async function onlyName(
  client: Client,
  scope: ProjectScope,
  signal: AbortSignal,
): Promise<string> {
  const { urls } = await client.call("address.list", { scope }, { signal });
  const own = urls.find(({ host }) => host === "@") ??
    (urls.length === 1 ? urls[0] : undefined);
  if (own !== undefined) return own.task;
  const names = urls.map(({ task }) => task);
  throw new TaskmuxError(
    "E500",
    `Cannot choose what to open: ${
      names.length === 0
        ? "nothing has an address"
        : `there are ${names.join(", ")}`
    }`,
    { hint: `taskmux open ${names[0] ?? "NAME"}`, details: { known: names } },
  );
}
