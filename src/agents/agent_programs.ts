/**
 * Which coding agents are on this machine.
 *
 * @module
 */

/** Programs, each with what `mcp install` calls its client. */
const PROGRAMS: Readonly<Record<string, string>> = {
  claude: "claude",
  codex: "codex",
  "cursor-agent": "cursor",
  gemini: "gemini",
  opencode: "opencode",
};

/** Folders of a PATH that are looked into. */
const MAX_FOLDERS = 200;

/**
 * The clients whose program is on a PATH, in alphabetical order. A folder that cannot be looked into is passed over.
 *
 * @param searchPath As in the environment; undefined = none.
 */
export async function agentPrograms(
  searchPath: string | undefined,
): Promise<readonly string[]> {
  const folders = (searchPath ?? "").split(":")
    .filter((folder) => folder.startsWith("/")).slice(0, MAX_FOLDERS);
  const found = await Promise.all(
    Object.entries(PROGRAMS).map(async ([program, client]) => {
      for (const folder of folders) {
        if (await isFile(`${folder}/${program}`)) return [client];
      }
      return [];
    }),
  );
  return found.flat().sort();
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    // Whatever is wrong there, the shell would not find it either.
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
