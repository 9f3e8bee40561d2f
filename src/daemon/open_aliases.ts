/**
 * The aliases of all projects, with those that the Python taskmux left in the same state folder: its files are read once
 * and stay.
 *
 * @module
 */

import { type Alias, checkAlias, requireFree } from "../domain/alias.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import type { Registry } from "../store/registry.ts";
import type { Store } from "../store/store.ts";
import { Aliases } from "./aliases.ts";
import type { EventBus } from "./event_bus.ts";

const TAKEN_KEY = "python_aliases";

/** What it works with. */
export interface AliasesParts {
  readonly store: Store;
  readonly registry: Registry;
  readonly bus: EventBus;
  /** Folder of all projects' own folders. */
  readonly projects: string;
  log(level: "warning", message: string): void;
}

/** Opens them. What is no alias here is left out and logged. */
export async function openAliases(parts: AliasesParts): Promise<Aliases> {
  const { store, bus } = parts;
  const aliases = new Aliases({
    store,
    clock: systemClock,
    emit: (event) => bus.publish(event),
  });
  await takeOver(aliases, parts);
  return aliases;
}

/**
 * Takes over those of the Python taskmux for every registered project. Does nothing the second time, nor after a loss of
 * the database, whose events know better.
 */
async function takeOver(
  aliases: Aliases,
  { store, registry, projects, log }: AliasesParts,
): Promise<void> {
  if (store.meta.get(TAKEN_KEY) !== null) return;
  store.meta.set(TAKEN_KEY, "taken");
  if (store.finding.recovered.length > 0) return;
  for (const { id } of await registry.list()) {
    for (const path of placesOf(projects, id)) {
      for (const alias of await readAliases(path)) {
        try {
          checkAlias(alias);
          requireFree(alias, { tasks: [], aliases: aliases.of(id) });
          aliases.set(id, alias);
        } catch (error) {
          if (!(error instanceof TaskmuxError)) throw error;
          log("warning", `${path}: ${error.message}`);
        }
      }
    }
  }
}

/** Where they are for a project of that id: a primary checkout, or a linked worktree whose id has been joined to a name. */
function placesOf(projects: string, id: string): string[] {
  const joints = [...id.matchAll(/-/g)].map(({ index }) => index);
  const folders = joints.map((at) =>
    `${id.slice(0, at)}/worktrees/${id.slice(at + 1)}`
  );
  return [id, ...folders].map((folder) => `${projects}/${folder}/aliases.json`);
}

/** Those of a file, in any order; none if there is no such file, or it is something else. */
async function readAliases(path: string): Promise<Alias[]> {
  const entries = await readObject(path);
  return Object.entries(entries).flatMap(([name, value]) => {
    const { host, port } = Object(value) as Record<string, unknown>;
    const isOne = typeof host === "string" && typeof port === "number";
    return isOne ? [{ name, host, port }] : [];
  });
}

async function readObject(path: string): Promise<object> {
  try {
    return Object(JSON.parse(await Deno.readTextFile(path))) as object;
  } catch (error) {
    const isNone = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.IsADirectory ||
      error instanceof Deno.errors.PermissionDenied ||
      error instanceof SyntaxError;
    if (isNone) return {};
    throw error;
  }
}
