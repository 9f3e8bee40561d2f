/**
 * The real `ngrok` takes the arguments of our provider, and fails as the one of our tests does. There is no network beyond
 * loopback: see the task `test:tunnels`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ProviderBench } from "../support/provider_bench.ts";
import { TunnelProgram } from "../support/tunnel_program.ts";
import { until } from "../support/until.ts";
import { realBench, realProgram, tell } from "./real_program.ts";

const NEVER = new AbortController().signal;
const ignore = realProgram("ngrok") === null;

Deno.test({
  name: "ngrok tries to open a tunnel as it is told to",
  ignore,
  fn: async () => {
    await using bench = await realBench("ngrok", "ngrok");
    const { context, target } = bench.project("shop");
    const checks = await bench.provider.check([target()], context, NEVER);
    assert.deepEqual(checks.filter(({ ok }) => !ok), []);
    const process = await bench.provider.open([target()], context, NEVER);
    assert.ok(process !== null);
    await using program = TunnelProgram.start(process, context);
    await until(() => {
      const text = program.lines.join("\n");
      assert.doesNotMatch(text, /unknown flag/);
      return program.lines.some((line) =>
        bench.provider.explain(line) !== null
      );
    }, { timeoutMs: 60_000, what: "a line of ngrok that is explained" });
  },
});

Deno.test({
  name: "ngrok refuses what the one of our tests refuses",
  ignore,
  fn: async () => {
    await using real = await realBench("ngrok", "ngrok");
    await using fake = await ProviderBench.open("ngrok");
    for (const args of [["http", "--nope", "80"], ["config", "check"]]) {
      const [one, other] = [
        await tell(real, ["ngrok", ...args]),
        await tell(fake, ["ngrok", ...args]),
      ];
      assert.equal(other.code, one.code, args.join(" "));
    }
  },
});
