/**
 * In what a run differs from the one that a start would bring now.
 *
 * @module
 */

import type { ProjectSupervisor } from "./project_supervisor.ts";
import type { TaskRunner } from "./task_runner.ts";

/** Variables that a warning names. */
const NAMES_TOLD_MAX = 5;

/** Variables that differ from shell to shell without a meaning for tasks. */
const OWN_TO_SHELLS_REGEXP =
  /^(?:_|PWD|OLDPWD|SHLVL|COLUMNS|LINES|WINDOWID|TERM.*|COLORTERM|SSH_.*|XDG_SESSION.*|DBUS_.*|TMUX.*|STY|GPG_TTY|TTY|HISTFILE|PS\d|VSCODE_.*|TASKMUX_.*|NO_COLOR)$/;

/** Warnings about tasks that run: an older definition, another environment than `env`. */
export async function runWarnings(
  runners: readonly TaskRunner[],
  project: ProjectSupervisor,
  env: Readonly<Record<string, string>> | null,
): Promise<string[]> {
  const warnings: string[] = [];
  for (const runner of runners) {
    const { run, configChanged } = runner.snapshot();
    if (run === null) continue;
    const { name } = runner;
    if (configChanged) {
      warnings.push(
        `Task "${name}" runs with an older definition; "taskmux restart ${name}" applies the new one`,
      );
    }
    const names = env === null ? [] : await differing(runner, project, env);
    if (names.length === 0) continue;
    const more = names.length - NAMES_TOLD_MAX;
    warnings.push(
      `Task "${name}" runs with another environment than this shell's: ${
        names.slice(0, NAMES_TOLD_MAX).join(", ")
      }${
        more > 0 ? ` and ${more} more` : ""
      }; "taskmux restart ${name}" gives it this one`,
    );
  }
  return warnings;
}

/** Names of variables with other values; their values are nobody's business. */
async function differing(
  runner: TaskRunner,
  { host }: ProjectSupervisor,
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  if (runner.environment === null) return [];
  const { env: base } = await host.environments.recall(runner.environment);
  const names = new Set([...Object.keys(base), ...Object.keys(env)]);
  return [...names]
    .filter((name) =>
      base[name] !== env[name] && !OWN_TO_SHELLS_REGEXP.test(name)
    )
    .sort();
}
