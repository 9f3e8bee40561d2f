/**
 * Changes of a `taskmux.toml`: nothing is written that could not be read again.
 *
 * @module
 */

import { readConfigText } from "./config_file.ts";
import { removeTask } from "./edit_toml.ts";
import { parseProject } from "./project_config.ts";
import { dependentsOf } from "../domain/dependency_graph.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { ProjectSpec } from "../domain/task_spec.ts";
import { FileChanged, writeFileAtomic } from "../kit/atomic_file.ts";
import { systemClock } from "../kit/clock.ts";

/** How long a change waits for others. */
export const LOCK_WAIT_MS = 5_000;

const LOCK_POLL_MS = 10;

/** How often a change is made again because somebody saved the file meanwhile, who knows no lock. */
const ATTEMPTS = 5;

/** A change that was checked but not written. */
export interface PlannedEdit {
  /** The text it was made from. */
  readonly original: string;
  readonly text: string;
  readonly before: ProjectSpec;
  readonly after: ProjectSpec;
}

/** The file, and what `~` means in it. */
export interface EditedFile {
  readonly config: string;
  readonly home: string | undefined;
}

/** Makes the new text of the old one; throws if it cannot. Called again if the file changes meanwhile. */
export type Edit = (text: string, before: ProjectSpec) => string;

/**
 * What a change would make of the file.
 *
 * @throws {TaskmuxError} E100 if there is no file, else what is wrong with the old text, the change or the new text.
 */
export async function planEdit(
  { config, home }: EditedFile,
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
  const before = parseProject(original, config, { home });
  const text = edit(original, before);
  const after = parseProject(text, config, { home });
  return { original, text, before, after };
}

/**
 * Makes a change and writes it in one step, see {@linkcode planEdit}. Concurrent changes by taskmux are made one after
 * the other; none is lost, nor what an editor saves meanwhile.
 *
 * @throws {TaskmuxError} E900 if another process holds the file for {@linkcode LOCK_WAIT_MS}, or keeps writing it.
 */
export async function editProject(
  file: EditedFile,
  edit: Edit,
): Promise<PlannedEdit> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    using _lock = await lockFile(file.config);
    const planned = await planEdit(file, edit);
    if (planned.text === planned.original) return planned;
    const expected = new TextEncoder().encode(planned.original);
    try {
      await writeFileAtomic(file.config, planned.text, { expected });
      return planned;
    } catch (error) {
      if (!(error instanceof FileChanged)) throw error;
    }
  }
  throw new TaskmuxError(
    "E900",
    `Cannot change "${file.config}": something else keeps writing it`,
  );
}

/**
 * Locks the file itself, so that no other file is left in the user's project. A change puts a new file in its place;
 * whoever got the lock of the old one tries again. Null when there is no file.
 */
async function lockFile(path: string): Promise<Deno.FsFile | null> {
  const deadline = systemClock.monotonic() + LOCK_WAIT_MS;
  while (true) {
    const file = await openIfThere(path);
    if (file === null) return null;
    if (await file.tryLock(true)) {
      const [own, present] = await Promise.all([file.stat(), Deno.stat(path)]);
      if (own.ino === present.ino) return file;
    }
    file.close();
    if (systemClock.monotonic() > deadline) {
      throw new TaskmuxError(
        "E900",
        `Cannot change "${path}": another process has locked it`,
      );
    }
    await systemClock.sleep(LOCK_POLL_MS);
  }
}

async function openIfThere(path: string): Promise<Deno.FsFile | null> {
  try {
    return await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Takes a task out of the file.
 *
 * @returns An edit that throws E200 if the task is not in it, and E210 if another one depends on it.
 */
export function removalOf(task: string): Edit {
  return (text, before) => {
    refuseIfNeeded(before.tasks, task);
    return removeTask(text, task);
  };
}

/**
 * Refuses to take out a task that others need.
 *
 * @throws {TaskmuxError} E210 if another task depends on it.
 */
export function refuseIfNeeded(
  tasks: ProjectSpec["tasks"],
  task: string,
): void {
  const dependents = dependentsOf(tasks, task);
  if (dependents.length === 0) return;
  const whose = dependents.map((name) => `"${name}"`).join(", ");
  throw new TaskmuxError(
    "E210",
    `Cannot remove task "${task}": ${whose} ${
      dependents.length === 1 ? "depends" : "depend"
    } on it`,
    {
      hint: `Take "${task}" out of depends_on first`,
      details: { task, dependents },
    },
  );
}

/** Whether the task can be taken out of the file. One that is not in it may still be an ad-hoc task of the daemon. */
export async function canEdit(file: EditedFile, edit: Edit): Promise<boolean> {
  try {
    await planEdit(file, edit);
    return true;
  } catch (error) {
    if (error instanceof TaskmuxError && error.code === "E200") return false;
    throw error;
  }
}
