/**
 * Names in the hosts file of the machine: the one way that every program follows.
 *
 * Both addresses of loopback, because a program that asks for IPv6 only would find nothing, and macOS waits five
 * seconds for the one that is missing.
 *
 * @module
 */

import { namesInHosts, ownersInHosts, withHosts } from "./hosts_block.ts";
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

/** See the module. */
export class EtcHosts implements Resolver {
  readonly name = "etc_hosts";
  readonly #machine: Machine;
  readonly #path: string;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#path = `${machine.etc}/hosts`;
  }

  async status(names: readonly string[]): Promise<ResolverState> {
    const path = this.#path;
    const text = await readSystemFile(path) ?? "";
    const present = namesInHosts(text, this.#machine.home);
    const current = withHosts(text, this.#block(names)) === text;
    const count = present?.length ?? 0;
    const detail = present === null
      ? `${path} has none of the names`
      : `${path} has ${count} name${count === 1 ? "" : "s"}${
        current ? "" : ", and they are not those of now"
      }`;
    const installed = present !== null;
    return { installed, current, path, detail, instead: null };
  }

  async install(
    names: readonly string[],
    effort: Effort,
    signal: AbortSignal,
  ): Promise<ResolverChange> {
    return await this.#edit(names, INSTALL_COMMAND, effort, signal);
  }

  async uninstall(
    effort: Effort,
    signal: AbortSignal,
  ): Promise<ResolverChange> {
    return await this.#edit([], UNINSTALL_COMMAND, effort, signal);
  }

  /** The file is read anew by every program. */
  flush(): Promise<ResolverChange> {
    return Promise.resolve({ changed: false, next: [] });
  }

  async #edit(
    names: readonly string[],
    command: string,
    effort: Effort,
    signal: AbortSignal,
  ): Promise<ResolverChange> {
    const path = this.#path;
    const before = await readSystemFile(path) ?? "";
    let text = withHosts(before, this.#block(names));
    if (text === before) return { changed: false, next: [] };
    for (const owner of await lostOwners(before)) {
      text = withHosts(text, { owner, names: [], addresses: [] });
    }
    const what = "change the names of this machine";
    const edit = { path, text, what, command };
    await changeSystemFile(edit, this.#machine, effort, signal);
    return { changed: true, next: [] };
  }

  #block(names: readonly string[]) {
    const { home, addresses } = this.#machine;
    return { owner: home, names, addresses };
  }
}

/** State folders that are gone have nobody else to clean up behind them. */
async function lostOwners(text: string): Promise<string[]> {
  const lost: string[] = [];
  for (const owner of ownersInHosts(text)) {
    if (owner === null || !owner.startsWith("/")) continue;
    try {
      await Deno.lstat(owner);
    } catch (error) {
      // Anything else leaves open whether it is there.
      if (error instanceof Deno.errors.NotFound) lost.push(owner);
    }
  }
  return lost;
}
