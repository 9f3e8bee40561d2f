/**
 * Which coding agents are on this machine.
 *
 * @module
 */

import type { ClientName } from "./mcp_clients.ts";

/** An agent on this machine. */
export interface AgentProgram {
  readonly program: string;
  /** Its settings for one project. */
  readonly client: ClientName;
}

const PROGRAMS: readonly AgentProgram[] = [
  { program: "claude", client: "claude-project" },
  { program: "codex", client: "codex-project" },
  { program: "cursor-agent", client: "cursor-project" },
  { program: "gemini", client: "gemini-project" },
  { program: "opencode", client: "opencode-project" },
];

/** Folders of a PATH that are looked into. */
const MAX_FOLDERS = 200;

/**
 * The agents whose program is on a PATH, in alphabetical order. A folder that cannot be looked into is passed over.
 *
 * @param searchPath As in the environment; undefined = none.
 */
export async function agentPrograms(
  searchPath: string | undefined,
): Promise<readonly AgentProgram[]> {
  const folders = (searchPath ?? "").split(":")
    .filter((folder) => folder.startsWith("/")).slice(0, MAX_FOLDERS);
  const found = await Promise.all(
    PROGRAMS.map(async (agent) => {
      for (const folder of folders) {
        if (await isFile(`${folder}/${agent.program}`)) return [agent];
      }
      return [];
    }),
  );
  return found.flat();
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
