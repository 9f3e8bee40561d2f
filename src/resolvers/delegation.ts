/**
 * Having the machine ask our DNS server for the managed top-level domain: a file for systemd-resolved, one for macOS.
 * Other systems have no such place, or one that is the user's to change.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type {
  Effort,
  Machine,
  Resolver,
  ResolverChange,
  ResolverState,
} from "./resolver.ts";
import { changeSystemFile, readSystemFile } from "./system_file.ts";

const INSTALL_COMMAND = 'sudo env "PATH=$PATH" taskmux dns install';
const UNINSTALL_COMMAND = 'sudo env "PATH=$PATH" taskmux dns uninstall';

/** What is delegated. */
export interface DelegationOptions {
  readonly tld: string;
  readonly port: number;
}

/** A place of the system where one domain can have a server of its own. */
interface Place {
  readonly path: string;
  readonly text: string;
  /** Whether a file there was written by us, for whichever port and domain. */
  isOurs(text: string): boolean;
  /** Makes the system read it. */
  readonly reload: readonly [string, ...string[]] | null;
  readonly flush: readonly (readonly [string, ...string[]])[];
}

/** See the module. */
export class Delegation implements Resolver {
  readonly name = "dns_server";
  readonly #machine: Machine;
  readonly #options: DelegationOptions;

  constructor(machine: Machine, options: DelegationOptions) {
    this.#machine = machine;
    this.#options = options;
  }

  async status(): Promise<ResolverState> {
    const place = await placeOf(this.#machine, this.#options);
    if (place === null) {
      const { message: detail, hint = null } = await this.#impossible();
      const nowhere = { installed: false, current: false, path: null };
      return { ...nowhere, detail, instead: hint };
    }
    const { path } = place;
    const text = await readSystemFile(path);
    const installed = text !== null && place.isOurs(text);
    const current = text === place.text;
    const detail = text === null
      ? `there is no ${path}`
      : current
      ? `${path} asks port ${this.#options.port}`
      : installed
      ? `${path} asks for another domain or port than ${this.#options.port}`
      : `${path} is not of taskmux`;
    return { installed, current, path, detail, instead: null };
  }

  async install(
    _names: readonly string[],
    effort: Effort,
    signal: AbortSignal,
  ): Promise<ResolverChange> {
    const place = await placeOf(this.#machine, this.#options);
    if (place === null) throw await this.#impossible();
    const { path, text } = place;
    const before = await readSystemFile(path);
    if (before === text) return { changed: false, next: [] };
    if (before !== null && !place.isOurs(before)) throw notOurs(path);
    const what = `have .${this.#options.tld} asked for`;
    const edit = { path, text, what, command: INSTALL_COMMAND };
    await changeSystemFile(edit, this.#machine, effort, signal);
    return await this.#reload(place, effort, signal);
  }

  async uninstall(
    effort: Effort,
    signal: AbortSignal,
  ): Promise<ResolverChange> {
    const place = await placeOf(this.#machine, this.#options);
    if (place === null) return { changed: false, next: [] };
    const { path } = place;
    const before = await readSystemFile(path);
    if (before === null) return { changed: false, next: [] };
    if (!place.isOurs(before)) throw notOurs(path);
    const what = `no longer have .${this.#options.tld} asked for`;
    const edit = { path, text: null, what, command: UNINSTALL_COMMAND };
    await changeSystemFile(edit, this.#machine, effort, signal);
    return await this.#reload(place, effort, signal);
  }

  async flush(signal: AbortSignal): Promise<ResolverChange> {
    const place = await placeOf(this.#machine, this.#options);
    const left: string[] = [];
    for (const words of place?.flush ?? []) {
      if (!await this.#run(words, signal)) left.push(`sudo ${words.join(" ")}`);
    }
    return { changed: place !== null, next: left };
  }

  async #reload(
    { reload }: Place,
    { sudo }: Effort,
    signal: AbortSignal,
  ): Promise<ResolverChange> {
    const isDone = reload === null || await this.#run(reload, signal) ||
      (sudo && await this.#run(["sudo", "-n", ...reload], signal));
    const next = isDone ? [] : [`sudo ${reload.join(" ")}`];
    return { changed: true, next };
  }

  async #run(
    words: readonly [string, ...string[]],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { program } = this.#machine;
    if (program === null) return false;
    const outcome = await program(words, signal);
    return outcome.kind === "exited" && outcome.code === 0;
  }

  /** What the user can do instead. */
  async #impossible(): Promise<TaskmuxError> {
    const { os, etc } = this.#machine;
    const { tld, port } = this.#options;
    const what =
      `Cannot have .${tld} asked for: this system has no place for ` +
      "a server of one domain";
    const hasDnsmasq = os === "linux" && await isFolder(`${etc}/dnsmasq.d`);
    return new TaskmuxError("E720", what, {
      hint: hasDnsmasq
        ? `echo server=/${tld}/127.0.0.1#${port} | sudo tee ${etc}/dnsmasq.d/taskmux.conf`
        : "taskmux config set host_resolver etc_hosts",
      details: { needs_root: false, port },
    });
  }
}

function notOurs(path: string): TaskmuxError {
  return new TaskmuxError(
    "E720",
    `Cannot change "${path}": taskmux did not write it`,
    { hint: `cat ${path}`, details: { needs_root: false, path } },
  );
}

/** Null where the system knows no servers of single domains. */
async function placeOf(
  { os, etc, run }: Machine,
  { tld, port }: DelegationOptions,
): Promise<Place | null> {
  if (os === "darwin") {
    return {
      path: `${etc}/resolver/${tld}`,
      text: `nameserver 127.0.0.1\nport ${port}\n`,
      isOurs: (text) => /^nameserver 127\.0\.0\.1\nport \d+\n$/.test(text),
      // The folder is watched.
      reload: null,
      flush: [
        ["dscacheutil", "-flushcache"],
        ["killall", "-HUP", "mDNSResponder"],
      ],
    };
  }
  if (os !== "linux" || !await isFolder(`${run}/systemd/resolve`)) return null;
  return {
    path: `${etc}/systemd/resolved.conf.d/taskmux.conf`,
    text: `[Resolve]\nDNS=127.0.0.1:${port}\nDomains=~${tld}\n`,
    isOurs: (text) =>
      /^\[Resolve\]\nDNS=127\.0\.0\.1:\d+\nDomains=~[a-z0-9-]+\n$/.test(text),
    reload: ["systemctl", "reload-or-restart", "systemd-resolved"],
    flush: [["resolvectl", "flush-caches"]],
  };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    const isClosed = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied;
    if (isClosed) return false;
    throw error;
  }
}
