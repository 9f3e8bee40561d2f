/**
 * A gigabyte in one line, and more that no log is made for. Only with TASKMUX_SOAK, which `deno task soak:limits` sets; the
 * suite does less of it (tests/e2e/faults/odd_output_test.ts).
 *
 * @module
 */

import { checkOddOutput } from "../support/odd_output.ts";
import { HAS_PROC } from "../support/processes.ts";
import { testTaskmux } from "../support/taskmux.ts";

const IS_SOAK = Deno.env.get("TASKMUX_SOAK") !== undefined;

Deno.test({
  name: "a gigabyte without a newline costs no memory (deno task soak:limits)",
  ignore: !HAS_PROC || !IS_SOAK,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const sizes = { line: 1024, sequence: 100, rest: 100 };
    console.table(await checkOddOutput(taskmux, sizes));
  },
});
