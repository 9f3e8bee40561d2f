/**
 * The session hooks of the README, and `taskmux` as a program that a hook finds.
 *
 * @module
 */

import { dirname } from "node:path";
import { cliCommand, REPOSITORY } from "./deno_flags.ts";
import { codeBlocks } from "./markdown.ts";
import type { TempHome } from "./temp_home.ts";

/** One command of an agent's settings. */
export interface Hook {
  readonly command: string;
  /** In seconds, but for Gemini CLI in milliseconds. */
  readonly timeout: number;
}

/** Settings that hold hooks. */
export interface HookSettings {
  readonly hooks: Readonly<Record<string, { readonly hooks: Hook[] }[]>>;
}

/** The settings in docs/agents.md: those of Claude Code, then those of Gemini CLI. */
export async function documentedHooks(): Promise<HookSettings[]> {
  const page = await Deno.readTextFile(`${REPOSITORY}/docs/agents.md`);
  return codeBlocks(page)
    .filter(({ language, text }) =>
      language === "json" && text.includes('"SessionStart"')
    )
    .map(({ text }) => JSON.parse(text));
}

/** Puts a `taskmux` of this checkout into `bin` of the home. Gives a PATH with it, Deno and the system's programs. */
export async function installProgram(home: TempHome): Promise<string> {
  const bin = `${home.root}/bin`;
  const { program, args } = cliCommand(home.paths, []);
  await Deno.mkdir(bin, { recursive: true });
  await Deno.writeTextFile(
    `${bin}/taskmux`,
    `#!/bin/sh\nexec ${program} ${args.join(" ")} "$@"\n`,
    { mode: 0o755 },
  );
  // Deno is called by its name, and may be where only npm put it.
  return `${bin}:${dirname(Deno.execPath())}:/usr/bin:/bin`;
}
