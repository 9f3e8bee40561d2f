/**
 * How the table of tasks is read: names, the short form, and what makes a definition of a task one at all (E102).
 *
 * @module
 */

import { closest } from "../kit/did_you_mean.ts";
import {
  described,
  readFields,
  type Reading,
  type Rule,
  tableSchema,
  wrong,
} from "./rule.ts";
import { TASK_FIELDS, type TaskValues } from "./task_keys.ts";
import { isTable } from "./toml_value.ts";

/** Names of tasks: they become file names, arguments and parts of variable names. */
export const TASK_NAME_REGEXP = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/** Longest name of a task. */
export const MAX_TASK_NAME_LENGTH = 100;

/** Why a name cannot be that of a task, or null. */
export function taskNameFlaw(name: string): string | null {
  if (name.length > MAX_TASK_NAME_LENGTH) {
    return `a name has at most ${MAX_TASK_NAME_LENGTH} characters, not ${name.length}`;
  }
  return TASK_NAME_REGEXP.test(name)
    ? null
    : 'a name is letters, digits, "_", "." and "-", and starts with a letter, a digit or "_"';
}

/** The tasks in the order of the file. A wrong name or definition is E102. */
export function tasks(): Rule<ReadonlyMap<string, TaskValues>> {
  return {
    json: {
      type: "object",
      propertyNames: {
        pattern: TASK_NAME_REGEXP.source,
        maxLength: MAX_TASK_NAME_LENGTH,
      },
      additionalProperties: {
        anyOf: [TASK_FIELDS.command.rule.json, tableSchema(TASK_FIELDS)],
      },
    },
    expected: "a table of tasks",
    read(reading) {
      const { value, document, path } = reading;
      if (!isTable(value)) return wrong(this, reading);
      const found = new Map<string, TaskValues>();
      for (const name of document.keysInOrder(value, path)) {
        const task = { ...reading, path: [...path, name], value: value[name]! };
        checkName(name, task);
        const values = taskOf(name, task);
        if (values !== null) found.set(name, values);
      }
      return found;
    },
  };
}

function checkName(name: string, { path, problems }: Reading): void {
  const flaw = taskNameFlaw(name);
  if (flaw === null) return;
  const shown = JSON.stringify(name.slice(0, MAX_TASK_NAME_LENGTH));
  const message = `Cannot use ${shown} as the name of a task: ${flaw}`;
  problems.add({ code: "E102", message, path, part: "key" });
}

function taskOf(name: string, reading: Reading): TaskValues | null {
  const { value } = reading;
  if (typeof value === "string") {
    return readFields(TASK_FIELDS, { ...reading, value: { command: value } });
  }
  if (!isTable(value)) {
    const state = `it must be a table or a command, but is ${described(value)}`;
    addInvalid(name, state, reading);
    return null;
  }
  const values = readFields(TASK_FIELDS, { ...reading, value });
  const isMisspelt = Object.keys(value).some((key) =>
    !Object.hasOwn(TASK_FIELDS, key) &&
    closest(key, Object.keys(TASK_FIELDS)) === "command"
  );
  if (value["command"] === undefined && !isMisspelt) {
    addInvalid(name, 'it has no "command"', reading);
  }
  return values;
}

function addInvalid(name: string, state: string, reading: Reading): void {
  const shown = JSON.stringify(name.slice(0, MAX_TASK_NAME_LENGTH));
  reading.problems.add({
    code: "E102",
    message: `Cannot use task ${shown}: ${state}`,
    path: reading.path,
    part: "key",
  });
}
