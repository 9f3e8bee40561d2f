/**
 * Random sequences of everything that users and misfortune do to tasks, beside a model of what must remain.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  parseReplay,
  REPLAY_VARIABLE,
  runModel,
  runSequence,
} from "../../model/model_run.ts";
import { HAS_PROC } from "../../support/processes.ts";

/** At least so many, unless the time is over before. */
const STEPS = 2_400;

/** No sequence is begun later. On two cores that do nothing else the steps take less. */
const LIMIT_MS = 75_000;

/** Enough to make use of the waits of the others. */
const WORLDS = 6;

/** For the search for a shorter sequence. A replay searches on. */
const SHRINK_MS = 60_000;

const FIRST_SEED = 1;

Deno.test({
  name:
    "random sequences of commands, crashes, edits and kills leave all as the model says",
  ignore: !HAS_PROC,
  fn: async () => {
    const replay = parseReplay(Deno.env.get(REPLAY_VARIABLE));
    if (replay !== null) {
      const failure = await runSequence({
        ...replay,
        shrinkMs: 10 * SHRINK_MS,
        onStep: (step) => console.log(step),
      });
      return assert.equal(failure, null, failure ?? undefined);
    }
    const began = performance.now();
    const { steps, sequences, failures } = await runModel({
      firstSeed: Number(Deno.env.get("TASKMUX_MODEL_SEED") ?? FIRST_SEED),
      worlds: WORLDS,
      steps: STEPS,
      limitMs: LIMIT_MS,
      shrinkMs: SHRINK_MS,
    });
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${steps} steps, ${sequences} sequences in ${seconds} s`);
    for (const failure of failures) console.error(failure);
    assert.equal(failures.length, 0, "see above");
    assert(sequences >= WORLDS);
  },
});
