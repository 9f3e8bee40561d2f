/**
 * Linux below the keeper: `/proc`, the run tag, the child subreaper.
 *
 * **The run tag.** Kernels since 2.4.25 ignore the resource limit RLIMIT_LOCKS, yet keep it: it is inherited by fork and
 * survives exec, `setsid`, a change of user and a wiped environment. The keeper gives itself the run's number as the
 * soft limit just before it forks, and takes it back just after, so every descendant of a run carries its number for
 * ever. A keeper that was itself started within a run, of another taskmux, goes on carrying that run's number. Where the limit cannot be set freely there are no tags, and membership is proven by descent and environment.
 *
 * @module
 */

import { cString } from "../kit/c_string.ts";
import { systemClock } from "../kit/clock.ts";
import { type LinuxLibc, openLinuxLibc } from "./libc.ts";
import { findOwners } from "./linux_connections.ts";
import { LinuxFiles } from "./linux_files.ts";
import { findListeners, portsListenedOn } from "./linux_listeners.ts";
import { ProcessLimit } from "./process_limit.ts";
import type { ConnectionEnd, ConnectionOwners } from "./protocol.ts";
import {
  type BirthMarks,
  type Listeners,
  type ProcessRow,
  runNumber,
  type System,
} from "./system.ts";

const PR_SET_CHILD_SUBREAPER = 36;
const RLIMIT_NPROC = 6;
const RLIMIT_NOFILE = 7;
const RLIMIT_LOCKS = 10;
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;
const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
const FD_CLOEXEC = 1;
const O_WRONLY_APPEND = 0x401;
const WNOHANG = 1;
const X_OK = 1;

/** Place of the exit status in `/proc/PID/stat`, counted from the state. */
const EXIT_FIELD = 49;

/** Run numbers have 48 bits. */
const RUN_LIMIT = 2 ** 48;
const NO_TAG = -1;

/** See the module. */
export class LinuxSystem implements System {
  readonly bootId: string;
  readonly hasRunTags: boolean;
  readonly adoptsOrphans: boolean;
  readonly #libc: LinuxLibc;
  readonly #files: LinuxFiles;
  readonly #processLimit: ProcessLimit;
  readonly #limit = new BigUint64Array(2);
  readonly #limitBytes = new Uint8Array(this.#limit.buffer);
  readonly #encoder = new TextEncoder();
  readonly #statPath = new Uint8Array(32);
  /** The descriptor limits that programs get; our own soft limit is raised. */
  readonly #childDescriptors: Uint8Array<ArrayBuffer>;
  /** That of the run of another taskmux from within which this keeper was started; else none. */
  readonly #inheritedTag: bigint;

  constructor(libcPath: string) {
    this.#libc = openLinuxLibc(libcPath);
    this.#files = new LinuxFiles(this.#libc);
    this.#processLimit = new ProcessLimit(this.#files, systemClock);
    this.bootId = this.#files.text("/proc/sys/kernel/random/boot_id")?.trim() ??
      "unknown";
    this.adoptsOrphans =
      this.#libc.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) === 0;
    this.#sealInherited();
    this.#childDescriptors = this.#raiseDescriptorLimit();
    this.#libc.prlimit(0, RLIMIT_LOCKS, null, this.#limitBytes);
    this.#inheritedTag = this.#limit[0] ?? RLIM_INFINITY;
    this.hasRunTags = this.#canTag();
  }

  processes(): ProcessRow[] {
    const rows: ProcessRow[] = [];
    for (const pid of this.#files.numbers("/proc")) {
      const row = this.#row(pid);
      if (row !== null) rows.push(row);
    }
    return rows;
  }

  startTimeOf(pid: number): number | null {
    return this.#row(pid)?.startTime ?? null;
  }

  statusOf(
    pid: number,
  ): { readonly code: number | null; readonly signal: number | null } | null {
    // Of another user's process the status reads as 0, whatever it was.
    const isOwn =
      this.#libc.prlimit(pid, RLIMIT_NOFILE, null, this.#limitBytes) === 0;
    if (!isOwn) return null;
    const text = this.#files.text(`/proc/${pid}/stat`) ?? "";
    const fields = text.slice(text.lastIndexOf(")") + 2).trim().split(" ");
    const status = Number(fields[EXIT_FIELD]);
    if (fields[0] !== "Z" || !Number.isInteger(status)) return null;
    const signal = status & 0x7f;
    return signal === 0
      ? { code: status >> 8 & 0xff, signal: null }
      : { code: null, signal };
  }

  commandOf(pid: number): string {
    const line = this.#files.text(`/proc/${pid}/cmdline`) ?? "";
    const command = line.replaceAll("\0", " ").trim();
    if (command !== "") return command;
    const name = this.#files.text(`/proc/${pid}/comm`)?.trim();
    return name === undefined ? "" : `[${name}]`;
  }

  variableOf(pid: number, name: string): string | null {
    const text = this.#files.text(`/proc/${pid}/environ`);
    const entry = text?.split("\0").find((pair) => pair.startsWith(`${name}=`));
    return entry?.slice(name.length + 1) ?? null;
  }

  listenersOn(
    port: number,
    first: readonly number[] = [],
  ): Promise<Listeners> {
    return findListeners(port, this.#files, first);
  }

  connectionOwners(
    client: ConnectionEnd,
    server: ConnectionEnd,
  ): ConnectionOwners | null {
    return findOwners(
      { client, server },
      { libc: this.#libc, files: this.#files },
    );
  }

  portsOf(pids: readonly number[]): number[] {
    return portsListenedOn(pids, this.#files);
  }

  kill(pid: number, signal: number): boolean {
    return this.#libc.kill(pid, signal) === 0;
  }

  reap(pid: number): boolean {
    return this.#libc.waitpid(pid, null, WNOHANG) === pid;
  }

  canExecute(path: string): boolean {
    return this.#libc.access(cString(path), X_OK) === 0;
  }

  forkAs<T>({ runId, pidsLimit }: BirthMarks, fork: () => T): T {
    const [soft, hard] = this.#ownLimit(RLIMIT_NPROC);
    const processes = this.#processLimit.of(pidsLimit, soft);
    if (processes !== null) this.#setOwnLimit(RLIMIT_NPROC, processes, hard);
    if (this.hasRunTags) this.#setOwnTag(BigInt(runNumber(runId)));
    try {
      return fork();
    } finally {
      if (this.hasRunTags) this.#setOwnTag(this.#inheritedTag);
      if (processes !== null) this.#setOwnLimit(RLIMIT_NPROC, soft, hard);
    }
  }

  settleChild(pid: number): void {
    this.#libc.prlimit(pid, RLIMIT_NOFILE, this.#childDescriptors, null);
  }

  duplicate(fd: number): number {
    return this.#libc.fcntl(fd, F_DUPFD_CLOEXEC, 0);
  }

  seal(fd: number): void {
    this.#libc.fcntl(fd, F_SETFD, FD_CLOEXEC);
  }

  closeDescriptor(fd: number): void {
    this.#libc.close(fd);
  }

  read(fd: number, buffer: Uint8Array<ArrayBuffer>): number {
    return Number(this.#libc.read(fd, buffer, BigInt(buffer.length)));
  }

  redirectOutput(path: string): void {
    const fd = this.#libc.open(cString(path), O_WRONLY_APPEND, 0);
    if (fd < 0) return;
    this.#libc.dup2(fd, 1);
    this.#libc.dup2(fd, 2);
    this.#libc.close(fd);
  }

  #row(pid: number): ProcessRow | null {
    // The tag first: to read it may need the buffer that holds what is read here.
    const tag = this.#tagOf(pid);
    const stat = this.#files.bytes(this.#pathOfStat(pid));
    return stat === null ? null : parseStat(pid, stat, tag);
  }

  /** `/proc/PID/stat` in a reused buffer: a scan asks for hundreds. */
  #pathOfStat(pid: number): Uint8Array<ArrayBuffer> {
    this.#encoder.encodeInto(`/proc/${pid}/stat\0`, this.#statPath);
    return this.#statPath;
  }

  #tagOf(pid: number): number {
    if (this.#libc.prlimit(pid, RLIMIT_LOCKS, null, this.#limitBytes) === 0) {
      return asTag(Number(this.#limit[0]));
    }
    // Another user's process, such as one behind sudo. Its limits are readable all the same.
    const limits = this.#files.text(`/proc/${pid}/limits`);
    const soft = limits?.match(/^Max file locks\s+(\d+)/m)?.[1];
    return soft === undefined ? NO_TAG : asTag(Number(soft));
  }

  #setOwnTag(soft: bigint): void {
    this.#setOwnLimit(RLIMIT_LOCKS, soft, RLIM_INFINITY);
  }

  #setOwnLimit(resource: number, soft: bigint, hard: bigint): void {
    this.#libc.prlimit(0, resource, limitPair(soft, hard), null);
  }

  #ownLimit(resource: number): readonly [soft: bigint, hard: bigint] {
    this.#libc.prlimit(0, resource, null, this.#limitBytes);
    const [soft = 0n, hard = 0n] = this.#limit;
    return [soft, hard];
  }

  #canTag(): boolean {
    this.#setOwnTag(1n);
    const isKept = this.#tagOf(Deno.pid) === 1;
    this.#setOwnTag(this.#inheritedTag);
    return isKept;
  }

  #raiseDescriptorLimit(): Uint8Array<ArrayBuffer> {
    const [soft, hard] = this.#ownLimit(RLIMIT_NOFILE);
    this.#setOwnLimit(RLIMIT_NOFILE, hard, hard);
    return limitPair(soft, hard);
  }

  /** What the starter of the keeper left open is nothing for the tasks. */
  #sealInherited(): void {
    for (const fd of this.#files.numbers("/proc/self/fd")) {
      if (fd > 2) this.seal(fd);
    }
  }
}

/** Parses `/proc/PID/stat`. The name in parentheses may hold anything, so fields are counted from its end. */
function parseStat(
  pid: number,
  stat: Uint8Array,
  tag: number,
): ProcessRow | null {
  const close = stat.lastIndexOf(41);
  if (close < 0) return null;
  const state = stat[close + 2];
  let at = close + 4;
  let field = 4;
  let ppid = 0;
  let group = 0;
  let session = 0;
  while (at < stat.length) {
    let value = 0;
    for (; at < stat.length && stat[at] !== 32; at++) {
      value = value * 10 + (stat[at]! - 48);
    }
    at++;
    if (field === 4) ppid = value;
    else if (field === 5) group = value;
    else if (field === 6) session = value;
    else if (field === 22) {
      return {
        pid,
        ppid,
        group,
        session,
        state: stateOf(state),
        startTime: value,
        tag,
      };
    }
    field++;
  }
  return null;
}

function stateOf(letter: number | undefined): ProcessRow["state"] {
  switch (String.fromCharCode(letter ?? 0)) {
    case "Z":
    case "X":
    case "x":
      return "zombie";
    case "T":
      return "stopped";
    default:
      return "alive";
  }
}

function asTag(soft: number): number {
  return soft < RUN_LIMIT ? soft : NO_TAG;
}

function limitPair(soft: bigint, hard: bigint): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.of(soft, hard).buffer);
}
