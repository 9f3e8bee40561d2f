/**
 * Tests that need a privilege or a program which not every machine has: they say loudly that they are skipped.
 *
 * @module
 */

/**
 * Whether a command succeeds here. If not, says why on stderr, with the reason that the command gave.
 *
 * @param what What cannot be tested then.
 * @throws If there is no such program and this is the whole verdict (`CI=true`), where everything is installed.
 */
export function canRun(
  what: string,
  [program, ...args]: readonly [string, ...string[]],
): boolean {
  let why: string;
  try {
    const { success, stderr } = new Deno.Command(program, {
      args,
      stdin: "null",
    }).outputSync();
    if (success) return true;
    why = new TextDecoder().decode(stderr).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (Deno.env.get("CI") === "true") throw error;
    why = `there is no ${program}`;
  }
  console.error(`SKIPPED: ${what}: ${why}`);
  return false;
}
