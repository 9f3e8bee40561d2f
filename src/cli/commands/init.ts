/**
 * `taskmux init`
 *
 * @module
 */

import { CONFIG_FILE_NAME } from "../../config/find_config.ts";
import { loadProject } from "../../config/project_config.ts";
import { projectName } from "../../config/project_name.ts";
import { starterText } from "../../config/starter.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { existingFile } from "../project.ts";
import { refuseSudo } from "../sudo.ts";

/** Writes a starter file. */
export const init = command({
  usage: "[--name NAME] [--defaults]",
  about: "Writes a commented taskmux.toml into this folder. One that exists " +
    "is left alone.",
  options: {
    name: {
      type: "string",
      value: "NAME",
      summary: "Name of the project (default: that of the folder)",
    },
    defaults: { type: "boolean", summary: "Ask nothing" },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux init", "Name it after the folder, or ask"],
    ["taskmux init --name shop --json", "For programs"],
  ],
  async run(context, { values }) {
    refuseSudo(context.user, "write a taskmux.toml");
    const { output } = context;
    const path = context.config ?? `${context.folder}/${CONFIG_FILE_NAME}`;
    const existing = existingFile(path);
    if (existing !== null) {
      const name = await nameOf(existing, context.env()["HOME"]);
      await output.answer(
        { ok: true, session: name, config_path: path, action: "exists" },
        () => [`Config already exists: ${path}`],
      );
      return EXIT.ok;
    }
    const name = chosenName(context, path, values);
    if (name === null) {
      await output.lines(["Aborted"]);
      return EXIT.failure;
    }
    await writeNew(path, starterText(name));
    await output.answer(
      { ok: true, session: name, config_path: path, action: "created" },
      () => [
        `Created ${path} for project "${name}"`,
        "Next: taskmux add web 'npm run dev -- --port $PORT' --host web",
      ],
    );
    return EXIT.ok;
  },
});

/** Null when the file cannot be read: it exists all the same, and `check` says why. */
async function nameOf(
  path: string,
  home: string | undefined,
): Promise<string | null> {
  try {
    return (await loadProject(path, { home })).name;
  } catch (error) {
    if (error instanceof TaskmuxError) return null;
    throw error;
  }
}

/** Null when the user was asked and did not answer. */
function chosenName(
  context: Context,
  path: string,
  values: { readonly name: string | null; readonly defaults: boolean },
): string | null {
  if (values.name !== null) return requireLabel(values.name);
  const fallback = projectName(path.split("/").at(-2) ?? "");
  const canAsk = !context.json && !values.defaults &&
    Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  if (!canAsk) return fallback;
  const answer = prompt("Project name:", fallback);
  return answer === null ? null : projectName(answer);
}

function requireLabel(name: string): string {
  const slug = projectName(name);
  if (slug === name) return name;
  throw new TaskmuxError(
    "E104",
    `Cannot name a project "${name}": it must be lower-case letters, digits and hyphens`,
    { hint: `taskmux init --name ${slug}` },
  );
}

/** Leaves nothing half-written. */
async function writeFileNew(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, { createNew: true, write: true });
  const bytes = new TextEncoder().encode(text);
  try {
    for (let sent = 0; sent < bytes.length;) {
      sent += await file.write(bytes.subarray(sent));
    }
  } catch (error) {
    await Deno.remove(path);
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  }
}

/** Never over a file that somebody else wrote meanwhile. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFileNew(path, text);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new TaskmuxError("E500", `Cannot write "${path}": it exists`, {
        hint: `ls -l ${path}`,
        cause: error,
      });
    }
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied
    ) {
      throw new TaskmuxError(
        "E500",
        `Cannot write "${path}": its folder is missing or not writable`,
        { hint: "taskmux -C DIR init", cause: error },
      );
    }
    throw error;
  }
}
