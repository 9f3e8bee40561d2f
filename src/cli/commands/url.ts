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
  usage: "[NAME]",
  about:
    "Prints the address of a task or alias and nothing else, or without NAME those of\n" +
    "all. Starts nothing, and works without a daemon.",
  options: {},
  positionals: { min: 0, max: 1 },
  examples: [
    ["taskmux url api", "https://api.shop.localhost"],
    ['curl "$(taskmux url api)/health"', "In a script"],
    ["taskmux url", "All of them"],
  ],
  async run(context, { positionals: [name] }) {
    const scope = projectScope(context);
    if (name === undefined) return await printAll(context, scope);
    const result = await askOrRead(
      context,
      ["address.get", { scope, name, tips: context.output.isTerminal }],
      async () => {
        const { readAddress } = await import("../../offline/address.ts");
        return await readAddress(context, scope.config, name);
      },
    );
    await context.output.answer(result, () => [result.url]);
    await tell(context, result.warnings);
    return EXIT.ok;
  },
});

async function printAll(
  context: Context,
  scope: ProjectScope,
): Promise<number> {
  const result = await askOrRead(
    context,
    ["address.list", { scope, tips: context.output.isTerminal }],
    async () => {
      const { readAddresses } = await import("../../offline/address.ts");
      return await readAddresses(context, scope.config);
    },
  );
  const { output } = context;
  const { tableLines } = await import("../render/table.ts");
  await output.answer(
    result,
    () =>
      result.urls.length === 0
        ? ['No addresses; give a task host = "NAME" in taskmux.toml']
        : tableLines(
          [{ title: "Name" }, { title: "URL" }],
          result.urls.map(({ task, url }) => [task, url]),
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
