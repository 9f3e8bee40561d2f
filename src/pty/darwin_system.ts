/**
 * macOS below the keeper: libproc and sysctl.
 *
 * What macOS does not have: there is no run tag and no child subreaper, so a descendant that both left its session and
 * wiped its environment cannot be found once its parent is gone. Holders of ports are not looked up.
 *
 * @module
 */

import { cString } from "../kit/c_string.ts";
import { type DarwinLibc, openDarwinLibc } from "./libc.ts";
import type { BirthMarks, ProcessRow, System } from "./system.ts";

const PROC_PIDTBSDINFO = 3;
const CTL_KERN = 1;
const KERN_PROCARGS2 = 49;
const O_WRONLY_APPEND = 0x9;
const WNOHANG = 1;
const X_OK = 1;

/** Offsets in `struct proc_bsdinfo`. */
const BSD_INFO = {
  bytes: 136,
  status: 4,
  ppid: 16,
  group: 100,
  startSeconds: 120,
  startMicroseconds: 128,
} as const;

const STATUS_STOPPED = 4;
const STATUS_ZOMBIE = 5;

/** The kernel's limit for arguments and environment together. */
const MAX_ARGUMENTS_BYTES = 1024 * 1024;
const MAX_PIDS = 65_536;

/** See the module. */
export class DarwinSystem implements System {
  readonly bootId: string;
  readonly hasRunTags = false;
  readonly adoptsOrphans = false;
  readonly #libc: DarwinLibc;
  readonly #info = new Uint8Array(BSD_INFO.bytes);
  readonly #decoder = new TextDecoder();

  constructor(libcPath: string) {
    this.#libc = openDarwinLibc(libcPath);
    this.bootId = this.#bootSession();
  }

  processes(): ProcessRow[] {
    const pids = new Int32Array(MAX_PIDS);
    const bytes = new Uint8Array(pids.buffer);
    const count = this.#libc.proc_listallpids(bytes, bytes.length);
    return [...pids.subarray(0, Math.max(count, 0))].flatMap((pid) => {
      const row = this.#row(pid);
      return row === null ? [] : [row];
    });
  }

  startTimeOf(pid: number): number | null {
    return this.#row(pid)?.startTime ?? null;
  }

  statusOf(): null {
    return null;
  }

  commandOf(pid: number): string {
    return this.#argumentsOf(pid).command;
  }

  variableOf(pid: number, name: string): string | null {
    const entry = this.#argumentsOf(pid).environment.find((pair) =>
      pair.startsWith(`${name}=`)
    );
    return entry?.slice(name.length + 1) ?? null;
  }

  listenersOn(): Promise<null> {
    return Promise.resolve(null);
  }

  connectionOwners(): null {
    return null;
  }

  portsOf(): number[] {
    return [];
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

  forkAs<T>(_marks: BirthMarks, fork: () => T): T {
    return fork();
  }

  settleChild(): void {
    // The keeper keeps its own limits here, so a child inherits nothing odd.
  }

  duplicate(fd: number): number {
    return this.#libc.dup(fd);
  }

  seal(): void {
    // The spawn helper of the native module closes all descriptors but the terminal.
  }

  closeDescriptor(fd: number): void {
    this.#libc.close(fd);
  }

  read(fd: number, buffer: Uint8Array<ArrayBuffer>): number {
    return Number(this.#libc.read(fd, buffer, BigInt(buffer.length)));
  }

  redirectOutput(path: string): void {
    const fd = this.#libc.open(cString(path), O_WRONLY_APPEND);
    if (fd < 0) return;
    this.#libc.dup2(fd, 1);
    this.#libc.dup2(fd, 2);
    this.#libc.close(fd);
  }

  #row(pid: number): ProcessRow | null {
    const count = this.#libc.proc_pidinfo(
      pid,
      PROC_PIDTBSDINFO,
      0n,
      this.#info,
      BSD_INFO.bytes,
    );
    if (count !== BSD_INFO.bytes) return null;
    const view = new DataView(this.#info.buffer);
    const status = view.getUint32(BSD_INFO.status, true);
    return {
      pid,
      ppid: view.getUint32(BSD_INFO.ppid, true),
      group: view.getUint32(BSD_INFO.group, true),
      session: this.#libc.getsid(pid),
      state: status === STATUS_ZOMBIE
        ? "zombie"
        : status === STATUS_STOPPED
        ? "stopped"
        : "alive",
      startTime: Number(view.getBigUint64(BSD_INFO.startSeconds, true)) * 1e6 +
        Number(view.getBigUint64(BSD_INFO.startMicroseconds, true)),
      tag: -1,
    };
  }

  /** The layout of KERN_PROCARGS2: count, path of the program, padding, arguments, environment, each ended by NUL. */
  #argumentsOf(pid: number): { command: string; environment: string[] } {
    const data = new Uint8Array(MAX_ARGUMENTS_BYTES);
    const name = new Uint8Array(
      Int32Array.of(CTL_KERN, KERN_PROCARGS2, pid).buffer,
    );
    const length = BigUint64Array.of(BigInt(data.length));
    const status = this.#libc.sysctl(
      name,
      3,
      data,
      new Uint8Array(length.buffer),
      null,
      0n,
    );
    if (status !== 0) return { command: "", environment: [] };
    const count = new DataView(data.buffer).getInt32(0, true);
    const text = this.#decoder.decode(data.subarray(4, Number(length[0])));
    const afterPath = text.replace(/^[^\0]*\0+/, "");
    const strings = afterPath.split("\0");
    return {
      command: strings.slice(0, count).join(" "),
      environment: strings.slice(count),
    };
  }

  #bootSession(): string {
    const data = new Uint8Array(64);
    const length = BigUint64Array.of(BigInt(data.length));
    const status = this.#libc.sysctlbyname(
      cString("kern.bootsessionuuid"),
      data,
      new Uint8Array(length.buffer),
      null,
      0n,
    );
    if (status !== 0) return "unknown";
    return this.#decoder.decode(data).replace(/\0.*$/s, "");
  }
}
