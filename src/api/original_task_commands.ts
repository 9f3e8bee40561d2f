/**
 * Those commands of the Python original that are about one task.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import type { JsonObject } from "../kit/json.ts";
import {
  type Answer,
  type ProjectQuestion,
  resultOf,
  textIn,
} from "./original_question.ts";
import { taskHealth } from "./original_shapes.ts";
import { answerOfError, Refusal } from "./refusal.ts";

/** By name. */
export const TASK_COMMANDS: Readonly<Record<string, Answer<ProjectQuestion>>> =
  {
    start: (question) => act("task.start", question),
    stop: (question) => act("task.stop", question),
    restart: (question) => act("task.restart", question),
    kill: (question) => act("task.kill", question),
    inspect: ({ asker, scope, params }) => {
      const task = taskIn(params);
      return resultOf(() => asker.ask("task.inspect", { scope, task }));
    },
    health,
    url,
    add_task: addTask,
    remove_task: removeTask,
  };

function act(
  name: "task.start" | "task.stop" | "task.restart" | "task.kill",
  { asker, scope, params }: ProjectQuestion,
): Promise<JsonObject> {
  const task = taskIn(params);
  return resultOf(() => asker.ask(name, { scope, tasks: [task] }));
}

async function health(
  { asker, scope, params }: ProjectQuestion,
): Promise<JsonObject> {
  const task = taskIn(params);
  const at = systemClock.now();
  try {
    const answer = await asker.ask("task.health", { scope, tasks: [task] });
    return { ok: true, result: taskHealth(task, answer, at) };
  } catch (error) {
    if (!isCode(error, "E200")) throw error;
    const unknown = { name: task, healthy: false, method: "none" };
    const reason = "task not in config";
    const result = taskHealth(task, {
      ok: true,
      healthy_count: 0,
      total_count: 0,
      completed_count: 0,
      tasks: [{ ...unknown, reason }],
    }, at);
    return { ok: true, result };
  }
}

async function url(
  { asker, scope, params }: ProjectQuestion,
): Promise<JsonObject> {
  const task = taskIn(params);
  try {
    const { url, public_url } = await asker.ask("address.get", {
      scope,
      name: task,
    });
    return { ok: true, task, url, public_url };
  } catch (error) {
    // It has no host.
    if (isCode(error, "E700")) return { ok: true, task, url: null };
    if (!isCode(error, "E200")) throw error;
    return { task, ...answerOfError(error) };
  }
}

async function addTask(
  { asker, scope, params }: ProjectQuestion,
): Promise<JsonObject> {
  const task = textIn(params, "task") ?? "";
  const command = textIn(params, "command") ?? "";
  if (task === "" || command.trim() === "") {
    throw new Refusal(
      "missing_task_or_command",
      "Cannot add a task: params.task and params.command must both be given",
    );
  }
  // Null stands for what is not given, as in the original.
  const fields = Object.fromEntries(
    FIELDS.flatMap((name) => {
      const value = params[name] ?? null;
      return value === null ? [] : [[name, value]];
    }),
  );
  const answer = await asker.ask("project.add_task", {
    scope,
    task,
    command,
    ...fields,
  });
  return {
    ok: true,
    task,
    action: "added",
    replaced: answer.action === "replaced",
    config: answer.config,
  };
}

/** What a task can be given beside its command. */
const FIELDS = [
  "cwd",
  "host",
  "port",
  "health_check",
  "health_url",
  "depends_on",
  "auto_start",
];

async function removeTask(
  { asker, scope, params }: ProjectQuestion,
): Promise<JsonObject> {
  const task = taskIn(params);
  try {
    const { stopped } = await asker.ask("project.remove_task", {
      scope,
      task,
      edit: true,
    });
    return { ok: true, task, removed: true, action: "removed", stopped };
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    return { task, removed: false, ...answerOfError(error) };
  }
}

function taskIn(params: JsonObject): string {
  const task = textIn(params, "task");
  if (task !== null && task !== "") return task;
  throw new Refusal(
    "missing_task",
    "Cannot tell which task is meant: params.task is missing",
    "list_tasks tells the tasks that there are",
  );
}

function isCode(error: unknown, code: string): error is TaskmuxError {
  return error instanceof TaskmuxError && error.code === code;
}
