/**
 * Processes that get away from their task by becoming another user's. For every other way see `kill_matrix_test.ts`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { lives, procFiles } from "../../support/processes.ts";
import { testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

/** Living processes with these words as their command line. */
function pidsOf(...words: string[]): number[] {
  const wanted = `${words.join("\0")}\0`;
  const files = procFiles();
  return files.numbers("/proc").filter((pid) =>
    files.text(`/proc/${pid}/cmdline`) === wanted && lives(pid)
  );
}

const HAS_SETPRIV = Deno.build.os === "linux" && Deno.uid() === 0 &&
  new Deno.Command("sh", { args: ["-c", "command -v setpriv"] })
    .outputSync().success;

// The limits of a process of another user were read into the buffer that held what was to be read next, so that the
// keeper did not see it at all: it outlived every stop, and nobody reaped it.
Deno.test({
  name: "what runs as another user ends with its task",
  ignore: !HAS_SETPRIV,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(`
name = "other"
[tasks.web]
command = '''
setpriv --reuid 65534 --clear-groups setsid env -i sleep 100006 &
setpriv --reuid 65534 --clear-groups sleep 100007 &
wait'''
stop_grace_period = 0.1
`);
    await project.ok(["start"]);
    const pids = await until(() => {
      const found = [
        ...pidsOf("sleep", "100006"),
        ...pidsOf("sleep", "100007"),
      ];
      return found.length === 2 ? found : null;
    });
    const { processes } = await project.ok<{ processes: { pid: number }[] }>(
      ["inspect", "web"],
    );
    const seen = new Set(processes.map(({ pid }) => pid));
    for (const pid of pids) assert(seen.has(pid));
    await project.ok(["stop"]);
    for (const pid of pids) assert(!lives(pid));
  },
});
