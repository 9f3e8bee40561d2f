/**
 * F8 and F9: another manager takes over, with and without what the last one wrote down.
 *
 * @module
 */

import {
  type FaultScenario,
  FaultSession,
  isAlive,
  pause,
  running,
  see,
} from "../fault_scenario.ts";

const TASKS = 3;
const SETTLE_MS = 5_000;

const GARBAGE = "\x00\x01{{{ no state at all ]]]";

/** F8. */
export const managerUpgraded: FaultScenario = {
  name: "F8",
  title: "restart or upgrade of the manager",
  how: "By the command that its documentation names for it, with three tasks.",
  async run(subject, signal) {
    const base = 1e6 + crypto.getRandomValues(new Uint16Array(1))[0]! * 10;
    const sleeps = Array.from(
      { length: TASKS },
      (_, index) => `sleep ${base + index}`,
    );
    await using session = await FaultSession.open(
      subject,
      sleeps.map((sleep, index) => ({
        name: `t${index}`,
        command: `exec ${sleep}`,
      })),
      signal,
    );
    const upgrade = session.controls.upgrade(session.session);
    if (upgrade === null) return "no command for it";
    await session.session.start();
    const pids = async (): Promise<number[]> =>
      (await Promise.all(sleeps.map(running))).flat();
    const before = await see("tasks", async () => {
      const all = await pids();
      return all.length === TASKS ? all : null;
    });
    await session.try(upgrade);
    await pause(SETTLE_MS);
    const after = await pids();
    const kept = before.filter((pid) => after.includes(pid)).length;
    return `${kept} of ${TASKS} processes kept` +
      (kept === TASKS ? "" : `, ${after.length - kept} started anew`);
  },
};

/** F9. */
export const stateCorrupted: FaultScenario = {
  name: "F9",
  title: "state file overwritten with garbage",
  how: "While the manager is down. Then the command that reads the state is " +
    "given: whether the task comes up, somebody is told by it or by the " +
    "status, and the damaged file is kept.",
  async run(subject, signal) {
    const probe = await FaultSession.open(subject, [], signal);
    const { stateFiles } = probe.controls;
    await probe[Symbol.asyncDispose]();
    if (stateFiles.length === 0) return "keeps no state";
    const cells: string[] = [];
    for (const file of stateFiles) {
      cells.push(`${file.split("/").at(-1)}: ${await corrupt(file)}`);
    }
    return cells.join("; ");

    async function corrupt(file: string): Promise<string> {
      const number = 1e6 + crypto.getRandomValues(new Uint16Array(1))[0]!;
      const sleep = `sleep ${number}`;
      await using session = await FaultSession.open(subject, [
        { name: "web", command: `exec ${sleep}` },
      ], signal);
      const { controls, root } = session;
      await session.session.start();
      await see("task", async () => (await running(sleep)).length === 1);
      if (controls.save !== undefined) {
        await session.try(controls.save(session.session));
      }
      await session.try(controls.down(session.session));
      await see("end", async () => await session.manager() === null);
      for (const pid of await running(sleep)) {
        if (await isAlive(pid)) Deno.kill(pid, "SIGKILL");
      }
      const path = `${root}/${file}`;
      await Deno.stat(path);
      await Deno.writeTextFile(path, GARBAGE);
      const told = await resume(session);
      await pause(SETTLE_MS);
      const isUp = (await running(sleep)).length === 1;
      const text = told + await session.status();
      // Nothing else has a reason to name it.
      const isTold = text.includes(file.slice(file.lastIndexOf("/") + 1)) ||
        /corrupt|malformed|damaged|not a database/i.test(text);
      const isKept = await holdsGarbage(root);
      return [
        isUp ? "task comes up" : "task does not come up",
        isTold ? "told" : "not told",
        isKept ? "file kept" : "file lost",
      ].join(", ");
    }
  },
};

/** What the command that reads the state prints. */
async function resume(session: FaultSession): Promise<string> {
  const { sandbox } = session.session;
  const program = session.controls.resume?.(session.session);
  try {
    const { text } = program === undefined
      ? await session.session.start()
      : await sandbox.act(program);
    return text;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return error.message;
  }
}

async function holdsGarbage(root: string): Promise<boolean> {
  const { success } = await new Deno.Command("grep", {
    args: ["-rqaF", "{{{ no state at all ]]]", root],
    stderr: "null",
  }).output();
  return success;
}
