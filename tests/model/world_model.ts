/**
 * The reference: what must be true of every task once all has come to rest, after each thing that may happen.
 *
 * Written from what users are promised, with no line of the product: nothing of `src/` is imported. It knows no time, no
 * process and no transition, only what remains.
 *
 * @module
 */

import {
  AD_HOC,
  conditionOn,
  type Entries,
  type Entry,
  isServer,
  type Kind,
  type Kinds,
  type Name,
  NAMES,
  sectionOf,
} from "./task_plan.ts";

/** A task at rest. */
export interface TaskModel {
  readonly state: "stopped" | "up" | "completed" | "failed";
  /** Stopped by hand. */
  readonly manual: boolean;
  /** Automatic restarts of the present series. */
  readonly restarts: number;
  /** Runs there ever were under this name. */
  readonly runs: number;
  /** The definition of the last run; null before the first. */
  readonly ranWith: string | null;
}

/** Everything at rest. */
export interface WorldModel {
  readonly kinds: Kinds;
  /** What stands in the file. */
  readonly entries: Entries;
  readonly isBroken: boolean;
  /** The file as it was last understood; null = the project is not registered. */
  readonly known: Entries | null;
  /** Whether there is a task of `taskmux run`. */
  readonly hasAdHoc: boolean;
  /** By name; of those that are no more only the number of runs counts. */
  readonly tasks: Readonly<Record<string, TaskModel>>;
}

/** A task that nobody has started. */
export const NEW_TASK: TaskModel = {
  state: "stopped",
  manual: false,
  restarts: 0,
  runs: 0,
  ranWith: null,
};

/** How a task may end by itself. */
export type Crash = "SIGKILL" | "exit 0" | "exit 1";

/** A world in which nothing has run, and the file is in force. */
export function newWorld(kinds: Kinds, entries: Entries): WorldModel {
  return afterRegister({
    kinds,
    entries,
    isBroken: false,
    known: null,
    hasAdHoc: false,
    tasks: {},
  });
}

/** The task as it stands. */
export function taskOf(world: WorldModel, name: string): TaskModel {
  return world.tasks[name] ?? NEW_TASK;
}

/** Tasks that `status` lists, in its order. */
export function listed(world: WorldModel): string[] {
  const entries = world.known ?? world.entries;
  const inFile = NAMES.filter((name) => entries[name] !== undefined);
  return world.hasAdHoc ? [...inFile, AD_HOC] : inFile;
}

/** Names of the tasks that run. */
export function running(world: WorldModel): string[] {
  return listed(world).filter((name) => taskOf(world, name).state === "up");
}

/** The definition in force; null for the task of `taskmux run`. */
export function definitionOf(world: WorldModel, name: string): string | null {
  const entry = (world.known ?? world.entries)[name as Name];
  return entry === undefined
    ? null
    : sectionOf(name as Name, entry, world.kinds);
}

/** What a task does. */
export function kindOf(world: WorldModel, name: string): Kind {
  return name === AD_HOC ? "server" : world.kinds[name as Name];
}

/** Nothing is done where one of the names is unknown. */
function areListed(world: WorldModel, names: readonly string[]): boolean {
  return names.every((name) => listed(world).includes(name));
}

/** `start` of these tasks and what they depend on; none = all that start by themselves. */
export function afterStart(
  before: WorldModel,
  names: readonly Name[],
): WorldModel {
  const world = afterRegister(before);
  if (world.isBroken || !areListed(world, names)) return world;
  const isAll = names.length === 0;
  const isFresh = running(world).length === 0;
  const wanted = isAll
    ? NAMES.filter((name) => world.known?.[name]?.autoStart === true)
    : names;
  const named: readonly string[] = names;
  const closure = withDependencies(world, wanted);
  const begun = closure.filter((name) => {
    const { state } = taskOf(world, name);
    if (state === "up") return false;
    if (state !== "completed") return true;
    return isAll ? isFresh : named.includes(name);
  });
  return begun.reduce(startGated, world);
}

/** `stop` or `kill` of these tasks; none = all. */
export function afterStop(
  world: WorldModel,
  names: readonly string[],
): WorldModel {
  if (!areListed(world, names)) return world;
  const all = names.length === 0 ? listed(world) : names;
  return all.reduce(
    (next, name) => update(next, name, { state: "stopped", manual: true }),
    world,
  );
}

/** `restart` of these tasks; none = all that run or start by themselves. */
export function afterRestart(
  before: WorldModel,
  names: readonly string[],
): WorldModel {
  const world = afterRegister(before);
  if (world.isBroken || !areListed(world, names)) return world;
  const active = running(world);
  if (names.length > 0) {
    const idle = names.filter((name) => !active.includes(name));
    const again = names.filter((name) => active.includes(name))
      .reduce(startByHand, world);
    return idle.length === 0 ? again : startNamed(again, idle);
  }
  const wanted = NAMES.filter((name) =>
    world.known?.[name]?.autoStart === true
  );
  const both = listed(world).filter((name) =>
    active.includes(name) || wanted.includes(name as Name)
  );
  const stopped = active.length === 0 ? world : afterStop(world, both);
  return both.length === 0 ? stopped : startNamed(stopped, both);
}

/** A task that runs ends by itself. */
export function afterCrash(
  world: WorldModel,
  name: string,
  crash: Crash,
): WorldModel {
  if (taskOf(world, name).state !== "up") return world;
  return judgeEnd(world, name, crash === "exit 0");
}

/**
 * The file now says this. Nothing is done by it where the daemon cannot see or read it.
 *
 * @param isUp Whether the project is up at that moment, although nothing of it may be in the end.
 */
export function afterEdit(
  world: WorldModel,
  file: { readonly entries: Entries; readonly isBroken: boolean },
  isUp = running(world).length > 0,
): WorldModel {
  const next = { ...world, ...file };
  if (file.isBroken || world.known === null) return next;
  return startAdded(understand(next), world.known, isUp);
}

/** While no daemon looked the file was changed, then tasks ended. It reads the file first. */
export function afterGap(
  world: WorldModel,
  entries: Entries,
  crashes: readonly { readonly task: string; readonly how: Crash }[],
): WorldModel {
  if (world.known === null) return { ...world, entries };
  const read = understand({ ...world, entries });
  const next = crashes.reduce(
    (each, { task, how }) => afterCrash(each, task, how),
    read,
  );
  return startAdded(next, world.known, running(next).length > 0);
}

/** The keeper dies, and with it every run. */
export function afterKeeperDeath(world: WorldModel): WorldModel {
  return running(world).reduce(
    (next, name) => afterCrash(next, name, "SIGKILL"),
    world,
  );
}

/** The daemon is stopped and started again: all is down, and nobody has wanted that of any single task. */
export function afterDaemonStop(world: WorldModel): WorldModel {
  return running(world).reduce(
    (next, name) => update(next, name, { state: "stopped" }),
    world,
  );
}

/** The project is forgotten. */
export function afterUnregister(world: WorldModel): WorldModel {
  const forgotten = Object.keys(world.tasks).reduce(forget, world);
  return { ...forgotten, known: null, hasAdHoc: false };
}

/** The project is known, if its file can be read. */
export function afterRegister(world: WorldModel): WorldModel {
  if (world.known !== null || world.isBroken) return world;
  return { ...world, known: world.entries };
}

/** `taskmux run`. */
export function afterRun(before: WorldModel): WorldModel {
  const world = afterRegister(before);
  if (world.isBroken || taskOf(world, AD_HOC).state === "up") return world;
  return startByHand({ ...world, hasAdHoc: true }, AD_HOC);
}

/** The task of `taskmux run` is removed. */
export function afterRemove(world: WorldModel): WorldModel {
  return { ...forget(world, AD_HOC), hasAdHoc: false };
}

function forget(world: WorldModel, name: string): WorldModel {
  return update(world, name, { ...NEW_TASK, runs: taskOf(world, name).runs });
}

function update(
  world: WorldModel,
  name: string,
  change: Partial<TaskModel>,
): WorldModel {
  const task = { ...taskOf(world, name), ...change };
  return { ...world, tasks: { ...world.tasks, [name]: task } };
}

function entryOf(world: WorldModel, name: string): Entry {
  return world.known?.[name as Name] ??
    {
      policy: "no",
      maxRestarts: 1,
      autoStart: false,
      dependsOn: [],
      isStrict: false,
    };
}

/** Dependencies first. */
function withDependencies(
  world: WorldModel,
  names: readonly string[],
): string[] {
  const needed = new Set<string>(names);
  for (const name of [...NAMES].reverse()) {
    if (!needed.has(name)) continue;
    entryOf(world, name).dependsOn.forEach((other) => needed.add(other));
  }
  return [...NAMES, AD_HOC].filter((name) => needed.has(name));
}

function startNamed(world: WorldModel, names: readonly string[]): WorldModel {
  return withDependencies(world, names).filter((name) => {
    const { state } = taskOf(world, name);
    return state !== "up" && (state !== "completed" || names.includes(name));
  }).reduce(startGated, world);
}

/** A start that needs its dependencies. */
function startGated(world: WorldModel, name: string): WorldModel {
  const isOpen = entryOf(world, name).dependsOn.every((other) =>
    allows(world, other as Name, entryOf(world, name).isStrict)
  );
  if (isOpen) return startByHand(world, name);
  return update(world, name, { state: "failed", manual: false, restarts: 0 });
}

function allows(world: WorldModel, name: Name, isStrict: boolean): boolean {
  const { state } = taskOf(world, name);
  switch (conditionOn(world.kinds[name], isStrict)) {
    case "started":
      return state === "up" || state === "completed";
    case "healthy":
      return state === "up";
    case "completed":
      return state === "completed";
  }
}

/** A start whatever the dependencies are; a new series. */
function startByHand(world: WorldModel, name: string): WorldModel {
  return spawn(update(world, name, { manual: false, restarts: 0 }), name);
}

function spawn(world: WorldModel, name: string): WorldModel {
  const kind = kindOf(world, name);
  const up = update(world, name, {
    state: "up",
    runs: taskOf(world, name).runs + 1,
    ranWith: definitionOf(world, name),
  });
  return isServer(kind) ? up : judgeEnd(up, name, kind === "ok");
}

/** What follows an end that nobody has asked for. */
function judgeEnd(
  world: WorldModel,
  name: string,
  isClean: boolean,
): WorldModel {
  const { policy, maxRestarts } = entryOf(world, name);
  const { restarts } = taskOf(world, name);
  if (policy === "always" || (policy === "on-failure" && !isClean)) {
    return restarts >= maxRestarts
      ? update(world, name, { state: "failed" })
      : spawn(update(world, name, { restarts: restarts + 1 }), name);
  }
  return update(world, name, { state: isClean ? "completed" : "failed" });
}

/** The new file is in force, and what left it is gone. */
function understand(world: WorldModel): WorldModel {
  const removed = NAMES.filter((name) =>
    world.known?.[name] !== undefined && world.entries[name] === undefined
  );
  return removed.reduce(forget, { ...world, known: world.entries });
}

/** What came into the file comes up in a project that is up. */
function startAdded(
  world: WorldModel,
  before: Entries | null,
  isUp: boolean,
): WorldModel {
  if (!isUp) return world;
  return NAMES.filter((name) =>
    before?.[name] === undefined && world.entries[name]?.autoStart === true
  ).reduce(startGated, world);
}
