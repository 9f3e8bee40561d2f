/**
 * Everything that may happen to a world, as data, and when it can.
 *
 * @module
 */

import type { Entry, Name } from "./task_plan.ts";
import { type Crash, listed, running, type WorldModel } from "./world_model.ts";

/** Something that a user may ask of tasks, beside other things. */
export type Action =
  | { readonly do: "start"; readonly names: readonly Name[] }
  | {
    readonly do: "stop" | "restart" | "kill";
    readonly names: readonly string[];
  };

/** Something that may happen at the same time as another thing. */
export type Happening =
  | Action
  | { readonly do: "crash"; readonly task: string; readonly how: Crash }
  | {
    readonly do: "edit";
    readonly task: Name;
    /** Null = it is taken out. */
    readonly entry: Entry | null;
  };

/** Something that needs no more words. */
export type Plain =
  | "break"
  | "repair"
  | "run"
  | "remove"
  | "unregister"
  | "register"
  | "daemon kill"
  | "daemon restart"
  | "daemon stop"
  | "keeper kill";

/** One step. */
export type Operation =
  | Happening
  | { readonly do: Plain }
  | { readonly do: "both"; readonly parts: readonly [Happening, Happening] }
  /** The daemon is killed while it does this. */
  | { readonly do: "cut"; readonly action: Action; readonly turns: number }
  /** The daemon is killed, this happens, and it comes back. Ends happen so many moments after that has begun. */
  | {
    readonly do: "gap";
    readonly parts: readonly Happening[];
    readonly turns: number;
  };

/** The operation on what there is at this moment; null if it makes no sense now. */
export function resolve(
  world: WorldModel,
  operation: Operation,
): Operation | null {
  const isManaged = world.known !== null;
  switch (operation.do) {
    case "start":
    case "restart":
    case "stop":
    case "kill":
      return resolveAction(world, operation);
    case "crash":
      return running(world).includes(operation.task) ? operation : null;
    case "edit":
      return operation.entry === null &&
          world.entries[operation.task] === undefined
        ? null
        : operation;
    case "break":
      return world.isBroken ? null : operation;
    case "repair":
      return world.isBroken ? operation : null;
    case "run":
      return isManaged ? operation : null;
    case "remove":
      return world.hasAdHoc ? operation : null;
    case "unregister":
      return isManaged ? operation : null;
    case "register":
      return isManaged || world.isBroken ? null : operation;
    case "daemon kill":
    case "daemon restart":
    case "daemon stop":
      return world.isBroken ? null : operation;
    case "keeper kill":
      return operation;
    case "both": {
      const parts = operation.parts.map((part) => resolve(world, part));
      const [one, other] = parts;
      const isOneFile = operation.parts.some((part) => part.do !== "edit");
      return one && other && isManaged && isOneFile
        ? { ...operation, parts: [one as Happening, other as Happening] }
        : null;
    }
    case "cut": {
      const action = resolve(world, operation.action);
      return action !== null && isManaged && !world.isBroken
        ? { ...operation, action: action as Action }
        : null;
    }
    case "gap": {
      const parts = operation.parts.flatMap((part) => {
        const resolved = resolve(world, part);
        return resolved === null || isAction(part)
          ? []
          : [resolved as Happening];
      });
      return world.isBroken ? null : { ...operation, parts };
    }
  }
}

/** With the tasks that there are. */
function resolveAction(world: WorldModel, action: Action): Action | null {
  const isAll = action.names.length === 0;
  if (action.do === "start") {
    const entries = world.known ?? world.entries;
    const names = action.names.filter((name) => entries[name] !== undefined);
    return names.length === 0 && !isAll ? null : { ...action, names };
  }
  const names = action.names.filter((name) => listed(world).includes(name));
  const needsNames = !isAll || action.do === "kill";
  if (world.known === null || (names.length === 0 && needsNames)) return null;
  return { ...action, names };
}

function isAction(operation: Operation): operation is Action {
  return ["start", "stop", "restart", "kill"].includes(operation.do);
}

/** For people. */
export function describe(operation: Operation): string {
  switch (operation.do) {
    case "start":
    case "stop":
    case "restart":
    case "kill":
      return `${operation.do} ${
        operation.names.length === 0 ? "(all)" : operation.names.join(" ")
      }`;
    case "crash":
      return `${operation.task} ends by ${operation.how}`;
    case "edit": {
      const { task, entry } = operation;
      if (entry === null) return `take ${task} out of the file`;
      const { policy, maxRestarts, autoStart, dependsOn, isStrict } = entry;
      return `write ${task} into the file: ${policy} ${maxRestarts}${
        autoStart ? "" : ", not by itself"
      }${
        dependsOn.length === 0
          ? ""
          : `, after ${dependsOn.join(" ")}${isStrict ? " (healthy)" : ""}`
      }`;
    }
    case "both":
      return `at once: ${operation.parts.map(describe).join(" | ")}`;
    case "cut":
      return `${
        describe(operation.action)
      }, and the daemon is killed after ${operation.turns} moments`;
    case "gap":
      return `the daemon is killed; ${
        operation.parts.map((part) => `${describe(part)}; `).join("")
      }it comes back (${operation.turns} moments before an end)`;
    default:
      return operation.do;
  }
}
