/**
 * The way of one world, step by step: what was done, and what the model says now.
 *
 * @module
 */

import { describe, type Operation, resolve } from "./operation.ts";
import { outcomeOf } from "./outcome.ts";
import { perform } from "./perform.ts";
import type { RealWorld } from "./real_world.ts";
import { type Entries, type Kinds, NAMES } from "./task_plan.ts";
import { settle } from "./verdict.ts";
import { newWorld, type WorldModel } from "./world_model.ts";

/** See the module. */
export class Course {
  /** What the model says. */
  world: WorldModel;
  /** For people: how it began, then each step. */
  readonly story: string[];
  readonly #onStep: (step: string) => void;

  constructor(
    kinds: Kinds,
    entries: Entries,
    onStep: (step: string) => void,
  ) {
    this.world = newWorld(kinds, entries);
    this.story = [setting(kinds, entries)];
    this.#onStep = onStep;
  }

  /** Does it, if it makes sense now, and holds what came of it against the model. */
  async step(real: RealWorld, wanted: Operation): Promise<void> {
    const operation = resolve(this.world, wanted);
    if (operation === null) return;
    const told = describe(operation);
    this.story.push(`${this.story.length}. ${told}`);
    this.#onStep(told);
    await perform(real, this.world, operation);
    this.world = await settle(real, outcomeOf(this.world, operation));
  }
}

function setting(kinds: Kinds, entries: Entries): string {
  return NAMES.map((name) => {
    const entry = entries[name];
    const kind = `${name} is of kind "${kinds[name]}"`;
    return entry === undefined
      ? `${kind}, not in the file`
      : `${kind}, ${describe({ do: "edit", task: name, entry })}`;
  }).join("\n");
}
