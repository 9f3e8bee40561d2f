/**
 * Checks of what the user wrote: settings of the host, the project at hand, the other projects.
 *
 * @module
 */

import { loadHostConfig } from "../../config/host_config.ts";
import { lintProject } from "../../config/lint.ts";
import { loadProject } from "../../config/project_config.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { type CheckAnswer, failed, passed, warned } from "../../kit/checks.ts";
import { openRegistry } from "../registry.ts";
import type { DoctorCheck, DoctorWorld } from "./world.ts";

/** `config.toml`. */
export const settingsCheck: DoctorCheck = {
  name: "settings",
  run: async ({ paths }) => {
    const edit = `"\${EDITOR:-vi}" ${paths.hostConfig}`;
    try {
      const { warnings } = await loadHostConfig(paths.hostConfig);
      if (warnings.length === 0) return passed(paths.hostConfig);
      return warnings.map((warning) => warned(warning, edit));
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      return failed(firstLine(error), edit);
    }
  },
};

/** The files of all registered projects. */
export const configsCheck: DoctorCheck = {
  name: "projects",
  run: async (world) => {
    const others = (await entriesOf(world))
      .filter(({ configPath }) => configPath !== world.config);
    const answers = await Promise.all(
      others.map((entry) => entryAnswer(entry, world)),
    );
    const wrong = answers.flatMap((answer) => answer ?? []);
    return wrong.length > 0 ? wrong : passed("all of their files can be read");
  },
};

async function entriesOf({ paths }: DoctorWorld) {
  try {
    return await openRegistry(paths, []).list();
  } catch (error) {
    // The check of the registry tells.
    if (error instanceof TaskmuxError) return [];
    throw error;
  }
}

async function entryAnswer(
  { id, configPath }: { readonly id: string; readonly configPath: string },
  { env }: DoctorWorld,
): Promise<CheckAnswer | null> {
  try {
    await loadProject(configPath, homeOf(env));
    return null;
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    const fix = error.code === "E100"
      ? `taskmux daemon unregister ${id}`
      : `taskmux check --config ${configPath}`;
    return warned(`${id}: ${firstLine(error)}`, fix);
  }
}

/** The project of the folder: its file, and whether the machine has what it names. */
export const projectCheck: DoctorCheck = {
  name: "project",
  run: async ({ config, env }) => {
    if (config === null) return passed("no taskmux.toml here or above");
    try {
      const project = await loadProject(config, homeOf(env));
      const issues = await lintProject(project, { searchPath: env["PATH"] });
      if (issues.length === 0) return passed(config);
      return issues.map(({ severity, task, message }) => {
        const detail = task === null ? message : `${task}: ${message}`;
        return severity === "error"
          ? failed(detail, "taskmux check")
          : warned(detail, "taskmux check");
      });
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      return failed(firstLine(error), "taskmux check");
    }
  },
};

/** Without the excerpt of the file. */
function firstLine({ message }: Error): string {
  return message.split("\n", 1)[0] ?? message;
}

function homeOf(
  env: Readonly<Record<string, string>>,
): { readonly home?: string } {
  const { HOME } = env;
  return HOME === undefined ? {} : { home: HOME };
}
