/**
 * Random sequences of operations on real worlds beside the model. What fails is cut down to what is needed for it, and
 * told as a story with the command that looks for it again.
 *
 * @module
 */

import fc from "fast-check";
import { Course } from "./course.ts";
import { describe, type Operation, resolve } from "./operation.ts";
import { anyEntries, anyKinds, anyOperation } from "./operation_arbitrary.ts";
import { RealWorld } from "./real_world.ts";
import { fileText } from "./task_plan.ts";

/** Variable of the environment that holds a {@linkcode ModelReplay} as text. */
export const REPLAY_VARIABLE = "TASKMUX_MODEL";

/** Longest sequence. Each has a world of its own, which costs as much as a hundred calm steps. */
const MAX_SEQUENCE = 600;

/** Where a failure was found, so that it can be looked for again. */
export interface ModelReplay {
  readonly seed: number;
  /** Both as fast-check told them; without them the whole sequence of the seed. */
  readonly path?: string | undefined;
  readonly commands?: string | undefined;
}

/** How a sequence is run. */
export interface SequenceOptions extends ModelReplay {
  /** Milliseconds for the search for a shorter sequence that fails. */
  readonly shrinkMs: number;
  /** When that search is over at the latest, on the clock of `performance.now`. */
  readonly shrinkEndsAt?: number;
  onStep(step: string): void;
  /** Told at once, before the search for a shorter sequence. */
  onFailure?(): void;
  /** Ends a sequence that has not failed before its end. */
  isEnough?(): boolean;
}

/** How many sequences are run. */
export interface ModelRunOptions {
  /** Each sequence has its own, from here on. */
  readonly firstSeed: number;
  /** Worlds at a time. */
  readonly worlds: number;
  /** No step is begun after so many of them, or milliseconds. */
  readonly steps: number;
  readonly limitMs: number;
  /** As of a sequence; and no search goes on so long after the limit. */
  readonly shrinkMs: number;
}

/** What was done. */
export interface ModelRunReport {
  readonly steps: number;
  readonly sequences: number;
  readonly failures: readonly string[];
}

/** Runs sequences until it is enough. */
export async function runModel(
  options: ModelRunOptions,
): Promise<ModelRunReport> {
  const endsAt = performance.now() + options.limitMs;
  const failures: string[] = [];
  let steps = 0;
  let sequences = 0;
  let hasFailed = false;
  const isEnough = (): boolean =>
    steps >= options.steps || performance.now() >= endsAt || hasFailed;
  const run = async (): Promise<void> => {
    while (!isEnough()) {
      const failure = await runSequence({
        seed: options.firstSeed + sequences++,
        shrinkMs: options.shrinkMs,
        shrinkEndsAt: endsAt + options.shrinkMs,
        onStep: () => steps++,
        onFailure: () => hasFailed = true,
        isEnough,
      });
      if (failure !== null) failures.push(failure);
    }
  };
  await Promise.all(Array.from({ length: options.worlds }, run));
  return { steps, sequences, failures };
}

/** Reads what {@linkcode REPLAY_VARIABLE} holds; null if it is not set. */
export function parseReplay(text: string | undefined): ModelReplay | null {
  if (text === undefined || text === "") return null;
  const [seed, path, commands] = text.split(" ");
  return { seed: Number(seed), path, commands };
}

/** Runs the sequence of a seed in a world of its own. Null if all was as it must be, else the story of a failure. */
export async function runSequence(
  options: SequenceOptions,
): Promise<string | null> {
  const { seed, path, commands: replayPath } = options;
  let story: readonly string[] = [];
  let searchEndsAt: number | null = null;
  const searchMs = (): number =>
    searchEndsAt === null ? Infinity : searchEndsAt - performance.now();
  const isOver = (): boolean =>
    searchEndsAt === null ? options.isEnough?.() ?? false : searchMs() <= 0;
  const property = fc.asyncProperty(
    anyKinds,
    anyEntries,
    fc.commands([anyOperation.map((each) => new Step(each, isOver))], {
      size: "max",
      maxCommands: MAX_SEQUENCE,
      ...(replayPath === undefined ? {} : { replayPath }),
    }),
    async (kinds, entries, commands) => {
      // Whatever is tried after the time counts as no failure, so the shortest that was found stands.
      if (searchMs() <= 0) return;
      const course = new Course(kinds, entries, {
        onStep: options.onStep,
        patienceMs: searchMs,
      });
      try {
        await using real = await RealWorld.open(
          fileText(entries, kinds, false),
        );
        await fc.asyncModelRun(() => ({ model: course, real }), commands);
        real.checkLogs();
      } catch (error) {
        if (searchMs() <= 0) return;
        searchEndsAt ??= Math.min(
          performance.now() + options.shrinkMs,
          options.shrinkEndsAt ?? Infinity,
        );
        options.onFailure?.();
        story = course.story;
        throw error;
      }
    },
  );
  const details = await fc.check(property, {
    seed,
    numRuns: 1,
    ...(path === undefined ? {} : { path }),
  });
  if (!details.failed) return null;
  const commands = String(details.counterexample?.[2]);
  return [
    "",
    ...story,
    errorText(details.errorInstance),
    replayText(seed, details.counterexamplePath, commands),
  ].join("\n");
}

class Step implements fc.AsyncCommand<Course, RealWorld> {
  readonly #operation: Operation;
  readonly #isOver: () => boolean;

  constructor(operation: Operation, isOver: () => boolean) {
    this.#operation = operation;
    this.#isOver = isOver;
  }

  check({ world }: Readonly<Course>): boolean {
    return !this.#isOver() && resolve(world, this.#operation) !== null;
  }

  async run(course: Course, real: RealWorld): Promise<void> {
    await course.step(real, this.#operation);
  }

  toString(): string {
    return describe(this.#operation);
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function replayText(
  seed: number,
  path: string | null,
  commands: string,
): string {
  const replayPath = /replayPath="([^"]*)"/.exec(commands)?.[1];
  const replay = [seed, path, replayPath].join(" ");
  return `Again: ${REPLAY_VARIABLE}="${replay}" deno task test tests/e2e/model/`;
}
