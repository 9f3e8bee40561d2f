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

/** What a course asks of whoever goes it. */
export interface CourseOptions {
  /** Told each step before it is done. */
  onStep(step: string): void;
  /** Milliseconds for which it may be waited until all is at rest, beside the limit that is always there. */
  patienceMs?(): number;
}

/** See the module. */
export class Course {
  /** What the model says. */
  world: WorldModel;
  /** For people: how it began, then each step. */
  readonly story: string[];
  readonly #options: CourseOptions;

  constructor(
    kinds: Kinds,
    entries: Entries,
    options: CourseOptions,
  ) {
    this.world = newWorld(kinds, entries);
    this.story = [setting(kinds, entries)];
    this.#options = options;
  }

  /** Does it, if it makes sense now, and holds what came of it against the model. */
  async step(real: RealWorld, wanted: Operation): Promise<void> {
    const operation = resolve(this.world, wanted);
    if (operation === null) return;
    const told = describe(operation);
    this.story.push(`${this.story.length}. ${told}`);
    this.#options.onStep(told);
    await perform(real, this.world, operation);
    const outcome = outcomeOf(this.world, operation);
    const patienceMs = this.#options.patienceMs?.() ?? Infinity;
    this.world = await settle(real, outcome, patienceMs);
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
