/**
 * The model test for as long as one likes: `deno task soak [MINUTES] [SEED]`. Some worlds are torn by kills all the time;
 * one keeps its daemon and its keeper throughout, so that what they hold on to shows. Fails on the first difference
 * from the model, and if memory or descriptors have grown in the end.
 *
 * @module
 */

import fc from "fast-check";
import { Course } from "../model/course.ts";
import { runModel } from "../model/model_run.ts";
import {
  anyEntries,
  anyKinds,
  calmOperation,
} from "../model/operation_arbitrary.ts";
import { RealWorld } from "../model/real_world.ts";
import { fileText } from "../model/task_plan.ts";
import { type Footprint, footprintOf, growthOf } from "./footprint.ts";

const DEFAULT_MINUTES = 30;
const WILD_WORLDS = 3;
const SHRINK_MS = 5 * 60_000;

/** Steps between two looks at memory. */
const STEPS_PER_LOOK = 50;

/** Operations are drawn so many at a time. */
const BATCH = 200;

/** Seeds of the torn worlds begin here, away from those of the test. */
const FIRST_SEED = 1_000_000;

/** Steps of a story that are told. */
const STORY_TAIL = 40;

Deno.exitCode = await main(
  Number(Deno.args[0] ?? DEFAULT_MINUTES),
  Number(Deno.args[1] ?? FIRST_SEED),
);

async function main(minutes: number, seed: number): Promise<number> {
  const limitMs = minutes * 60_000;
  console.log(`${minutes} minutes, from seed ${seed} on`);
  const [wild, calm] = await Promise.all([
    runModel({
      firstSeed: seed,
      worlds: WILD_WORLDS,
      steps: Infinity,
      limitMs,
      shrinkMs: SHRINK_MS,
    }),
    runCalm(seed, limitMs),
  ]);
  const failures = [...wild.failures, ...calm.failures];
  for (const failure of failures) console.error(failure);
  console.log(
    `${wild.steps} steps in ${wild.sequences} torn worlds, ${calm.steps} in the calm one`,
  );
  console.log(
    `${failures.length === 0 ? "1 passed, 0" : "0 passed, 1"} failed`,
  );
  return failures.length === 0 ? 0 : 1;
}

/** One world in which no process of ours is replaced. */
async function runCalm(
  seed: number,
  limitMs: number,
): Promise<{ readonly steps: number; readonly failures: readonly string[] }> {
  const endsAt = performance.now() + limitMs;
  const [kinds] = fc.sample(anyKinds, { seed, numRuns: 1 });
  const [entries] = fc.sample(anyEntries, { seed, numRuns: 1 });
  if (kinds === undefined || entries === undefined) throw new TypeError("None");
  let steps = 0;
  const course = new Course(kinds, entries, { onStep: () => steps++ });
  const looks: Footprint[][] = [];
  try {
    await using real = await RealWorld.open(fileText(entries, kinds, false));
    for (let batch = 0; performance.now() < endsAt; batch++) {
      const operations = fc.sample(calmOperation, {
        seed: seed + batch,
        numRuns: BATCH,
      });
      for (const operation of operations) {
        if (performance.now() >= endsAt) break;
        const before = steps;
        await course.step(real, operation);
        if (steps === before || steps % STEPS_PER_LOOK !== 0) continue;
        looks.push(await look(real, steps));
      }
    }
    real.checkLogs();
  } catch (error) {
    const story = course.story.slice(-STORY_TAIL).join("\n");
    return {
      steps,
      failures: [`Calm world, seed ${seed}:\n${story}\n${error}`],
    };
  }
  return { steps, failures: growthOf(looks) };
}

async function look(real: RealWorld, steps: number): Promise<Footprint[]> {
  const found = [
    footprintOf("daemon", real.daemonPid),
    footprintOf("keeper", await real.keeperPid()),
  ];
  const told = found.map(({ name, memoryMb, descriptors }) =>
    `${name} ${memoryMb.toFixed(0)} MB ${descriptors} fds`
  );
  console.log(`step ${steps}: ${told.join(", ")}`);
  return found;
}
