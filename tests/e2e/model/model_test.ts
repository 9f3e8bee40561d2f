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

/** No step is begun later. One that fails takes half a minute to be sure of it. */
const LIMIT_MS = 42_000;

/** Enough to make use of the waits of the others. */
const WORLDS = 8;

/** For the search for a shorter sequence, of which not much comes in this time; a replay searches on for longer. */
const SHRINK_MS = 18_000;
const REPLAY_SHRINK_MS = 600_000;

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
        shrinkMs: REPLAY_SHRINK_MS,
        onStep: (step) => console.log(step),
      });
      return assert.equal(failure, null, failure ?? undefined);
    }
    const began = performance.now();
    const { steps, sequences, failures } = await runModel({
      firstSeed: Number(Deno.env.get("TASKMUX_MODEL_SEED") ?? FIRST_SEED),
      worlds: WORLDS,
      steps: Infinity,
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
