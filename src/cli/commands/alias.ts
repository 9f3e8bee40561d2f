/**
 * `taskmux alias add`, `alias list`, `alias remove`
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { askOrRead, needDaemon } from "../daemon_access.ts";
import { interruptible } from "../interrupt.ts";
import { projectScope } from "../project.ts";
import { aliasLines } from "../render/alias.ts";
import { warningLines } from "../render/status.ts";

const STOPPED = "Stopped waiting: it may still be done";

/** Gives a foreign port a name. */
export const aliasAdd = command({
  usage: "NAME PORT [--host HOST]",
  about:
    "Serves a port of this machine that is no task's, such as a container's, at\n" +
    "https://HOST.PROJECT.localhost. It works at once and stays until it is removed; each\n" +
    "git worktree has its own. An alias of the same name is replaced.",
  options: {
    host: {
      type: "string",
      value: "HOST",
      summary: "The label before the project's name (default: NAME)",
    },
  },
  positionals: { min: 2, max: 2 },
  examples: [
    ["taskmux alias add admin 8080", "https://admin.shop.localhost"],
    ["taskmux alias add cache 8081 --host redis", "Under another name"],
  ],
  async run(context, { values, positionals: [name = "", word = ""] }) {
    const port = portNumber(name, word);
    const scope = projectScope(context);
    return await interruptible(STOPPED, async (signal) => {
      await using client = await needDaemon(context, signal);
      const { host } = values;
      const result = await client.call("alias.add", {
        scope,
        name,
        port,
        ...host === null ? {} : { host },
      }, { signal });
      const { output } = context;
      const verb = { added: "Added", replaced: "Replaced", unchanged: "Kept" };
      await output.answer(result, () => [
        `${
          verb[result.action]
        } alias "${name}": ${result.url} leads to localhost:${port}`,
      ]);
      await output.notes(warningLines(result.warnings, output.paintError));
      return EXIT.ok;
    });
  },
});

/** Lists the names of foreign ports. */
export const aliasList = command({
  usage: "",
  about: "Works without a daemon.",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [["taskmux alias list", "Every alias of this project"]],
  async run(context) {
    const scope = projectScope(context);
    const result = await askOrRead(
      context,
      ["alias.list", { scope }],
      async () => {
        const { readAliases } = await import("../../offline/address.ts");
        return await readAliases(context, scope.config);
      },
    );
    const { output } = context;
    await output.answer(
      result,
      () =>
        result.count === 0
          ? ['No aliases; "taskmux alias add NAME PORT" adds one']
          : aliasLines(result.aliases, output),
    );
    await output.notes(warningLines(result.warnings, output.paintError));
    return EXIT.ok;
  },
});

/** Takes the name of a foreign port away. */
export const aliasRemove = command({
  usage: "NAME",
  options: {},
  positionals: { min: 1, max: 1 },
  examples: [["taskmux alias remove db", "Its name leads nowhere any more"]],
  async run(context, { positionals: [name = ""] }) {
    const scope = projectScope(context);
    return await interruptible(STOPPED, async (signal) => {
      await using client = await needDaemon(context, signal);
      const params = { scope, name };
      const result = await client.call("alias.remove", params, { signal });
      await context.output.answer(result, () => [`Removed alias "${name}"`]);
      return EXIT.ok;
    });
  },
});

function portNumber(name: string, word: string): number {
  const port = /^\d{1,5}$/.test(word) ? Number(word) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new TaskmuxError(
    "E500",
    `Cannot give an alias the port "${word}": it must be a whole number from 1 to 65535`,
    { hint: `taskmux alias add ${name} 8080`, details: { value: word } },
  );
}
