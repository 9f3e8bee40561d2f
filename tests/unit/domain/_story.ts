/**
 * Stories of one task: inputs in order and what each of them leads to, as text.
 *
 * One line per input, `input -> phase fact fact | effect effect` as {@linkcode describeStep} words it. A line without
 * an arrow is done and not checked. `+5000 input` = the input comes 5000 ms after the one before. An input may name its
 * run (`exit r1 0`) and, with `@`, a generation other than the present one (`spawned@1 r1`).
 *
 * @module
 */

import assert from "node:assert/strict";
import { step } from "../../../src/domain/step.ts";
import type { Input } from "../../../src/domain/task_input.ts";
import {
  NEW_MACHINE,
  type TaskMachine,
} from "../../../src/domain/task_machine.ts";
import type { HookName, TaskSpec } from "../../../src/domain/task_spec.ts";
import { describeStep } from "./_describe_step.ts";
import {
  errorShape,
  exitOf,
  type InputData,
  probeResult,
  runInfo,
  taskSpec,
} from "./_samples.ts";

/** What a story is about. */
export interface StoryOptions {
  readonly spec?: TaskSpec;
  /** Where it begins; a new task by default. */
  readonly machine?: TaskMachine;
}

/** The machine at the end of a story, each line of which must come true. */
export function checkStory(
  story: string,
  options: StoryOptions = {},
): TaskMachine {
  const spec = options.spec ?? taskSpec();
  let machine = options.machine ?? NEW_MACHINE;
  let now = 1_000_000;
  for (const line of story.split("\n").map((each) => each.trim())) {
    if (line === "") continue;
    const [left = "", expected] = line.split(/\s*->\s*/);
    const { delay = "0", words = "" } =
      /^(?:\+(?<delay>\d+) )?(?<words>.*)$/.exec(left)?.groups ?? {};
    now += Number(delay);
    const data = inputFrom(words, { machine, spec });
    const result = step(spec, machine, { ...data, now } as Input);
    const actual = describeStep({ spec, before: machine, now }, result);
    if (expected !== undefined) assert.equal(actual, expected, left);
    machine = result[0];
  }
  return machine;
}

interface Scene {
  readonly machine: TaskMachine;
  readonly spec: TaskSpec;
}

function inputFrom(words: string, { machine, spec }: Scene): InputData {
  const [head = "", ...rest] = words.split(" ");
  const [verb = "", at] = head.split("@");
  const generation = at === undefined ? machine.generation : Number(at);
  const [first = "", second = ""] = rest;
  const run = runInfo(first, { port: spec.wantsPort ? 4000 : null });
  switch (verb) {
    case "start":
      return { type: "start", isGated: first === "gated" };
    case "stop":
    case "kill":
    case "shutdown":
      return { type: "stop", kind: verb };
    case "restart":
    case "watch":
      return { type: "restart", isUsers: verb === "restart", reason: verb };
    case "gate":
      return {
        type: "gate",
        error: first === "opens" ? null : errorShape("E402"),
      };
    case "spawned":
      return { type: "spawned", generation, run };
    case "unspawned":
      return { type: "spawn_failed", generation, error: errorShape("E403") };
    case "exit":
      return { type: "ended", runId: first, exit: exitOf(exitFrom(second)) };
    case "probe":
      return {
        type: "probed",
        runId: first,
        result: probeResult(second === "ok" ? null : "refused"),
      };
    case "survived":
      return { type: "survived", runId: first, error: errorShape("E900") };
    case "wake":
      return { type: "wake" };
    case "adopted":
      return { type: "adopted", run, ageMs: Number(second) };
    case "before_start":
    case "after_start":
    case "before_stop":
    case "after_stop":
      return hookedFrom(verb, first, generation);
    default:
      throw new Error(`No input is called "${words}"`);
  }
}

function exitFrom(text: string): number | string {
  return text.startsWith("SIG") ? text : Number(text);
}

function hookedFrom(
  hook: HookName,
  outcome: string,
  generation: number,
): InputData {
  const error = outcome === "ok" ? null : errorShape("E400");
  return { type: "hooked", hook, generation, error };
}
