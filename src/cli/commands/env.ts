/**
 * `taskmux env`
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import {
  keptVariable,
  othersVariables,
} from "../../domain/client_variables.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { checkPrefix } from "../../domain/variable_names.ts";
import type { Result } from "../../contract/mod.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { warningLines } from "../render/status.ts";
import { askOrRead } from "../daemon_access.ts";
import { projectScope } from "../project.ts";
import { fishQuote, shellQuote } from "../../kit/shell_words.ts";

const SHELLS = ["posix", "bash", "zsh", "fish"];

/** Prints variables. */
export const env = command({
  usage: "[--shell SHELL] [--prefix PREFIX] [--no-urls] [--direnv]",
  about:
    "Prints the project's identity and the address of each task and alias as commands of a\n" +
    "shell. Starts nothing, and works without a daemon: addresses are then those that it will have.",
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
    direnv: {
      type: "boolean",
      summary: "Print lines for the .envrc of direnv instead",
    },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ['eval "$(taskmux env)"', "For .envrc or a session hook"],
    ["taskmux env --shell fish --prefix SHOP_", "For fish, with own names"],
    ["taskmux env --direnv >> .envrc && direnv allow", "In every new shell"],
  ],
  async run(context, { values }) {
    const { output } = context;
    const scope = projectScope(context);
    if (values.direnv) {
      const lines = direnvLines(values);
      const text = lines.join("\n") + "\n";
      await output.answer({ ok: true, direnv: text }, () => lines);
      return EXIT.ok;
    }
    const shell = chosenShell(values.shell);
    const params = {
      scope,
      urls: !values["no-urls"],
      ...values.prefix === null ? {} : { prefix: values.prefix },
    };
    const answer = await askOrRead(
      context,
      ["project.env", params],
      async () => {
        const { readEnvironment } = await import("../../offline/project.ts");
        return await readEnvironment(context, params);
      },
    );
    const result = withoutOthers(answer, context);
    await output.answer(
      result,
      () =>
        Object.entries(result.env).map(([name, value]) =>
          shell === "fish"
            ? `set -gx ${name} ${fishQuote(value)}`
            : `export ${name}=${shellQuote(value)}`
        ),
    );
    await output.notes(
      warningLines(result.warnings ?? [], output.paintError),
    );
    return EXIT.ok;
  },
});

/** Commands of direnv, which reads them with bash. They name no folder of this machine, so that they can be committed. */
function direnvLines(
  { shell, prefix, "no-urls": noUrls }: {
    readonly shell: string | null;
    readonly prefix: string | null;
    readonly "no-urls": boolean;
  },
): string[] {
  if (shell !== null && shell !== "bash") {
    throw new TaskmuxError(
      "E500",
      `Cannot print lines of direnv for shell "${shell}": it reads them with bash`,
      { hint: "taskmux env --direnv" },
    );
  }
  // Refuses a prefix that direnv would have to complain of at each prompt.
  checkPrefix(prefix ?? "");
  const options = [
    ...prefix === null ? [] : [` --prefix ${shellQuote(prefix)}`],
    ...noUrls ? [" --no-urls"] : [],
  ].join("");
  return [
    "# Names and addresses of this checkout. Belongs into the .envrc beside taskmux.toml,",
    '# by: taskmux env --direnv >> .envrc && direnv allow. After "alias add": direnv reload',
    "watch_file taskmux.toml",
    'watch_file "$(git rev-parse --git-path HEAD 2>/dev/null || echo taskmux.toml)"',
    'watch_file "${TASKMUX_HOME:-$HOME/.taskmux}/run/daemon.json"',
    `eval "$(taskmux env --shell bash${options})"`,
  ];
}

/** The answer without variables that the user has set otherwise. */
function withoutOthers(
  answer: Result<"project.env">,
  { env, paths }: Context,
): Result<"project.env"> & { readonly warnings?: readonly string[] } {
  const ours = [paths.caBundle, `${paths.ca}/rootCA.pem`];
  const others = othersVariables(env(), ours).filter((name) =>
    answer.env[name] !== undefined
  );
  if (others.length === 0) return answer;
  const kept = Object.entries(answer.env)
    .filter(([name]) => !others.includes(name));
  return {
    ...answer,
    env: Object.fromEntries(kept),
    warnings: others.map(keptVariable),
  };
}

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
