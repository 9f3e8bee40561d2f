/**
 * Reads `taskmux.toml`: from text to a project that is ready to run, or to everything that is wrong with it.
 *
 * Looks at nothing but the file itself. Whether folders and programs exist is for `lint.ts`.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { ProjectSpec, TaskSpec } from "../domain/task_spec.ts";
import { baseName, folderOf } from "../kit/path.ts";
import { readConfigText } from "./config_file.ts";
import { ProblemList } from "./problem.ts";
import { PROJECT_FIELDS } from "./project_keys.ts";
import { projectName } from "./project_name.ts";
import { checkProject } from "./project_rules.ts";
import { readFields } from "./rule.ts";
import { buildHooks, buildTask, projectEnvFiles } from "./task_builder.ts";
import { TomlDocument } from "./toml_document.ts";

/** What reading a project needs beside its file. */
export interface ProjectOptions {
  /** Absolute home folder, for paths that start with `~`; without it such a path is E104. */
  readonly home?: string | undefined;
}

/**
 * Reads a project.
 *
 * Without `name` the project is called after its folder, see `projectName`. Keys of a task that are paths are relative
 * to the file's folder.
 *
 * @param text The content of the file.
 * @param configPath Absolute path of the file, whether or not it exists.
 * @throws {TaskmuxError} E101 for the first syntax error; else everything that is wrong, as one error with the code of
 * the first in the file (E102, E103, E104, E210, E211, E212), see `ProblemList.throwIfAny`.
 */
export function parseProject(
  text: string,
  configPath: string,
  options: ProjectOptions = {},
): ProjectSpec {
  const document = new TomlDocument(text, configPath);
  const problems = new ProblemList();
  const { value } = document;
  const project = readFields(PROJECT_FIELDS, {
    document,
    problems,
    path: [],
    value,
  });
  checkProject({ document, problems, tasks: project.tasks });
  const root = folderOf(configPath);
  const home = options.home ?? null;
  const around = { root, home, problems };
  const envFiles = projectEnvFiles(project, around);
  const tasks = new Map<string, TaskSpec>();
  for (const [name, values] of project.tasks) {
    tasks.set(
      name,
      buildTask(name, values, { ...around, project, envFiles }),
    );
  }
  problems.throwIfAny(document);
  const { worktree, tunnel } = project;
  return {
    name: project.name ?? projectName(baseName(root)),
    configPath,
    root,
    autoStart: project.auto_start,
    autoInjectAgents: project.auto_inject_agents,
    hooks: buildHooks(project.hooks),
    envFiles,
    env: project.env,
    worktree: {
      enabled: worktree.enabled,
      separator: worktree.separator,
      mainBranches: worktree.main_branches,
    },
    tunnel: {
      zoneId: tunnel.cloudflare.zone_id,
      tunnelName: tunnel.cloudflare.tunnel_name,
    },
    tasks,
  };
}

/**
 * Reads the project in a file. A symbolic link is followed; paths in the file are relative to the link's own folder.
 *
 * @param configPath Absolute path of the file.
 * @throws {TaskmuxError} E100 if the file is missing or cannot be read; else as {@linkcode parseProject}.
 */
export async function loadProject(
  configPath: string,
  options: ProjectOptions = {},
): Promise<ProjectSpec> {
  const text = await readConfigText(configPath);
  if (text !== null) return parseProject(text, configPath, options);
  throw new TaskmuxError(
    "E100",
    `Cannot read "${configPath}": there is no such file`,
    { hint: "taskmux init", details: { path: configPath } },
  );
}
