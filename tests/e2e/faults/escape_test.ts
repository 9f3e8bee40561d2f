/**
 * Processes that try to get away from their task, and what a process that is none of ours has to fear: nothing.
 *
 * @module
 */

import assert from "node:assert/strict";
import { HAS_PROC, lives, procFiles } from "../../support/processes.ts";
import type { TestProject } from "../../support/project.ts";
import { testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

/** Five ways out, each sleeping for a time of its own that tells it apart in the process table. */
const FIVE_WAYS = `
sleep 100001 &
sh -c 'set -m; sleep 100002 & wait' &
setsid sleep 100003 &
setsid sh -c 'sleep 100004 & exit' &
env -i PATH="$PATH" setsid sh -c 'sleep 100005 & exit' &
echo up; wait; exec sleep 1000`;

/** Living processes with these words as their command line. */
function pidsOf(...words: string[]): number[] {
  const wanted = `${words.join("\0")}\0`;
  const files = procFiles();
  return files.numbers("/proc").filter((pid) =>
    files.text(`/proc/${pid}/cmdline`) === wanted && lives(pid)
  );
}

function escapees(project: TestProject): number[] {
  // Tests run side by side; those of this one have its folder.
  return ["100001", "100002", "100003", "100004", "100005"]
    .flatMap((time) => pidsOf("sleep", time))
    .filter((pid) => procFiles().link(`/proc/${pid}/cwd`) === project.folder);
}

Deno.test({
  name:
    "no way of ending a task leaves a descendant of it, however it got away",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const file = `
name = "escape"
[tasks.web]
command = '''${FIVE_WAYS}'''
ready_log = "up"
stop_grace_period = 0.1
`;
    const project = await taskmux.project(file);
    const ways: Record<string, () => Promise<unknown>> = {
      stop: () => project.ok(["stop"]),
      kill: () => project.ok(["kill", "web"]),
      restart: () => project.ok(["restart"]),
      reload: async () => {
        await project.replace(
          'name = "escape"\n[tasks.other]\ncommand = "x"\n',
        );
        await until(() => escapees(project).length === 0);
        await project.replace(file);
      },
      unregister: () => project.ok(["daemon", "unregister", "escape"]),
      end: () => taskmux.ok(["daemon", "stop"]),
    };
    for (const [way, act] of Object.entries(ways)) {
      await project.ok(["start", "web", "--if-stopped"]);
      const before = await until(() => {
        const pids = escapees(project);
        return pids.length === 5 ? pids : null;
      }, { what: `five processes before ${way}` });
      await act();
      for (const pid of before) assert(!lives(pid), `${pid} outlives ${way}`);
    }
    assert.deepEqual(escapees(project), []);
  },
});

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
