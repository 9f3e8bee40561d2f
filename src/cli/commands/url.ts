/**
 * `taskmux url`
 *
 * @module
 */

import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { askOrRead } from "../daemon_access.ts";
import { type ProjectScope, projectScope } from "../project.ts";

/** Prints addresses. */
export const url = command({
  usage: "[NAME] [--public]",
  about:
    "Prints the address of a task or alias and nothing else, or without NAME those of\n" +
    "all. Starts nothing, and works without a daemon.",
  options: {
    public: {
      type: "boolean",
      summary: "The address at which others reach it, E743 if there is none",
    },
  },
  positionals: { min: 0, max: 1 },
  examples: [
    ["taskmux url api", "https://api.shop.localhost"],
    ['curl "$(taskmux url api)/health"', "In a script"],
    ["taskmux url web --public", "https://quiet-river.trycloudflare.com"],
    ["taskmux url", "All of them"],
  ],
  async run(context, { values, positionals: [name] }) {
    const scope = projectScope(context);
    const isPublic = values.public;
    if (name === undefined) return await printAll(context, { scope, isPublic });
    const result = await askOrRead(
      context,
      ["address.get", {
        scope,
        name,
        public: isPublic,
        tips: context.output.isTerminal,
      }],
      async () => {
        const { readAddress } = await import("../../offline/address.ts");
        return await readAddress(context, scope.config, { name, isPublic });
      },
    );
    const { url, public_url: publicUrl } = result;
    await context.output.answer(
      result,
      () => [isPublic && publicUrl !== null ? publicUrl : url],
    );
    await tell(context, result.warnings);
    return EXIT.ok;
  },
});

async function printAll(
  context: Context,
  { scope, isPublic }: {
    readonly scope: ProjectScope;
    readonly isPublic: boolean;
  },
): Promise<number> {
  const answer = await askOrRead(
    context,
    ["address.list", { scope, tips: context.output.isTerminal }],
    async () => {
      const { readAddresses } = await import("../../offline/address.ts");
      return await readAddresses(context, scope.config);
    },
  );
  const result = isPublic
    ? {
      ...answer,
      urls: answer.urls.filter((each) => each.public_url !== null),
    }
    : answer;
  const { output } = context;
  const { tableLines } = await import("../render/table.ts");
  await output.answer(
    result,
    () =>
      result.urls.length === 0
        ? [
          isPublic
            ? 'Nothing is public; "taskmux tunnel up TASK" makes a task so'
            : 'No addresses; give a task host = "NAME" in taskmux.toml',
        ]
        : tableLines(
          [{ title: "Name" }, { title: "URL" }, { title: "Public" }],
          result.urls.map((each) => [
            each.task,
            each.url,
            each.public_url ?? "",
          ]),
          output,
        ),
  );
  await tell(context, result.warnings);
  return EXIT.ok;
}

/** On stderr, for the address is all that a script reads. */
async function tell(
  { output }: Context,
  warnings: readonly string[] = [],
): Promise<void> {
  const { warningLines } = await import("../render/warnings.ts");
  await output.notes(warningLines(warnings, output.paintError));
}
