/**
 * F1.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { processTable } from "../../harness/process_facts.ts";
import {
  type FaultScenario,
  FaultSession,
  isAlive,
  killNow,
  pause,
  readIfThere,
  scratchFolder,
  see,
} from "../fault_scenario.ts";

const COUNT = fileURLToPath(
  new URL("../../programs/count.py", import.meta.url),
);

/** Lines in the log before anything happens. */
const LINES_BEFORE = 500;

/** How long the manager is dead, and how long its successor has. */
const DEAD_MS = 1_500;
const SETTLE_MS = 3_000;

/** The scenario. */
export const managerKilled: FaultScenario = {
  name: "F1",
  title: "`kill -9` of the manager during a flood",
  how: "A task prints numbered lines, 1,000 a second; the manager is killed, " +
    "another task exits with 7 while it is away, and 1.5 s later the manager " +
    "is brought back as its documentation says. Lines are those of the first process, up to its " +
    "end or 3 s later; those of a log that is emptied when a task starts " +
    "again are missing.",
  async run(subject, signal) {
    const scratch = await scratchFolder();
    const command = `python3 ${COUNT} ${scratch}/count`;
    await using session = await FaultSession.open(subject, [
      { name: "flood", command: `exec ${command}`, isOnce: true },
      {
        name: "brief",
        command: `echo begun >> ${scratch}/begun; ` +
          `while [ ! -e ${scratch}/go ]; do sleep 0.1; done; exit 7`,
        isOnce: true,
      },
    ], signal);
    await session.session.start();
    const [pid] = await see("lines", async () => {
      const [pid] = await said(scratch);
      const lines = numbersOf(await session.log("flood"), pid);
      return lines.length >= LINES_BEFORE ? [pid] : null;
    });
    const { save } = session.controls;
    if (save !== undefined) await session.try(save(session.session));
    const manager = await see("manager", () => session.manager());
    killNow(manager.pid);
    await pause(DEAD_MS / 2);
    await Deno.writeTextFile(`${scratch}/go`, "");
    await pause(DEAD_MS / 2);
    const before = await said(scratch);
    const complaint = await session.revive();
    await pause(SETTLE_MS);
    const isAdopted = await isAlive(pid);
    const last = isAdopted ? await said(scratch) : before;
    await pause(SETTLE_MS / 3);
    const logged = numbersOf(await session.log("flood"), pid);
    const code = await session.exitCode("brief");
    const begun = await readIfThere(`${scratch}/begun`);
    const runs = begun.trim().split("\n").length;
    return [
      fate(isAdopted, await counters(scratch), complaint),
      completeness(logged, last[1]),
      // One that ran again tells about that.
      runs > 1
        ? "exit code lost, as the task ran again"
        : code === 7
        ? "exit code 7 known"
        : "exit code not known",
    ].join("; ");
  },
};

/** Those that count into the folder; a shell around one does not count. */
async function counters(scratch: string): Promise<number[]> {
  return (await processTable())
    .filter(({ args }) =>
      /^\S*python[\d.]* /.test(args) && args.endsWith(`${scratch}/count`)
    ).map(({ pid }) => pid);
}

/** Pid and number that were said last. */
async function said(scratch: string): Promise<[number, number]> {
  const text = await readIfThere(`${scratch}/count`);
  const [pid = 0, number = 0] = text.trim().split(" ").map(Number);
  return [pid, number];
}

/** What a process has said, whatever the manager writes around it. */
function numbersOf(log: string, pid: number): number[] {
  const line = new RegExp(`(?<!\\d)${pid} (\\d+)(?!\\d)`, "g");
  return [...log.matchAll(line)].map(([, number]) => Number(number));
}

function fate(
  isAdopted: boolean,
  copies: readonly number[],
  complaint: string | null,
): string {
  const many = copies.length > 1 ? `, ${copies.length} copies of it run` : "";
  if (isAdopted) return `task runs on${many}`;
  if (copies.length > 0) return `task dies, is started again${many}`;
  return complaint === null
    ? "task dies, is not started again"
    : "task dies, the manager does not start again";
}

function completeness(logged: readonly number[], last: number): string {
  const distinct = new Set(logged.filter((number) => number <= last));
  const missing = last - distinct.size;
  const doubled = logged.filter((number) => number <= last).length -
    distinct.size;
  return `${missing} of ${last} lines missing` +
    (doubled > 0 ? `, ${doubled} doubled` : "");
}
