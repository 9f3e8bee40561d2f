/**
 * The five kinds of descendant that try to get away from their task, as a shell program and as what is found of it.
 *
 * @module
 */

import { lives, procFiles } from "./processes.ts";

/** How a descendant gets away, in the order of the programs. */
export const DESCENDANT_KINDS = [
  "same group",
  "own group",
  "own session",
  "double-forked daemon",
  "own session, wiped environment",
] as const;

/** See {@linkcode DESCENDANT_KINDS}. */
export type DescendantKind = typeof DESCENDANT_KINDS[number];

/** The seconds for which a descendant sleeps tell its kind in the process table. */
const FIRST_SLEEP_S = 100_001;

/** Starts one descendant of each kind, says `up` and becomes the leader that lives on. */
const PROGRAM = `
sleep 100001 &
sh -c 'set -m; sleep 100002 & wait' &
setsid sleep 100003 &
setsid sh -c 'sleep 100004 & exit' &
env -i PATH="$PATH" setsid sh -c 'sleep 100005 & exit' &
echo up`;

/** What an ignored signal is stays ignored in every descendant, over exec as well. */
const STUBBORN = "trap '' HUP INT TERM";

/** The command of a task with one descendant of each kind; `stubborn` = all of them, and it, only heed SIGKILL. */
export function descendantsCommand(
  options: { readonly stubborn: boolean },
): string {
  const first = options.stubborn ? `${STUBBORN}\n` : "";
  return `${first}${PROGRAM}; exec sleep 1000`;
}

/** A process that cannot be mistaken for a later one with its pid. */
export interface Descendant {
  readonly kind: DescendantKind;
  readonly pid: number;
  readonly startTime: string;
}

/** The living descendants of the task that runs in this folder. Linux only. */
export function descendantsIn(folder: string): Descendant[] {
  const files = procFiles();
  return files.numbers("/proc").flatMap((pid) => {
    const kind = kindOf(files.text(`/proc/${pid}/cmdline`) ?? "");
    // Tests run side by side; those of this one have its folder.
    if (kind === null || files.link(`/proc/${pid}/cwd`) !== folder) return [];
    const startTime = startTimeOf(pid);
    return startTime === null || !lives(pid) ? [] : [{ kind, pid, startTime }];
  });
}

/** Whether it is still the same process that lives. Linux only. */
export function isAlive({ pid, startTime }: Descendant): boolean {
  return lives(pid) && startTimeOf(pid) === startTime;
}

function kindOf(commandLine: string): DescendantKind | null {
  const seconds = /^sleep\0(\d+)\0$/.exec(commandLine)?.[1];
  return DESCENDANT_KINDS[Number(seconds) - FIRST_SLEEP_S] ?? null;
}

/** The 22nd field; the name before them may hold anything. */
function startTimeOf(pid: number): string | null {
  const stat = procFiles().text(`/proc/${pid}/stat`) ?? "";
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}
