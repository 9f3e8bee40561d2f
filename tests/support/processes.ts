/**
 * Facts about processes for tests. `/proc` is closed to Deno under explicit permissions, so it is read through libc.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { libcPath } from "../../src/config/libc_path.ts";
import { openLinuxLibc } from "../../src/pty/libc.ts";
import { LinuxFiles } from "../../src/pty/linux_files.ts";

/** Whether tests that look into `/proc` can run. */
export const HAS_PROC = Deno.build.os === "linux";

/** The C library of this machine. */
export function testLibc(): string {
  const libc = libcPath(Deno.build.os, Deno.build.arch, existsSync);
  if (libc === null) throw new Error("Cannot find the C library");
  return libc;
}

/** Opened once, outside of any test: a library that a test opens counts as its leak. */
const FILES = HAS_PROC ? new LinuxFiles(openLinuxLibc(testLibc())) : null;

/** A reader of `/proc`. Linux only. */
export function procFiles(): LinuxFiles {
  if (FILES === null) throw new Error("Cannot read /proc: there is none");
  return FILES;
}

/** Whether a process lives; a zombie does not. */
export function lives(pid: number): boolean {
  const state = HAS_PROC ? stateOf(pid) : stateByPs(pid);
  return state !== null && state !== "Z" && state !== "X";
}

/** Descriptors that a process has open: where each leads. Linux only. */
export function descriptorsOf(pid: number): string[] {
  const files = procFiles();
  return files.numbers(`/proc/${pid}/fd`).map((fd) =>
    files.link(`/proc/${pid}/fd/${fd}`) ?? ""
  );
}

/** Children of a process by state letter, such as `Z` for zombies. Linux only. */
export function childrenOf(pid: number): { pid: number; state: string }[] {
  const files = procFiles();
  return files.numbers("/proc").flatMap((child) => {
    const stat = files.text(`/proc/${child}/stat`) ?? "";
    const match = /\) (\w) (\d+) /.exec(stat.slice(stat.lastIndexOf(")")));
    return match !== null && Number(match[2]) === pid
      ? [{ pid: child, state: match[1] ?? "" }]
      : [];
  });
}

/** Resident memory of a process in bytes. Linux only. */
export function memoryOf(pid: number): number {
  const status = procFiles().text(`/proc/${pid}/status`) ?? "";
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) * 1024;
}

function stateOf(pid: number): string | null {
  const stat = procFiles().text(`/proc/${pid}/stat`);
  if (stat === null || stat === "") return null;
  return stat.slice(stat.lastIndexOf(")") + 2)[0] ?? null;
}

function stateByPs(pid: number): string | null {
  const { stdout } = new Deno.Command("ps", {
    args: ["-o", "stat=", "-p", String(pid)],
    stderr: "null",
  }).outputSync();
  return new TextDecoder().decode(stdout).trim()[0] ?? null;
}

/** Living processes that have this run id in their environment. Linux only. */
export function pidsWithRunId(runId: string): number[] {
  const files = procFiles();
  return files.numbers("/proc").filter((pid) =>
    files.text(`/proc/${pid}/environ`)?.split("\0").includes(
      `TASKMUX_RUN_ID=${runId}`,
    ) && lives(pid)
  );
}
