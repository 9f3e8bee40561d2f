/**
 * The real `cloudflared` takes the arguments of our providers, and fails as the one of our tests does. There is no network
 * beyond loopback: see the task `test:tunnels`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ProviderBench } from "../support/provider_bench.ts";
import { TunnelProgram } from "../support/tunnel_program.ts";
import { until } from "../support/until.ts";
import { realBench, realProgram, tell } from "./real_program.ts";

const NEVER = new AbortController().signal;
const ignore = realProgram("cloudflared") === null;

Deno.test({
  name: "cloudflared runs a named tunnel as it is told to",
  ignore,
  fn: async () => {
    await using bench = await realBench("cloudflare", "cloudflared");
    const { context, target } = bench.project("shop");
    const checks = await bench.provider.check([target()], context, NEVER);
    assert.deepEqual(checks.filter(({ ok }) => !ok), []);
    const process = await bench.provider.open([target()], context, NEVER);
    assert.ok(process !== null);
    await using program = TunnelProgram.start(process, context);
    const answer = await until(async () => {
      assert.equal(program.code, null, program.lines.join("\n"));
      return await readiness(program.port);
    });
    assert.equal(answer.status, 503);
    assert.equal(answer.body.readyConnections, 0);
    assert.match(program.lines.join("\n"), /Starting tunnel tunnelID=/);
  },
});

Deno.test({
  name: "cloudflared asks for a quick tunnel as it is told to",
  ignore,
  fn: async () => {
    await using bench = await realBench("cloudflare-quick", "cloudflared");
    const { context, target } = bench.project("shop");
    const process = await bench.provider.open([target()], context, NEVER);
    assert.ok(process !== null);
    await using program = TunnelProgram.start(process, context);
    assert.equal(await program.ended(), 1);
    const text = program.lines.join("\n");
    assert.match(text, /failed to request quick Tunnel/);
    const meanings = program.lines.map((line) => bench.provider.explain(line));
    assert.ok(meanings.some((meaning) => meaning !== null), text);
  },
});

Deno.test({
  name: "cloudflared refuses what the one of our tests refuses",
  ignore,
  fn: async () => {
    await using real = await realBench("cloudflare", "cloudflared");
    await using fake = await ProviderBench.open("cloudflare");
    const calls = [
      ["tunnel", "--nope"],
      ["tunnel", "run"],
      ["tunnel", "run", "--metrics", "127.0.0.1:0"],
      ["tunnel", "run", "--token", "x"],
      ["tunnel", "run", "one", "two"],
    ];
    for (const args of calls) {
      const [one, other] = [
        await tell(real, ["cloudflared", ...args]),
        await tell(fake, ["cloudflared", ...args]),
      ];
      const line = args.join(" ");
      assert.equal(other.code, one.code, line);
      assert.equal(other.lines[0], one.lines[0], line);
    }
  },
});

async function readiness(
  port: number,
): Promise<{ status: number; body: { readyConnections: number } } | null> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`);
    return { status: answer.status, body: await answer.json() };
  } catch (error) {
    // It does not listen yet.
    if (error instanceof TypeError) return null;
    throw error;
  }
}
