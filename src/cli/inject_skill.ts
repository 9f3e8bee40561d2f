/**
 * `taskmux inject --skill`
 *
 * @module
 */

import { installSkill, removeSkill, SKILL_TEXT } from "../agents/skill.ts";
import { TaskmuxError } from "../domain/error.ts";
import { EXIT } from "../domain/error_codes.ts";
import { outcomeLines } from "./agent_files.ts";
import type { Context } from "./context.ts";

/**
 * Installs, prints or removes the skill. Needs no project.
 *
 * @throws {TaskmuxError} E500 without a home, or where another skill has the name.
 */
export async function injectSkill(
  { output, env }: Context,
  { print, remove }: { readonly print: boolean; readonly remove: boolean },
): Promise<number> {
  if (print) {
    if (output.json) await output.value({ ok: true, skill: SKILL_TEXT });
    else await output.piece(SKILL_TEXT);
    return EXIT.ok;
  }
  const home = env()["HOME"];
  if (home === undefined || !home.startsWith("/")) {
    throw new TaskmuxError("E500", "Cannot write the skill: HOME is not set", {
      hint: "taskmux inject --skill --print",
    });
  }
  if (remove) {
    const removed = await removeSkill(home);
    await output.answer(
      { ok: true, removed },
      () => removed.length === 0 ? ["It is not there"] : outcomeLines(removed),
    );
    return EXIT.ok;
  }
  const wrote = await installSkill(home);
  await output.answer({ ok: true, wrote }, () => outcomeLines(wrote));
  return EXIT.ok;
}
