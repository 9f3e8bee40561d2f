/**
 * The name of a project that does not say its own.
 *
 * @module
 */

import { RESERVED_PROJECT_ID } from "../domain/worktree_id.ts";
import { MAX_LABEL_LENGTH } from "./value_rules.ts";

/** The name of a project in a folder whose own name holds no letter or digit. */
const FALLBACK_NAME = "project";

/**
 * A project name made of a text, most often a folder's name: lower case, every run of other characters than letters and
 * digits one hyphen, at most 63 characters. `My App_1` gives `my-app-1`, and the reserved `taskmux` `taskmux-project`.
 */
export function projectName(text: string): string {
  const slug = text.toLowerCase().replace(/[^a-z0-9]+/g, "-")
    .slice(0, MAX_LABEL_LENGTH + 1).replace(/^-/, "")
    .slice(0, MAX_LABEL_LENGTH).replace(/-$/, "");
  if (slug === RESERVED_PROJECT_ID) return `${slug}-${FALLBACK_NAME}`;
  return slug === "" ? FALLBACK_NAME : slug;
}
