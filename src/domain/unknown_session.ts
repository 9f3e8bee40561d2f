/**
 * The refusal of a project's name that no project has.
 *
 * @module
 */

import { closest } from "../kit/did_you_mean.ts";
import { TaskmuxError } from "./error.ts";

/**
 * E303. The hint is the name that was probably meant, or where to look; the details have all that there are.
 *
 * @param known Names of the registered projects.
 * @param whereToLook In the words of who asks; by default a command line.
 */
export function unknownSession(
  session: string,
  known: readonly string[],
  whereToLook = "taskmux daemon list",
): TaskmuxError {
  const meant = closest(session, known);
  return new TaskmuxError("E303", `Session '${session}' is not registered`, {
    hint: meant === null ? whereToLook : `did you mean "${meant}"?`,
    details: { session, known: [...known] },
  });
}
