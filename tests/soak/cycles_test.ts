/**
 * Ten thousand starts and stops. Minutes long, so only with TASKMUX_SOAK, which `deno task soak:limits` sets; the suite does
 * three hundred (tests/e2e/faults/cycles_test.ts).
 *
 * @module
 */

import { checkCycles } from "../support/cycles.ts";
import { HAS_PROC } from "../support/processes.ts";
import { testTaskmux } from "../support/taskmux.ts";

const CYCLES = 10_000;

const IS_SOAK = Deno.env.get("TASKMUX_SOAK") !== undefined;

Deno.test({
  name:
    "10 000 starts and stops cost nothing that stays (deno task soak:limits)",
  ignore: !HAS_PROC || !IS_SOAK,
  fn: async () => {
    await using taskmux = await testTaskmux();
    console.table(await checkCycles(taskmux, CYCLES));
  },
});
