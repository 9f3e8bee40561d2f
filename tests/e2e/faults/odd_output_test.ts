/**
 * Output that no log is made for. A gigabyte of it is in tests/soak.
 *
 * @module
 */

import { checkOddOutput } from "../../support/odd_output.ts";
import { HAS_PROC } from "../../support/processes.ts";
import { testTaskmux } from "../../support/taskmux.ts";

Deno.test({
  name: "output without lines, end or meaning costs no memory",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    await checkOddOutput(taskmux, { line: 50, sequence: 10, rest: 5 });
  },
});
