/**
 * Whether a program that somebody else installed is there, and which version.
 *
 * @module
 */

import type { TunnelCheck, TunnelContext } from "./tunnel_provider.ts";

/** Folders of a PATH that are looked into. */
const MAX_FOLDERS = 200;

/** A program that a provider needs. */
export interface NeededProgram {
  readonly program: string;
  /** Arguments that make it tell its version. */
  readonly versionArgs: readonly string[];
  /** How to get it: a command line, or an address to look at. */
  readonly install: string;
  /** How to get a newer one. */
  readonly update: string;
  /** The oldest version that does, such as `3.0.0`; absent = any. */
  readonly minimum?: string;
}

/** What was found out about a program. */
export interface ProgramFinding {
  readonly check: TunnelCheck;
  /** Absolute path; null = it is not there. */
  readonly path: string | null;
  /** Such as `2025.8.1`; null = it told none. */
  readonly version: string | null;
}

/**
 * Looks for a program on the PATH of the environment and asks it for its version. The check is named `PROGRAM_binary`.
 *
 * @throws The signal's reason, if it aborts.
 */
export async function checkProgram(
  needed: NeededProgram,
  { env, run }: Pick<TunnelContext, "env" | "run">,
  signal: AbortSignal,
): Promise<ProgramFinding> {
  const { program, install, update, minimum } = needed;
  const name = `${program.replaceAll("-", "_")}_binary`;
  const path = await findProgram(program, env.PATH);
  const fail = (detail: string, fix: string): ProgramFinding => ({
    check: { name, ok: false, detail, fix },
    path,
    version: null,
  });
  if (path === null) {
    return fail(`There is no program "${program}" on the PATH`, install);
  }
  const outcome = await run([path, ...needed.versionArgs], signal);
  if (outcome.kind === "not_started") {
    return fail(`"${path}" cannot be started: ${outcome.reason}`, update);
  }
  if (outcome.kind === "timed_out") {
    return fail(`"${path}" does not tell its version`, update);
  }
  const version = /\d+\.\d+(?:\.\d+)*/.exec(outcome.output)?.[0] ?? null;
  if (outcome.code !== 0 || version === null) {
    const said = outcome.output.trim().split("\n").at(-1) ?? "";
    return fail(
      `"${path}" does not work: ${said === "" ? "it says nothing" : said}`,
      update,
    );
  }
  if (minimum !== undefined && isOlder(version, minimum)) {
    return {
      ...fail(`"${path}" is ${version}, and ${minimum} is needed`, update),
      version,
    };
  }
  const detail = `${path}, version ${version}`;
  return { check: { name, ok: true, detail, fix: null }, path, version };
}

/**
 * Where a shell would find a program.
 *
 * @param searchPath As in the environment; undefined = none. Folders that are not absolute are passed over.
 * @returns Absolute path; null = nowhere.
 */
export async function findProgram(
  program: string,
  searchPath: string | undefined,
): Promise<string | null> {
  const folders = (searchPath ?? "").split(":")
    .filter((folder) => folder.startsWith("/")).slice(0, MAX_FOLDERS);
  for (const folder of folders) {
    const path = `${folder.replace(/\/+$/, "")}/${program}`;
    if (await isProgram(path)) return path;
  }
  return null;
}

/** Whether a version comes before another: numbers between dots, a missing one counts as 0. */
export function isOlder(version: string, than: string): boolean {
  const left = version.split(".").map(Number);
  const right = than.split(".").map(Number);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    const { isFile, mode } = await Deno.stat(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch (error) {
    // Whatever is wrong there, the shell would not find it either.
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
