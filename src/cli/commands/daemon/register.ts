/**
 * `taskmux daemon register` and `taskmux daemon unregister`
 *
 * @module
 */

import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import type { Context } from "../../context.ts";
import { findOrReviveDaemon, needDaemon } from "../../daemon_access.ts";
import { interruptible } from "../../interrupt.ts";
import { projectScope } from "../../project.ts";

/** Registers a project. */
export const daemonRegister = command({
  usage: "[-c FILE] [--force]",
  about: "Every command that acts on a project does this by itself.",
  options: {
    config: {
      type: "string",
      short: "c",
      value: "FILE",
      summary: "The taskmux.toml (default: that of this folder)",
    },
    force: {
      type: "boolean",
      short: "f",
      summary: "Even if another folder has the project's name",
    },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux daemon register", "The project of this folder"],
    ["taskmux daemon register -c ~/shop/taskmux.toml", "Another one"],
  ],
  async run(context, { values }) {
    const { config } = projectScope(context);
    await using client = await needDaemon(context);
    const result = await client.call("project.register", {
      config,
      force: values.force,
    });
    await context.output.answer(result, () => [
      `Registered "${result.entry.session}" (${result.entry.config_path})`,
    ]);
    return EXIT.ok;
  },
});

/** Stops a project's tasks and forgets it. */
export const daemonUnregister = command({
  usage: "NAME",
  about: "NAME as in the list of projects. Its tasks are stopped first; its " +
    "file and its logs stay.",
  options: {},
  positionals: { min: 1, max: 1 },
  examples: [["taskmux daemon unregister shop", "Forget a project"]],
  async run(context, { positionals }) {
    const session = positionals[0]!;
    return await interruptible(
      "Stopped waiting: the project is being unregistered",
      async (signal) => {
        await using running = await findOrReviveDaemon(context, signal);
        if (running === null) await requireRegistered(context, session);
        await using client = running ?? await needDaemon(context, signal);
        const result = await client.call(
          "project.unregister",
          { session },
          { signal },
        );
        await context.output.answer(result, () => [
          ...result.stopped.map((task) => `Stopped task "${task}"`),
          `Unregistered "${result.session}"`,
        ]);
        return EXIT.ok;
      },
    );
  },
});

/** A project nobody knows is no reason to start a daemon. */
async function requireRegistered(
  { paths }: Context,
  session: string,
): Promise<void> {
  const { readProjects } = await import("../../../offline/daemon.ts");
  const { projects } = await readProjects(paths);
  if (projects.some((project) => project.session === session)) return;
  throw new TaskmuxError(
    "E303",
    `Cannot unregister "${session}": there is no such project`,
    { hint: "taskmux daemon list" },
  );
}
