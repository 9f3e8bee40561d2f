/**
 * The skill that teaches agents to use taskmux: where agents look for it, and putting it there.
 *
 * @module
 */

import SKILL from "../../skills/taskmux/SKILL.md" with { type: "text" };
import { TaskmuxError } from "../domain/error.ts";
import { folderOf } from "../kit/path.ts";
import { editTextFile, type FileAction } from "./edit_text_file.ts";

/** Its place in a folder of skills. */
const NAME = "taskmux/SKILL.md";

/** Folders of skills below a project. */
const PROJECT_FOLDERS = [
  ".claude/skills",
  ".agents/skills",
  ".codex/skills",
  ".opencode/skills",
];

/** Folders of skills below the home. */
const HOME_FOLDERS = [
  ".claude/skills",
  ".agents/skills",
  ".codex/skills",
  ".config/opencode/skills",
  ".config/agents/skills",
];

/** Where it is put: Claude Code reads the first, the others the second. */
const OWN_FOLDERS = [".claude/skills", ".agents/skills"];

/** Only a file that says so is ours. */
const OWN_REGEXP = /^---\r?\nname: taskmux\r?\n/;

/** The text of the skill of this version. */
export const SKILL_TEXT: string = SKILL;

/** What was done to one copy. */
export interface SkillOutcome {
  readonly path: string;
  readonly action: FileAction;
}

/**
 * Whether an agent in the project finds the skill, of whichever version.
 *
 * @param root Absolute path of the project's folder.
 * @param home The user's; undefined = none.
 */
export async function hasSkill(
  root: string,
  home: string | undefined,
): Promise<boolean> {
  const places = [
    ...PROJECT_FOLDERS.map((folder) => `${root}/${folder}`),
    ...home === undefined
      ? []
      : HOME_FOLDERS.map((folder) => `${home}/${folder}`),
  ];
  for (const place of places) {
    if (await isFile(`${place}/${NAME}`)) return true;
  }
  return false;
}

/**
 * Puts the skill where the user's agents find it, or brings it up to date.
 *
 * @throws {TaskmuxError} E500 if another skill of that name is there; as `editTextFile` does.
 */
export async function installSkill(
  home: string,
): Promise<readonly SkillOutcome[]> {
  const outcomes: SkillOutcome[] = [];
  for (const path of ownPlaces(home)) {
    await Deno.mkdir(folderOf(path), { recursive: true });
    const action = await editTextFile(path, (text) => {
      if (text !== null && text !== "") refuseForeign(path, text);
      return SKILL_TEXT;
    });
    outcomes.push({ path, action });
  }
  return outcomes;
}

/** Deletes the copies that {@linkcode installSkill} has made, with their folders. One that is not ours stays. */
export async function removeSkill(
  home: string,
): Promise<readonly SkillOutcome[]> {
  const outcomes: SkillOutcome[] = [];
  for (const path of ownPlaces(home)) {
    const action = await editTextFile(
      path,
      (text) => text === null || OWN_REGEXP.test(text) ? null : text,
    );
    if (action === "unchanged") continue;
    outcomes.push({ path, action });
    await removeIfEmpty(folderOf(path));
  }
  return outcomes;
}

function ownPlaces(home: string): readonly string[] {
  return OWN_FOLDERS.map((folder) => `${home}/${folder}/${NAME}`);
}

function refuseForeign(path: string, text: string): void {
  if (OWN_REGEXP.test(text)) return;
  throw new TaskmuxError(
    "E500",
    `Cannot write "${path}": another skill is there`,
    { hint: `head ${path}`, details: { path } },
  );
}

/** Where somebody has put something beside it, the folder stays. */
async function removeIfEmpty(folder: string): Promise<void> {
  for await (const _ of Deno.readDir(folder)) return;
  await Deno.remove(folder);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    const isAbsent = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied;
    if (isAbsent) return false;
    throw error;
  }
}
