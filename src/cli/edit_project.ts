/**
 * Changes of a `taskmux.toml`: nothing is written that could not be read again.
 *
 * @module
 */

import { readConfigText } from "../config/config_file.ts";
import { parseProject } from "../config/project_config.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { ProjectSpec } from "../domain/task_spec.ts";
import { writeFileAtomic } from "../kit/atomic_file.ts";

/** A change that was checked but not written. */
export interface PlannedEdit {
  /** The text it was made from. */
  readonly original: string;
  readonly text: string;
  readonly before: ProjectSpec;
  readonly after: ProjectSpec;
}

/** Makes the new text of the old one; throws if it cannot. */
export type Edit = (text: string, before: ProjectSpec) => string;

/**
 * What a change would make of the file.
 *
 * @throws {TaskmuxError} E100 if there is no file, else what is wrong with the old text, the change or the new text.
 */
export async function planEdit(
  config: string,
  edit: Edit,
): Promise<PlannedEdit> {
  const original = await readConfigText(config);
  if (original === null) {
    throw new TaskmuxError(
      "E100",
      `Cannot read "${config}": there is no file`,
      { hint: "taskmux init", details: { path: config } },
    );
  }
  const before = parseProject(original, config);
  const text = edit(original, before);
  const after = parseProject(text, config);
  return { original, text, before, after };
}

/** Makes a change and writes it in one step, see {@linkcode planEdit}. */
export async function editProject(
  config: string,
  edit: Edit,
): Promise<PlannedEdit> {
  const planned = await planEdit(config, edit);
  if (planned.text !== planned.original) {
    await writeFileAtomic(config, planned.text);
  }
  return planned;
}
