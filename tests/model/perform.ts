/**
 * Makes an operation happen in the real world.
 *
 * @module
 */

import { TaskmuxError } from "../../src/domain/error.ts";
import type { Action, Operation } from "./operation.ts";
import { after, edited } from "./outcome.ts";
import type { RealWorld } from "./real_world.ts";
import { AD_HOC, commandOf, fileText } from "./task_plan.ts";
import type { WorldModel } from "./world_model.ts";

/** Answers that are no mistake of the daemon: what was asked could not be done as things were. */
const REFUSALS = [
  "E101",
  "E200",
  "E201",
  "E202",
  "E300",
  "E301",
  "E402",
  "E403",
];

/** Does it. Returns when the daemon has answered. */
export async function perform(
  real: RealWorld,
  world: WorldModel,
  operation: Operation,
): Promise<void> {
  const { scope } = real;
  switch (operation.do) {
    case "start":
    case "stop":
    case "restart":
    case "kill":
      return await asked(act(real, operation));
    case "crash":
      return await real.crash(operation.task, operation.how);
    case "edit":
    case "break":
    case "repair":
      return await writeFile(real, after(world, operation));
    case "run":
      return await asked(real.call("task.run", {
        scope,
        task: AD_HOC,
        command: commandOf("server"),
        cwd: real.project.folder,
        env: real.env,
      }));
    case "remove":
      await real.call("project.remove_task", { scope, task: AD_HOC });
      return;
    case "unregister": {
      await real.call("project.unregister", { session: real.session });
      return;
    }
    case "register":
      await real.call("project.register", scope);
      return;
    case "daemon kill":
      await real.killDaemon();
      return await real.startDaemon();
    case "daemon restart":
      await real.stopDaemon(true);
      return await real.startDaemon();
    case "daemon stop":
      await real.stopDaemon(false);
      return await real.startDaemon();
    case "keeper kill":
      return await real.killKeeper();
    case "both":
      await Promise.all(
        operation.parts.map((part) => perform(real, world, part)),
      );
      return;
    case "cut":
      return await cut(real, world, operation);
    case "gap":
      return await gap(real, world, operation);
  }
}

function act(real: RealWorld, action: Action): Promise<unknown> {
  const { scope, env } = real;
  const tasks = [...action.names];
  switch (action.do) {
    case "start":
      return real.call("task.start", { scope, tasks, env, if_stopped: true });
    case "restart":
      return real.call("task.restart", { scope, tasks, env });
    case "stop":
      return real.call("task.stop", { scope, tasks });
    case "kill":
      return real.call("task.kill", { scope, tasks });
  }
}

async function gap(
  real: RealWorld,
  world: WorldModel,
  { parts, turns }: Operation & { do: "gap" },
): Promise<void> {
  await real.killDaemon();
  let now = world;
  for (const part of parts) {
    if (part.do !== "edit") continue;
    await perform(real, now, part);
    now = { ...now, ...edited(now, part) };
  }
  const crash = async (): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) await real.moment();
    for (const part of parts) {
      if (part.do === "crash") await perform(real, now, part);
    }
  };
  if (turns === 0) await crash();
  await Promise.all([real.startDaemon(), turns === 0 ? null : crash()]);
}

async function writeFile(real: RealWorld, world: WorldModel): Promise<void> {
  const { entries, kinds, isBroken } = world;
  await real.project.replace(fileText(entries, kinds, isBroken));
}

/** The answer may be no; it must not be a mistake of ours. */
async function asked(answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    const isRefusal = error instanceof TaskmuxError &&
      REFUSALS.includes(error.code);
    if (!isRefusal) throw error;
  }
}

/** Kills the daemon some moments after the question was sent. */
async function cut(
  real: RealWorld,
  world: WorldModel,
  { action, turns }: Operation & { do: "cut" },
): Promise<void> {
  const answer = perform(real, world, action).catch((error) => {
    if (!(error instanceof TaskmuxError && error.code === "E600")) throw error;
  });
  for (let turn = 0; turn < turns; turn++) await real.moment();
  await real.killDaemon();
  await answer;
  await real.startDaemon();
}
