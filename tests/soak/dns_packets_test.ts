/**
 * A million hostile DNS messages. Only with TASKMUX_SOAK, which `deno task soak:limits` sets; the suite does fewer
 * (tests/unit/dns/answer_query_test.ts).
 *
 * @module
 */

import assert from "node:assert/strict";
import { answerHostile } from "../support/dns_packets.ts";

const IS_SOAK = Deno.env.get("TASKMUX_SOAK") !== undefined;

const MESSAGES = 1_000_000;

Deno.test({
  name: "a million hostile DNS messages do no harm (deno task soak:limits)",
  ignore: !IS_SOAK,
  fn: () => {
    const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
    const answered = answerHostile(MESSAGES, seed);
    console.log(`seed ${seed}: ${answered} of ${MESSAGES} were answered`);
    assert.ok(answered > MESSAGES / 2);
  },
});
