/**
 * F5: no room where the manager keeps its files.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { memory } from "../../harness/process_facts.ts";
import { SANDBOX_FOLDER } from "../../harness/sandbox.ts";
import {
  type FaultScenario,
  FaultSession,
  isAlive,
  pause,
  readIfThere,
  scratchFolder,
  see,
} from "../fault_scenario.ts";
import { IS_PRIVATE } from "../namespace.ts";

const COUNT = fileURLToPath(
  new URL("../../programs/count.py", import.meta.url),
);

/** How long the disk is full, and how long a manager may take to recover. */
const FULL_MS = 5_000;
const RECOVERY_MS = 10_000;

/** The scenario. */
export const diskFull: FaultScenario = {
  name: "F5",
  title: "disk full for 5 s",
  how: "All files of the manager lie on a tmpfs of 16 MB that is filled to " +
    "the last byte while a task prints 1,000 lines a second, and then emptied.",
  async run(subject, signal) {
    if (!IS_PRIVATE) return "needs root";
    const scratch = await scratchFolder();
    const disk = `${scratch}/d`;
    await Deno.mkdir(disk);
    await mount(disk);
    Deno.env.set(SANDBOX_FOLDER, disk);
    await using session = await FaultSession.open(subject, [{
      name: "flood",
      command: `exec python3 ${COUNT} ${scratch}/count`,
      isOnce: true,
    }], signal);
    await session.session.start();
    await see(
      "lines in the log",
      async () => (await session.log("flood")).length > 1_000,
    );
    const [pid] = await said(scratch);
    const manager = await see("manager", () => session.manager());
    const rssMb = async (): Promise<number> => {
      const rows = await session.session.sandbox.processes();
      const own = rows.filter((row) => row.pid !== pid).map((row) => row.pid);
      return (await memory(own)).rssMb;
    };
    const before = await rssMb();
    await fill(`${disk}/fill`);
    await pause(FULL_MS);
    const after = await rssMb();
    const answers = await session.status() !== "";
    await Deno.remove(`${disk}/fill`);
    const [, number] = await said(scratch);
    const goesOn = await hasLine(session, pid, number);
    const grown = Math.round(after - before);
    return [
      await isAlive(pid) ? "task runs on" : "task dies",
      await isAlive(manager.pid)
        ? `manager lives (${grown < 0 ? "" : "+"}${grown} MB), ` +
          (answers ? "answers" : "does not answer")
        : "manager dies",
      goesOn ? "log goes on after" : "log stays silent after",
    ].join("; ");
  },
};

async function said(scratch: string): Promise<[number, number]> {
  const text = await readIfThere(`${scratch}/count`);
  const [pid = 0, number = 0] = text.trim().split(" ").map(Number);
  return [pid, number];
}

/** Whether a line beyond that number arrives. */
async function hasLine(
  session: FaultSession,
  pid: number,
  number: number,
): Promise<boolean> {
  const deadline = performance.now() + RECOVERY_MS;
  while (performance.now() < deadline) {
    const log = await session.log("flood");
    const line = new RegExp(`(?<!\\d)${pid} (\\d+)(?!\\d)`, "g");
    const numbers = [...log.matchAll(line)];
    if (numbers.some(([, each]) => Number(each) > number)) return true;
    await pause(200);
  }
  return false;
}

async function mount(folder: string): Promise<void> {
  const { success } = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", folder],
  }).output();
  if (!success) throw new Error("Cannot mount a small disk");
}

async function fill(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, append: true });
  for (let size = 1 << 20; size > 0;) {
    try {
      await file.write(new Uint8Array(size));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      size >>= 1;
    }
  }
}
