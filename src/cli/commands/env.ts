/**
 * `taskmux env`
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { askOrRead } from "../daemon_access.ts";
import { projectScope } from "../project.ts";
import { fishQuote, shellQuote } from "../shell_words.ts";

const SHELLS = ["posix", "bash", "zsh", "fish"];

/** Prints variables. */
export const env = command({
  usage: "[--shell SHELL] [--prefix PREFIX] [--no-urls]",
  about: "Prints the project's identity and the address of each task as " +
    "commands of a shell.",
  options: {
    shell: {
      type: "string",
      value: "SHELL",
      summary: "posix, bash, zsh or fish (default: that of $SHELL)",
    },
    prefix: {
      type: "string",
      value: "PREFIX",
      summary: "What the names begin with (default TASKMUX_)",
    },
    "no-urls": { type: "boolean", summary: "Only the identity" },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ['eval "$(taskmux env)"', "For .envrc or a session hook"],
    ["taskmux env --shell fish --prefix SHOP_", "For fish, with own names"],
  ],
  async run(context, { values }) {
    const { output } = context;
    const scope = projectScope(context);
    const shell = chosenShell(values.shell);
    const params = {
      scope,
      urls: !values["no-urls"],
      ...values.prefix === null ? {} : { prefix: values.prefix },
    };
    const result = await askOrRead(
      context,
      ["project.env", params],
      async () => {
        const { readEnvironment } = await import("../../offline/project.ts");
        return await readEnvironment(context, params);
      },
    );
    await output.answer(
      result,
      () =>
        Object.entries(result.env).map(([name, value]) =>
          shell === "fish"
            ? `set -gx ${name} ${fishQuote(value)}`
            : `export ${name}=${shellQuote(value)}`
        ),
    );
    return EXIT.ok;
  },
});

function chosenShell(option: string | null): string {
  if (option === null) {
    const name = Deno.env.get("SHELL")?.split("/").at(-1) ?? "";
    return SHELLS.includes(name) ? name : "posix";
  }
  if (SHELLS.includes(option)) return option;
  throw new TaskmuxError(
    "E500",
    `Cannot print for shell "${option}": it must be one of ${
      SHELLS.join(", ")
    }`,
    { hint: "taskmux env --shell posix" },
  );
}
