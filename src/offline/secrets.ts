/**
 * The secrets of a project that can be known without a daemon: those of the shell that asks, of the project's own file and
 * its env files, and of the shells whose environments a keeper still holds.
 *
 * @module
 */

import { parseEnv } from "node:util";
import { TaskmuxError } from "../domain/error.ts";
import { expandVariables } from "../domain/expand_variables.ts";
import { secretValues } from "../domain/secret_values.ts";
import type { ProjectSpec, TaskSpec } from "../domain/task_spec.ts";
import { observeKeeper } from "./kept_runs.ts";
import { type Disk, openProjectFiles } from "./project_files.ts";

/** Largest env file, as for tasks. */
const MAX_ENV_FILE_BYTES = 1024 * 1024;

/** Most environments that the keeper is asked for. */
const MAX_ENVIRONMENTS = 32;

/** Variables by name. */
type Variables = Readonly<Record<string, string>>;

/**
 * Looks them up. Nothing that cannot be read is an error here: whoever needs it fails with a reason.
 *
 * @param config Absolute path of the project's file.
 * @param options `keeper`: whether a keeper is asked, which a daemon makes needless.
 */
export async function readSecrets(
  disk: Disk,
  config: string,
  { keeper }: { readonly keeper: boolean },
): Promise<string[]> {
  const own = disk.env();
  try {
    using project = await openProjectFiles(disk, config, { tolerant: true });
    const { spec, tasks, store, identity: { projectId } } = project;
    const ordinary = [spec.name, projectId, ...tasks.keys()];
    const states = [...store?.tasks.desired(projectId).values() ?? []]
      .map(({ state }) => state);
    const kept = keeper ? await keptEnvironments(disk, states) : [];
    const files = await envFiles([spec, ...tasks.values()]);
    const found = new Set<string>();
    for (const base of [own, ...kept]) {
      for (const env of environments(base, [spec, ...tasks.values()], files)) {
        for (const value of secretValues(env, ordinary)) found.add(value);
      }
    }
    const { owner } = project;
    if (owner !== null) {
      const { configPath } = owner.spec;
      for (const value of await readSecrets(disk, configPath, { keeper })) {
        found.add(value);
      }
    }
    return [...found];
  } catch (error) {
    const isUnusable = error instanceof TaskmuxError ||
      (error instanceof Error && "code" in error);
    if (!isUnusable) throw error;
    return secretValues(own);
  }
}

/** The environment of each task as it would be now; those that are alike once. */
function environments(
  base: Variables,
  specs: readonly Pick<ProjectSpec | TaskSpec, "env" | "envFiles">[],
  files: ReadonlyMap<string, Variables>,
): Variables[] {
  const made = new Map<string, Variables>();
  for (const spec of specs) {
    const key = JSON.stringify([spec.envFiles, spec.env]);
    if (made.has(key)) continue;
    const env: Record<string, string> = { ...base };
    for (const path of spec.envFiles) Object.assign(env, files.get(path));
    for (const [name, value] of spec.env) {
      env[name] = expandVariables(value, env);
    }
    made.set(key, env);
  }
  return [...made.values()];
}

async function envFiles(
  specs: readonly Pick<TaskSpec, "envFiles">[],
): Promise<Map<string, Variables>> {
  const paths = new Set(specs.flatMap((spec) => spec.envFiles));
  const entries = [...paths].map(async (path) =>
    [path, await readEnvFile(path)] as const
  );
  return new Map(await Promise.all(entries));
}

async function readEnvFile(path: string): Promise<Variables> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile || size > MAX_ENV_FILE_BYTES) return {};
    return parseEnv(await Deno.readTextFile(path)) as Variables;
  } catch (error) {
    // Tasks that need it cannot start, and say why.
    if (error instanceof Error && "code" in error) return {};
    throw error;
  }
}

/** What a keeper without a daemon still holds. */
async function keptEnvironments(
  { paths }: Disk,
  states: readonly (string | null)[],
): Promise<Variables[]> {
  const names = new Set(states.flatMap(environmentName));
  if (names.size === 0) return [];
  const asked = await observeKeeper(paths, async (client, signal) => {
    const answers = [...names].slice(0, MAX_ENVIRONMENTS).map((name) =>
      client.request("getEnvironment", { name }, { signal })
    );
    return await Promise.all(answers);
  });
  return typeof asked === "string"
    ? []
    : asked.map(({ env }) => env).filter((env) => env !== null);
}

/** As the daemon saved it; what another version wrote in another way counts as nothing. */
function environmentName(state: string | null): string[] {
  if (state === null || state === "") return [];
  try {
    const saved = JSON.parse(state) as { readonly environment?: unknown };
    return typeof saved.environment === "string" ? [saved.environment] : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
