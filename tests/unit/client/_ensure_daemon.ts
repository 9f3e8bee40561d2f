/**
 * Calls `ensureDaemon` with the fake daemon, as a process of its own, so that its environment is the test's to choose.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { ensureDaemon } from "../../../src/client/spawn_daemon.ts";
import { resolvePaths } from "../../../src/config/paths.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { type Clock, systemClock } from "../../../src/kit/clock.ts";

const entry = fileURLToPath(new URL("./_fake_daemon.ts", import.meta.url));
// A clock that runs fast, so that ten seconds pass in half a second.
const clock: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 20,
};
const paths = resolvePaths({ TASKMUX_HOME: Deno.env.get("TASKMUX_HOME") });
const isFast = Deno.args.includes("--fast");
try {
  await using client = await ensureDaemon(paths, {
    entry,
    ...isFast ? { clock } : {},
  });
  console.log(JSON.stringify({ pid: client.hello.pid }));
} catch (error) {
  if (!(error instanceof TaskmuxError)) throw error;
  console.log(JSON.stringify(error.toShape()));
}
