/**
 * Which other managers are on this machine.
 *
 * They are looked for in the folder `TASKMUX_PEERS` (in it, or in its `bin`), then on the PATH. The Python original has
 * the name of this program, so it is looked for as `taskmux-py` only: make a link of that name.
 *
 * @module
 */

import { Sandbox } from "../harness/sandbox.ts";
import { pitchfork } from "./pitchfork.ts";
import { pm2 } from "./pm2.ts";
import { processCompose } from "./process_compose.ts";
import { pythonTaskmux } from "./python_taskmux.ts";
import type { Subject } from "./subject.ts";

/** What was looked for. */
export interface FoundSubjects {
  readonly peers: readonly Subject[];
  /** Names of those that are not here. */
  readonly missing: readonly string[];
  /** Path of ripgrep; null if it is not here. */
  readonly ripgrep: string | null;
}

/** A manager that may be here. */
export interface Known {
  readonly program: string;
  readonly name: string;
  /** Arguments that print the version. */
  readonly version: readonly string[];
  make(path: string, version: string): Subject;
}

const KNOWN: readonly Known[] = [
  {
    program: "taskmux-py",
    name: "Python taskmux",
    version: ["--version"],
    make: pythonTaskmux,
  },
  { program: "pm2", name: "pm2", version: ["--version"], make: pm2 },
  {
    program: "process-compose",
    name: "process-compose",
    version: ["version", "--short"],
    make: processCompose,
  },
  {
    program: "pitchfork",
    name: "pitchfork",
    version: ["--version"],
    make: pitchfork,
  },
];

/** Looks for all of them. */
export async function findSubjects(
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<FoundSubjects> {
  const { peers, missing } = findPeers(env);
  const subjects: Subject[] = [];
  for (const { path, version, make } of peers) {
    subjects.push(make(path, await versionOf(path, version, signal)));
  }
  return { peers: subjects, missing, ripgrep: findProgram("rg", env) };
}

/** Where they are, without asking for their versions. @param more Others to look for. */
export function findPeers(
  env: Readonly<Record<string, string>>,
  more: readonly Known[] = [],
): {
  readonly peers: readonly (Known & { readonly path: string })[];
  readonly missing: string[];
} {
  const all = [...KNOWN, ...more].map((known) => ({
    ...known,
    path: findProgram(known.program, env),
  }));
  return {
    peers: all.flatMap(({ path, ...known }) =>
      path === null ? [] : [{ ...known, path }]
    ),
    missing: all.filter(({ path }) => path === null).map(({ name }) => name),
  };
}

/**
 * The version a program tells, without its name; `unknown` if it tells none. In a sandbox: asking pm2 starts its daemon.
 */
export async function versionOf(
  path: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  await using sandbox = await Sandbox.create(signal);
  const { text } = await sandbox.act({
    program: path,
    args,
    env: { PM2_HOME: `${sandbox.root}/.pm2` },
  });
  return /\d+\.\d+\.\d+\S*/.exec(text)?.[0] ?? "unknown";
}

/** The path of a program; null if it is not here. */
export function findProgram(
  name: string,
  env: Readonly<Record<string, string>>,
): string | null {
  const folder = env.TASKMUX_PEERS;
  const folders = [
    ...folder === undefined ? [] : [folder, `${folder}/bin`],
    ...(env.PATH ?? "").split(":"),
  ];
  const paths = folders.map((path) => `${path}/${name}`);
  return paths.find(isFile) ?? null;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) return false;
    throw error;
  }
}
