import assert from "node:assert/strict";
import { REPOSITORY } from "../support/deno_flags.ts";

/** How long three small measurements may take on a machine that is busy with other things. */
const PATIENCE_MS = 240_000;

Deno.test("the benches for agents measure what they name", async () => {
  const { stdout, stderr, code } = await new Deno.Command("deno", {
    args: [
      ...["task", "--quiet", "bench", "--quick"],
      ...["--only", "agent_tokens,mcp_latency,fan_out"],
    ],
    cwd: REPOSITORY,
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).output();
  const page = new TextDecoder().decode(stdout);
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  // Tokens do not depend on how fast the machine is.
  const bars = page.split("\n").filter((line) => line.includes(" tokens |"));
  assert.equal(bars.length, 2, page);
  for (const line of bars) assert.match(line, /\| met \|/);
  assert.match(page, /^\| all ten \| 10 answered, 10 ×/m, page);
  assert.match(page, /^\| taskmux \| [\d.]+ \| [\d.]+ \|/m, page);
  for (const way of ["MCP", "WebSocket", "run/daemon\\.sock"]) {
    const row = new RegExp(
      `^\\| taskmux, ${way} \\|(?: [\\d.]+ \\|){4} 0 \\|`,
      "m",
    );
    assert.match(page, row, page);
  }
  assert.doesNotMatch(page, /failed:|Could not be measured/, page);
});
