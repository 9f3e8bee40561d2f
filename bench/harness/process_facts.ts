/**
 * What processes cost, from `ps` and `/proc`. Deno reads `/proc` only with every permission, so `cat` and `grep` read it
 * for us; that makes the benches a matter of Linux.
 *
 * @module
 */

/** A process as `ps` shows it; zombies are left out. */
export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  /** The whole command line. */
  readonly args: string;
}

/** Memory of some processes together, in millions of bytes. */
export interface Memory {
  /** Resident set, shared pages counted once for each process. */
  readonly rssMb: number;
  /** Proportional set: a page that n processes share counts as 1/n for each. */
  readonly pssMb: number;
}

/** Every process of the machine. */
export async function processTable(): Promise<ProcessRow[]> {
  const text = await output("ps", ["-e", "-o", "pid=,ppid=,stat=,args="]);
  return text.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match === null || match[3]?.startsWith("Z")) return [];
    return [{
      pid: Number(match[1]),
      ppid: Number(match[2]),
      args: match[4] ?? "",
    }];
  });
}

/** Pids whose environment holds the text. */
export async function pidsWithEnvironment(text: string): Promise<number[]> {
  const found = await output("/bin/sh", [
    "-c",
    'grep -slF -- "$1" /proc/[0-9]*/environ || true',
    "sh",
    text,
  ]);
  return [...found.matchAll(/\/proc\/(\d+)\//g)].map(([, pid]) => Number(pid));
}

/** The processes with these pids and all that descends from them. */
export function withDescendants(
  table: readonly ProcessRow[],
  roots: readonly number[],
): ProcessRow[] {
  const found = new Set(roots);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const row of table) if (found.has(row.ppid)) found.add(row.pid);
  }
  return table.filter(({ pid }) => found.has(pid));
}

/** Processor time of the processes so far, user and system, in milliseconds; of one that is gone, nothing. */
export async function cpuMs(pids: readonly number[]): Promise<number> {
  const ticksPerSecond = Number(await output("getconf", ["CLK_TCK"]));
  const stats = await catAll(pids, "stat");
  const ticks = stats.split("\n").filter(Boolean).map((line) => {
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return sum(ticks) / ticksPerSecond * 1000;
}

/** Memory of the processes together. */
export async function memory(pids: readonly number[]): Promise<Memory> {
  const text = await catAll(pids, "smaps_rollup");
  const total = (name: string): number =>
    sum(
      [...text.matchAll(new RegExp(`^${name}:\\s+(\\d+) kB`, "gm"))]
        .map(([, kib]) => Number(kib)),
    ) * 1024 / 1e6;
  return { rssMb: total("Rss"), pssMb: total("Pss") };
}

/** Bytes a process has written so far, to whatever. */
export async function writtenBytes(pid: number): Promise<number> {
  const text = await catAll([pid], "io");
  return Number(/^wchar: (\d+)$/m.exec(text)?.[1] ?? NaN);
}

/** Share of all cores that is in use or taken away by the host, 0 to 1, over the time given. */
export async function busyShare(overMs: number): Promise<number> {
  const before = await cpuTicks();
  await new Promise((resolve) => setTimeout(resolve, overMs));
  const after = await cpuTicks();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

async function cpuTicks(): Promise<{ idle: number; all: number }> {
  const [line = ""] = (await output("cat", ["/proc/stat"])).split("\n");
  const ticks = line.split(/\s+/).slice(1).map(Number);
  const [, , , idle = 0, ioWait = 0] = ticks;
  return { idle: idle + ioWait, all: sum(ticks.slice(0, 8)) };
}

/** One file of several processes; those that are gone are left out. */
async function catAll(pids: readonly number[], name: string): Promise<string> {
  if (pids.length === 0) return "";
  return await output("cat", pids.map((pid) => `/proc/${pid}/${name}`));
}

async function output(program: string, args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, {
    args,
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** From now on the largest resident set counts anew. */
export async function forgetPeak(pids: readonly number[]): Promise<void> {
  // Not by Deno, which keeps such files to those that may do everything.
  await output("/bin/sh", [
    "-c",
    'for pid; do echo 5 > "/proc/$pid/clear_refs"; done',
    "sh",
    ...pids.map(String),
  ]);
}

/** The largest resident sets of processes, in MB, added up. */
export async function peakMb(pids: readonly number[]): Promise<number> {
  const text = await catAll(pids, "status");
  const peaks = [...text.matchAll(/^VmHWM:\s+(\d+) kB$/gm)];
  return peaks.reduce((total, [, kb]) => total + Number(kb) / 1024, 0);
}
