/**
 * What starting and stopping leaves behind in the long run: nothing but its history.
 *
 * @module
 */

import { checkCycles } from "../../support/cycles.ts";
import { HAS_PROC } from "../../support/processes.ts";
import { testTaskmux } from "../../support/taskmux.ts";

const CYCLES = 300;

Deno.test({
  name: "300 starts and stops cost nothing that stays",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    await checkCycles(taskmux, CYCLES);
  },
});
