/**
 * Clients that are stopped in the middle of a conversation, as Ctrl-Z does, and peers that never read.
 *
 * @module
 */

import assert from "node:assert/strict";
import { HAS_PROC, memoryOf } from "../../support/processes.ts";
import { LineReader } from "../../support/line_reader.ts";
import { type Taskmux, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const MIB = 1024 * 1024;

/** What the daemon may hold for all who do not take it. */
const SLACK_BYTES = 150 * MIB;

/** Longest time for an answer to somebody else, on a machine that does much else. */
const ANSWER_MS = 3_000;

/** Lines that the stopped clients miss before they are continued. */
const FLOOD_LINES = 100_000;

const PROJECT = `
name = "stopped"
[tasks.flood]
command = "n=0; while :; do n=$((n+1)); echo $n; done"
log_max_size = "100MB"
[tasks.web]
command = "exec sleep 1000"
`;

function continueIfThere(pid: number): void {
  try {
    Deno.kill(pid, "SIGCONT");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Requests as they go over the socket. */
function frames(...requests: readonly object[]): Uint8Array {
  const lines = requests.map((request) => `${JSON.stringify(request)}\n`);
  return new TextEncoder().encode(lines.join(""));
}

/** Slowest of some answers to a client that behaves. */
async function slowestAnswer(
  taskmux: Taskmux,
  config: string,
): Promise<number> {
  let slowest = 0;
  for (let n = 0; n < 20; n++) {
    const begun = performance.now();
    await taskmux.call("task.status", { scope: { config } });
    slowest = Math.max(slowest, performance.now() - begun);
  }
  return slowest;
}

Deno.test({
  name:
    "clients that are stopped harm nobody, and go on where they were or are told what they missed",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(PROJECT);
    await project.ok(["start"]);
    const daemon = await taskmux.daemonPid();
    assert(daemon !== null);
    const logs = project.spawn(["logs", "-f", "flood", "-n", "1", "--json"]);
    const events = project.spawn(["events", "-f", "--json"]);
    await using followed = new LineReader(logs);
    await using told = new LineReader(events);
    await followed.atLeast(100);
    await project.ok(["restart", "web"]);
    await told.atLeast(1);
    const status = project.spawn(["status", "--json"]);
    const clients = [logs, events, status].map(({ pid }) => pid);
    for (const pid of clients) Deno.kill(pid, "SIGSTOP");
    // Also when the test fails: what is stopped cannot end.
    using _ = { [Symbol.dispose]: () => clients.forEach(continueIfThere) };
    const before = memoryOf(daemon);

    // Peers that ask for everything and read nothing.
    using peers = new DisposableStack();
    for (let n = 0; n < 5; n++) {
      const path = taskmux.home.paths.daemonSocket;
      const peer = peers.use(await Deno.connect({ transport: "unix", path }));
      const scope = { config: project.config };
      await peer.write(frames(
        { id: 1, op: "log.follow", params: { scope, tasks: ["flood"] } },
        { id: 2, op: "event.follow", params: { scope } },
      ));
    }
    const numbers = async () => Number((await project.log("flood")).at(-1));
    const last = await numbers() + FLOOD_LINES;
    let most = before;
    await until(async () => {
      most = Math.max(most, memoryOf(daemon));
      return await numbers() > last;
    }, { timeoutMs: 120_000, what: "the flood goes on" });
    // More events than a subscriber may be behind.
    for (let n = 0; n < 3; n++) await project.ok(["restart", "web"]);
    const slowest = await slowestAnswer(taskmux, project.config);
    assert(slowest < ANSWER_MS, `an answer took ${slowest} ms`);
    assert(most < before + SLACK_BYTES, `it holds ${most - before} bytes more`);

    clients.forEach(continueIfThere);
    const { code, stdout } = await status.output();
    assert.equal(code, 0);
    assert.equal(JSON.parse(new TextDecoder().decode(stdout)).ok, true);
    await until(() =>
      told.lines.filter((line) => line.includes('"task_restarted"')).length >= 4
    );
    // It reads the file from where it was: what was said meanwhile is not lost.
    const begun = followed.lines.length;
    await followed.atLeast(begun + FLOOD_LINES);
    const said = followed.lines.map((line) => Number(JSON.parse(line).text));
    const first = said[0] ?? NaN;
    const gap = said.findIndex((number, index) => number !== first + index);
    assert.equal(gap, -1, `line ${gap} is ${followed.lines[gap]}`);
    await project.ok(["stop", "flood"]);
  },
});
