/**
 * Every way in which a task ends, against every kind of descendant that tries to outlive it. Each cell is a step of its
 * own: `docs/reliability.md` quotes them.
 *
 * Linux only. Elsewhere nothing marks a process that took its own session and dropped its environment, so that one kind
 * outlives its task there; see `docs/decisions/0005`.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type Descendant,
  DESCENDANT_KINDS,
  descendantsCommand,
  descendantsIn,
  isAlive,
} from "../../support/descendants.ts";
import { HAS_PROC, lives, procFiles } from "../../support/processes.ts";
import type { TestProject } from "../../support/project.ts";
import {
  killIfThere,
  type Taskmux,
  testTaskmux,
} from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

/** Far beyond the longest escalation: a file gone for good, then the task's own grace, SIGTERM, SIGKILL. */
const END_TIMEOUT_MS = 60_000;

/** What a way of ending works on. */
interface Victim {
  readonly taskmux: Taskmux;
  readonly project: TestProject;
  /** Pid of the task's leader. */
  readonly leader: number;
}

/** One way of ending a task. */
interface Way {
  /** Resolves when the task is said to be over, or at once where nobody says it. */
  end(victim: Victim): Promise<unknown>;
  /** False: it is over some time later. */
  readonly isPrompt: boolean;
  /** Whether the daemon or the keeper ends with it, so that nothing else may run there. */
  readonly needsOwnHome?: true;
}

const WAYS: Readonly<Record<string, Way>> = {
  "stop": { isPrompt: true, end: ({ project }) => project.ok(["stop"]) },
  "kill": { isPrompt: true, end: ({ project }) => project.ok(["kill", "web"]) },
  "restart": { isPrompt: true, end: ({ project }) => project.ok(["restart"]) },
  "the task leaves the file": {
    isPrompt: false,
    end: ({ project }) =>
      project.replace(
        `name = "${nameOf(project)}"\n[tasks.other]\ncommand = "x"\n`,
      ),
  },
  "the project is unregistered": {
    isPrompt: true,
    end: ({ taskmux, project }) =>
      taskmux.ok(["daemon", "unregister", nameOf(project)]),
  },
  "taskmux.toml is deleted": {
    isPrompt: false,
    end: ({ project }) => Deno.remove(project.config),
  },
  "the folder is deleted": {
    isPrompt: false,
    end: ({ project }) => Deno.remove(project.folder, { recursive: true }),
  },
  "the folder is renamed": {
    isPrompt: false,
    end: ({ project }) => Deno.rename(project.folder, `${project.folder}.away`),
  },
  "the leader dies": {
    isPrompt: false,
    end: ({ leader }) => Promise.resolve(Deno.kill(leader, "SIGKILL")),
  },
  "daemon stop": {
    isPrompt: true,
    needsOwnHome: true,
    end: ({ taskmux }) => taskmux.ok(["daemon", "stop"]),
  },
  "SIGTERM to the daemon": {
    isPrompt: true,
    needsOwnHome: true,
    end: async ({ taskmux }) => {
      const pid = await taskmux.daemonPid();
      assert(pid !== null);
      await terminate(pid);
    },
  },
  "SIGTERM to the keeper": {
    isPrompt: true,
    needsOwnHome: true,
    end: async ({ taskmux }) => {
      const { keeper } = await taskmux.call("daemon.status", {});
      assert(keeper.pid !== null);
      await terminate(keeper.pid);
    },
  },
};

async function terminate(pid: number): Promise<void> {
  Deno.kill(pid, "SIGTERM");
  await until(() => !lives(pid), { timeoutMs: END_TIMEOUT_MS });
}

/** The name of a project is that of its folder. */
function nameOf(project: TestProject): string {
  return project.folder.slice(project.folder.lastIndexOf("/") + 1);
}

/** What became of the descendants of one task. */
interface Row {
  readonly way: string;
  readonly survivors: readonly Descendant[];
}

/** Starts a task with all its descendants, ends it in one way, and looks at what is left. */
async function measure(
  taskmux: Taskmux,
  way: string,
  stubborn: boolean,
): Promise<Row> {
  const name = way.toLowerCase().replaceAll(/[^a-z]+/g, "-");
  const project = await taskmux.project(
    `
name = "${name}"
[tasks.web]
command = '''${descendantsCommand({ stubborn })}'''
ready_log = "up"
stop_grace_period = 0.1
`,
    name,
  );
  await project.ok(["start"]);
  const descendants = await until(() => {
    const found = descendantsIn(project.folder);
    return found.length === DESCENDANT_KINDS.length ? found : null;
  }, { what: `every descendant before "${way}"` });
  const leader = await project.pid("web");
  const { end, isPrompt } = WAYS[way]!;
  try {
    await end({ taskmux, project, leader });
    const survivors = () => descendants.filter(isAlive);
    if (!isPrompt) {
      await until(() => survivors().length === 0, {
        what: `nothing is left after "${way}"`,
        timeoutMs: END_TIMEOUT_MS,
      });
    }
    return { way, survivors: survivors() };
  } finally {
    for (const one of descendants) if (isAlive(one)) killIfThere(one.pid);
  }
}

/** All ways side by side: the stubborn ones take their seconds. */
async function measureAll(stubborn: boolean): Promise<Row[]> {
  await using shared = await testTaskmux();
  return await Promise.all(
    Object.entries(WAYS).map(async ([way, { needsOwnHome = false }]) => {
      if (!needsOwnHome) return await measure(shared, way, stubborn);
      await using own = await testTaskmux();
      return await measure(own, way, stubborn);
    }),
  );
}

for (
  const [what, stubborn] of [
    ["a descendant", false],
    ["a descendant that ignores SIGINT, SIGTERM and SIGHUP", true],
  ] as const
) {
  Deno.test({
    name: `no way of ending a task leaves ${what}`,
    ignore: !HAS_PROC,
    fn: async (t) => {
      for (const { way, survivors } of await measureAll(stubborn)) {
        for (const kind of DESCENDANT_KINDS) {
          await t.step(`${way}: ${kind}`, () => {
            assert.deepEqual(survivors.filter((one) => one.kind === kind), []);
          });
        }
      }
    },
  });
}

/** Chains of processes, each of which starts the next one in a session of its own and ends. */
const CHAINS = 200;

Deno.test({
  name: "daemon stop ends a task of 200 descendants that fork all the time",
  ignore: !HAS_PROC,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const project = await taskmux.project(`
name = "storm"
[tasks.web]
command = '''
trap '' HUP INT TERM
i=0; while [ $i -lt ${CHAINS} ]; do sh chain & i=$((i+1)); done
exec sleep 1000'''
stop_grace_period = 0.1
`);
    await project.file("chain", "sleep 1; setsid sh chain &\n");
    await project.ok(["start"]);
    const first = await until(() => {
      const pids = pidsIn(project.folder);
      return pids.length > CHAINS ? pids : null;
    });
    await until(() => {
      const pids = new Set(pidsIn(project.folder));
      return first.every((pid) => !pids.has(pid) || pid === first[0]) &&
        pids.size > CHAINS;
    }, { what: "all of them have been replaced" });
    const { stopped } = await taskmux.ok<{ stopped: string[] }>(
      ["daemon", "stop"],
    );
    assert.deepEqual(stopped, ["storm/web"]);
    assert.deepEqual(pidsIn(project.folder), []);
  },
});

/** Every living process that has this working folder. */
function pidsIn(folder: string): number[] {
  const files = procFiles();
  return files.numbers("/proc").filter((pid) =>
    files.link(`/proc/${pid}/cwd`) === folder && lives(pid)
  );
}
