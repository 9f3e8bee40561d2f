/**
 * What must be true after an operation: one world, or several where it depends on which of two things came first.
 *
 * @module
 */

import type { Happening, Operation } from "./operation.ts";
import { type Entries, type Entry, NAMES } from "./task_plan.ts";
import {
  afterCrash,
  afterDaemonStop,
  afterEdit,
  afterGap,
  afterKeeperDeath,
  afterRegister,
  afterRemove,
  afterRestart,
  afterRun,
  afterStart,
  afterStop,
  afterUnregister,
  definitionOf,
  taskOf,
  type WorldModel,
} from "./world_model.ts";

/** What may be found when an operation is over. */
export interface Outcome {
  readonly before: WorldModel;
  /** Each task's fate is found in one of them. */
  readonly worlds: readonly WorldModel[];
  /** Whether numbers of runs and restarts depend on which came first. */
  readonly isChance: boolean;
  /** Most runs that a task may have had. */
  mostRuns(name: string): number;
}

/** Everything that an operation may lead to. */
export function outcomeOf(world: WorldModel, operation: Operation): Outcome {
  const worlds = worldsAfter(world, operation);
  const most = (name: string): number =>
    Math.max(...worlds.map((each) => taskOf(each, name).runs));
  return {
    before: world,
    worlds,
    isChance: operation.do === "both" || operation.do === "cut",
    // What was begun may be begun anew.
    mostRuns: (name) => 2 * most(name) - taskOf(world, name).runs,
  };
}

function worldsAfter(world: WorldModel, operation: Operation): WorldModel[] {
  switch (operation.do) {
    case "both":
      return afterBoth(world, operation.parts);
    case "cut":
      return [world, after(world, operation.action)];
    case "gap":
      return [afterGap(world, ...splitGap(world, operation))];
    default:
      return [after(world, operation)];
  }
}

/** One after the other, or so that one gets into the other's way. */
function afterBoth(
  world: WorldModel,
  [one, other]: readonly [Happening, Happening],
): WorldModel[] {
  if (isSameEnd(one, other)) return [after(world, one), after(world, other)];
  const serial = [
    after(after(world, one), other),
    after(after(world, other), one),
    ...(hides(one, other) ? [after(world, one)] : []),
    ...(hides(other, one) ? [after(world, other)] : []),
    ...editedWhileUp(world, one, other),
    ...editedWhileUp(world, other, one),
    ...editedBeforeRun(world, one, other),
    ...editedBeforeRun(world, other, one),
    ...editedBeforeStart(world, one, other),
    ...editedBeforeStart(world, other, one),
  ];
  const isBegin = [one, other].some((part) =>
    part.do === "start" || part.do === "restart"
  );
  if (!isBegin) return serial;
  return serial.flatMap((each) => [each, gateFailures(world, each)]);
}

/** What is started may be over at once, and yet the file may change in that moment, in which the project is up. */
function editedWhileUp(
  world: WorldModel,
  action: Happening,
  edit: Happening,
): WorldModel[] {
  if (edit.do !== "edit") return [];
  if (action.do !== "start" && action.do !== "restart") return [];
  const then = after(world, action);
  return [afterEdit(then, edited(then, edit), true)];
}

/** A crash may be judged by the old file, and the run that follows a second later begin with the new one. */
function editedBeforeRun(
  world: WorldModel,
  crash: Happening,
  edit: Happening,
): WorldModel[] {
  if (edit.do !== "edit" || crash.do !== "crash") return [];
  const { task } = edit;
  const then = after(after(world, crash), edit);
  const found = taskOf(then, task);
  if (found.runs === taskOf(world, task).runs) return [];
  const begun = { ...found, ranWith: definitionOf(then, task) };
  return [{ ...then, tasks: { ...then.tasks, [task]: begun } }];
}

/** The file may change between the stop and the start of a restart, or while a start waits: then runs begin with the new. */
function editedBeforeStart(
  world: WorldModel,
  action: Happening,
  edit: Happening,
): WorldModel[] {
  if (edit.do !== "edit") return [];
  if (action.do !== "start" && action.do !== "restart") return [];
  const then = after(after(world, action), edit);
  const begun = NAMES.flatMap((name) => {
    const task = taskOf(then, name);
    if (task.runs === taskOf(world, name).runs) return [];
    return [[name, { ...task, ranWith: definitionOf(then, name) }] as const];
  });
  return [{ ...then, tasks: { ...then.tasks, ...Object.fromEntries(begun) } }];
}

/** What a task waits for may go while it waits. */
function gateFailures(before: WorldModel, then: WorldModel): WorldModel {
  const failed = NAMES.flatMap((name) => {
    const task = taskOf(then, name);
    const isGated = (then.known?.[name]?.dependsOn ?? []).length > 0;
    if (!isGated || task === taskOf(before, name)) return [];
    const fate = { state: "failed", manual: false, restarts: 0 } as const;
    return [[name, { ...task, ...fate }] as const];
  });
  return { ...then, tasks: { ...then.tasks, ...Object.fromEntries(failed) } };
}

/** A run can end only once. */
function isSameEnd(one: Happening, other: Happening): boolean {
  return one.do === "crash" && other.do === "crash" && one.task === other.task;
}

/** Whether a run may end by a restart before it ends by itself. */
function hides(action: Happening, crash: Happening): boolean {
  return crash.do === "crash" && action.do === "restart" &&
    (action.names.length === 0 || action.names.includes(crash.task));
}

/** What happens alone. */
export type Single = Exclude<Operation, { do: "both" | "cut" | "gap" }>;

/** The world after one thing. */
export function after(world: WorldModel, operation: Single): WorldModel {
  switch (operation.do) {
    case "start":
      return afterStart(world, operation.names);
    case "stop":
    case "kill":
      return afterStop(world, operation.names);
    case "restart":
      return afterRestart(world, operation.names);
    case "crash":
      return afterCrash(world, operation.task, operation.how);
    case "edit":
      return afterEdit(world, edited(world, operation));
    case "break":
      return afterEdit(world, { entries: world.entries, isBroken: true });
    case "repair":
      return afterEdit(world, { entries: world.entries, isBroken: false });
    case "run":
      return afterRun(world);
    case "remove":
      return afterRemove(world);
    case "unregister":
      return afterUnregister(world);
    case "register":
      return afterRegister(world);
    case "daemon kill":
    case "daemon restart":
      return world;
    case "daemon stop":
      return afterDaemonStop(world);
    case "keeper kill":
      return afterKeeperDeath(world);
  }
}

function splitGap(
  world: WorldModel,
  { parts }: Operation & { do: "gap" },
): [Entries, (Happening & { do: "crash" })[]] {
  let file = world;
  for (const part of parts) {
    if (part.do === "edit") file = { ...file, ...edited(file, part) };
  }
  const crashes = parts.filter((part) => part.do === "crash");
  // A run can end only once.
  return [
    file.entries,
    crashes.filter(({ task }, place) =>
      crashes.findIndex((other) => other.task === task) === place
    ),
  ];
}

/** The file with a task changed, added or taken out. No task may depend on one that is not there. */
export function edited(
  world: WorldModel,
  { task, entry }: Happening & { do: "edit" },
): { readonly entries: Entries; readonly isBroken: boolean } {
  const { [task]: _, ...others } = world.entries;
  const entries = entry === null ? others : { ...others, [task]: entry };
  return { entries: withKnownDependencies(entries), isBroken: world.isBroken };
}

/** Without dependencies on tasks that are not there or not to the left. */
export function withKnownDependencies(entries: Entries): Entries {
  return Object.fromEntries(
    NAMES.flatMap((name, place) => {
      const each: Entry | undefined = entries[name];
      if (each === undefined) return [];
      const dependsOn = NAMES.slice(0, place).filter((other) =>
        each.dependsOn.includes(other) && other in entries
      );
      return [[name, { ...each, dependsOn }]];
    }),
  );
}
