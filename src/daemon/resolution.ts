/**
 * How this machine resolves the names of tasks, as a part of the daemon: chooses the way, follows the names as they
 * change, runs the DNS server where one is wanted.
 *
 * What belongs to the machine is changed only if its user can expect it: by the daemon of the default state folder, by a
 * setting that names the way, or after `dns install`. `dns uninstall` holds until then.
 *
 * @module
 */

import type { HostConfig } from "../config/host_config.ts";
import { type Paths, resolvePaths } from "../config/paths.ts";
import type { Result } from "../contract/mod.ts";
import type { DnsServer } from "../dns/dns_server.ts";
import { Zone } from "../dns/zone.ts";
import { TaskmuxError } from "../domain/error.ts";
import { type Clock, systemClock } from "../kit/clock.ts";
import { TaskScope } from "../kit/task_scope.ts";
import { EtcHosts } from "../resolvers/etc_hosts.ts";
import { leadHere, unusedName } from "../resolvers/look_up.ts";
import { openResolver } from "../resolvers/open_resolver.ts";
import type {
  Effort,
  Machine,
  Resolver,
  ResolverChange,
  ResolverState,
} from "../resolvers/resolver.ts";
import { loopbackAddresses, thisMachine } from "../resolvers/this_machine.ts";
import type { MetaTable } from "../store/meta_table.ts";
import type { EventBus } from "./event_bus.ts";
import type { Front } from "./front.ts";
import {
  type AliasNames,
  isCatchAllName,
  namesToResolve,
} from "./names_to_resolve.ts";
import type { Project } from "./project.ts";

/** After these there may be other names. */
const NAMING_EVENTS: readonly string[] = [
  "alias_added",
  "alias_removed",
  "config_reloaded",
  "project_registered",
  "project_unregistered",
  // A file that could not be read at first says nothing when it can.
  "task_started",
];

/** Names that a status looks up. More would take long where a server of the machine is away. */
const LOOKUPS_MAX = 8;

/** Where the user's wish is kept: `installed`, `uninstalled`, or nothing. */
const WISH_KEY = "resolver_wish";

const QUIETLY: Effort = { sudo: false };
const BY_SUDO: Effort = { sudo: true };

/** What it needs. */
export interface ResolutionOptions {
  readonly config: HostConfig;
  readonly machine: Machine;
  /** Whether this is the state folder that a user has by default. */
  readonly isDefaultHome: boolean;
  readonly meta: Pick<MetaTable, "get" | "set">;
  readonly bus: Pick<EventBus, "subscribe">;
  readonly clock: Clock;
  /** The proxy: names that nobody serves need not resolve. */
  readonly front: Pick<Front, "isEnabled" | "reason">;
  /** Full names that are to be resolved now, catch-alls too. */
  names(): readonly string[];
  onError(error: unknown): void;
}

/** See the module. */
export class Resolution implements AsyncDisposable {
  readonly #options: ResolutionOptions;
  readonly #scope: TaskScope;
  #zone: Zone;
  #resolver: Resolver | null = null;
  #server: DnsServer | null = null;
  /** Why the last change of the machine failed. */
  #failure: Error | null = null;
  /** The one that has not begun yet. */
  #syncing: Promise<void> | null = null;
  /** Changes happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ResolutionOptions) {
    this.#options = options;
    this.#zone = new Zone(options.config.dns.managedTld, []);
    this.#scope = new TaskScope((error) => options.onError(error));
  }

  /** Follows the names from now on. */
  follow(): void {
    this.#scope.run(async (signal) => {
      const selection = { types: NAMING_EVENTS };
      const events = this.#options.bus.subscribe(selection, signal);
      await this.#syncSafely(signal);
      for await (const _ of events) await this.#syncSafely(signal);
    });
  }

  /** What is wrong with the DNS server, as sentences. */
  get problems(): readonly string[] {
    const server = this.#server;
    if (server === null || server.isListening) return [];
    const [first = "it cannot be bound"] = server.problems;
    return [`DNS server: ${first}; taskmux config set dns_server_port 0`];
  }

  /** The port of the DNS server, and whether it was wanted and could not be had. */
  get wantedPort(): { readonly port: number; readonly isTaken: boolean } {
    const { config: { dns } } = this.#options;
    return { port: dns.serverPort, isTaken: this.problems.length > 0 };
  }

  /** In short, for `daemon status`. */
  get summary(): Result<"daemon.status">["dns"] {
    const { config: { hostResolver } } = this.#options;
    const server = this.#server;
    const resolver = this.#resolver?.name ?? hostResolver;
    return {
      resolver,
      configured: hostResolver,
      bind: "127.0.0.1",
      port: server?.isListening === true ? server.port : null,
      active: resolver === "dns_server"
        ? server?.isListening === true
        : resolver === "etc_hosts" && this.#isMine && this.#failure === null,
    };
  }

  /**
   * What our own server answers, by the network.
   *
   * @param type Name of a type, or `TYPE` and its number.
   * @throws {TaskmuxError} E500 for a type that is none, E721 if no server runs, or it does not answer.
   */
  async query(
    name: string,
    type: string,
    signal: AbortSignal,
  ): Promise<Result<"dns.query">> {
    await this.sync();
    const server = this.#server;
    if (server === null || !server.isListening) {
      const { config: { hostResolver } } = this.#options;
      const reason = this.problems[0] ??
        (hostResolver === "dns_server"
          ? "there are no names yet"
          : `host_resolver is ${hostResolver}, so no DNS server runs`);
      throw new TaskmuxError("E721", `Cannot ask for "${name}": ${reason}`, {
        hint: hostResolver === "dns_server"
          ? "taskmux dns status"
          : "taskmux config set host_resolver dns_server",
      });
    }
    const { askServer } = await import("../dns/ask_server.ts");
    const { port } = server;
    return { ok: true, name, ...await askServer({ name, type, port }, signal) };
  }

  /** Brings machine and server to the present names. What cannot be done is told by {@linkcode status}. */
  async sync(): Promise<void> {
    this.#syncing ??= this.#inTurn(async (signal) => {
      // Who comes from here on may know of other names.
      this.#syncing = null;
      const names = this.#names();
      this.#zone = new Zone(this.#tld, names);
      if (names.length === 0 && !await this.#hasEntries()) return;
      const resolver = await this.#choose(signal);
      if (!this.#isMine) return;
      if (resolver.name !== "etc_hosts" && await this.#hasEntries()) {
        await this.#tryInstall(new EtcHosts(this.#options.machine), [], signal);
      }
      // To have a system service changed takes a word of the user.
      if (resolver.name === "dns_server" && this.#wish !== "installed") return;
      await this.#tryInstall(resolver, names, signal);
    });
    await this.#syncing;
  }

  /** How it is now. Looks names up, for a few seconds at most. */
  async status(signal: AbortSignal): Promise<Result<"dns.status">> {
    const { config, machine } = this.#options;
    const names = this.#names();
    const plain = names.filter((name) => !isCatchAllName(name));
    const resolver = await this.#inTurn((own) => this.#choose(own));
    const { instead, ...state } = await resolver.status(plain, signal);
    const unresolved = names.length === 0
      ? null
      : await this.#unresolved(names, signal);
    const resolves = unresolved === null ? null : unresolved.length === 0;
    const isHosts = resolver.name === "etc_hosts";
    // Root may have done it meanwhile.
    if (state.current) this.#failure = null;
    return {
      ok: true,
      resolver: resolver.name,
      configured: config.hostResolver,
      tld: this.#tld,
      port: this.summary["port"] as number | null,
      active: resolver.name === "dns_server"
        ? this.#server?.isListening === true
        : isHosts && state.installed && state.current,
      ...state,
      resolves,
      addresses: [...machine.addresses],
      names,
      unresolved: unresolved ?? [],
      skipped: isHosts ? names.filter(isCatchAllName) : [],
      problems: [
        ...this.problems,
        ...this.#failure === null ? [] : [this.#failure.message],
      ],
      hint: names.length === 0
        ? null
        : this.#hint(resolver, { ...state, instead }, resolves),
    };
  }

  /**
   * Has the machine resolve the names, now and whenever they change.
   *
   * @throws {TaskmuxError} E720 if it cannot be had; with `needs_root` in its details if root could do it.
   */
  async install(): Promise<Result<"dns.install">> {
    this.#requireNames();
    this.#options.meta.set(WISH_KEY, "installed");
    return await this.#inTurn(async (signal) => {
      // The machine may have learnt it meanwhile.
      this.#resolver = null;
      const resolver = await this.#choose(signal);
      const names = this.#names();
      const isHosts = resolver.name === "etc_hosts";
      // The system may ask our server already, or answer by itself.
      const isNothing = !isHosts && (resolver.name === "noop" ||
        (await this.#unresolved(names, signal))?.length === 0);
      const change = isNothing
        ? { changed: false, next: [] }
        : await this.#install(resolver, names, BY_SUDO, signal);
      const { detail } = await resolver.status(names, signal);
      return {
        ...this.#answer(resolver, change),
        port: this.summary["port"] as number | null,
        names,
        skipped: isHosts ? names.filter(isCatchAllName) : [],
        detail: isNothing
          ? `names below .${this.#tld} lead to this machine already`
          : detail,
      };
    });
  }

  /**
   * Takes back what was done to the machine.
   *
   * @throws {TaskmuxError} As {@linkcode install}.
   */
  async uninstall(): Promise<Result<"dns.uninstall">> {
    this.#options.meta.set(WISH_KEY, "uninstalled");
    return await this.#inTurn(async (signal) => {
      const { config: { dns }, machine } = this.#options;
      const port = this.#server?.port ?? dns.serverPort;
      const delegation = { tld: this.#tld, port };
      const resolver = await this.#choose(signal);
      const changes: ResolverChange[] = [];
      // Also what an earlier setting had left.
      for (const name of ["etc_hosts", "dns_server"] as const) {
        const each = openResolver(name, machine, delegation);
        const { installed } = await each.status([], signal);
        if (installed) changes.push(await each.uninstall(BY_SUDO, signal));
      }
      this.#failure = null;
      return this.#answer(resolver, {
        changed: changes.some(({ changed }) => changed),
        next: changes.flatMap(({ next }) => next),
      });
    });
  }

  /** Has the machine forget what it remembers. */
  async flush(): Promise<Result<"dns.flush">> {
    return await this.#inTurn(async (signal) => {
      const resolver = await this.#choose(signal);
      return this.#answer(resolver, await resolver.flush(signal));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scope[Symbol.asyncDispose]();
    await this.#turn;
    await this.#server?.[Symbol.asyncDispose]();
  }

  get #tld(): string {
    return this.#options.config.dns.managedTld;
  }

  get #wish(): string | null {
    return this.#options.meta.get(WISH_KEY);
  }

  /** Whether the machine may be changed without being asked to. */
  get #isMine(): boolean {
    const { config, isDefaultHome } = this.#options;
    if (this.#wish !== null) return this.#wish === "installed";
    return isDefaultHome || config.hostResolver !== "auto";
  }

  #names(): string[] {
    const { front, names } = this.#options;
    return front.isEnabled ? [...names()] : [];
  }

  #requireNames(): void {
    const { config, front } = this.#options;
    const isOff = !front.isEnabled;
    if (!isOff && config.hostResolver !== "noop") return;
    const reason = isOff ? front.reason : "host_resolver is noop";
    const hint = isOff
      ? "taskmux config set proxy_enabled true"
      : "taskmux config set host_resolver auto";
    throw new TaskmuxError("E720", `Cannot have names resolved: ${reason}`, {
      hint,
    });
  }

  /**
   * Names that do not lead here, of the first few; without names it is one that nobody uses. Null if it cannot be told.
   */
  async #unresolved(
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<string[] | null> {
    const { machine } = this.#options;
    const plain = names.filter((name) => !isCatchAllName(name));
    const asked = plain.length > 0
      ? plain.slice(0, LOOKUPS_MAX)
      : [unusedName(this.#tld)];
    const found = await leadHere(asked, machine, signal);
    if (found.includes(null)) return null;
    return asked.filter((_, index) => found[index] === false);
  }

  async #syncSafely(signal: AbortSignal): Promise<void> {
    try {
      await this.sync();
    } catch (error) {
      signal.throwIfAborted();
      // The next event is another chance.
      this.#options.onError(error);
    }
  }

  /** Whether a hosts file has names that are none any more. */
  async #hasEntries(): Promise<boolean> {
    const hosts = new EtcHosts(this.#options.machine);
    return (await hosts.status([])).installed;
  }

  /** The way, found out once; with it the server runs if it is the way. */
  async #choose(signal: AbortSignal): Promise<Resolver> {
    const { config: { hostResolver, dns }, machine } = this.#options;
    // A port that was taken may be free by now.
    if (hostResolver === "dns_server" && this.#server?.isListening !== true) {
      this.#server = await this.#openServer();
    }
    if (this.#resolver !== null) return this.#resolver;
    const isAuto = hostResolver === "auto";
    const isThere = isAuto &&
      (await leadHere([unusedName(this.#tld)], machine, signal))[0] === true;
    const name = !isAuto ? hostResolver : isThere ? "noop" : "etc_hosts";
    const port = this.#server?.port ?? dns.serverPort;
    this.#resolver = openResolver(name, machine, { tld: this.#tld, port });
    return this.#resolver;
  }

  async #openServer(): Promise<DnsServer> {
    const { config: { dns }, clock, onError } = this.#options;
    const { DnsServer } = await import("../dns/dns_server.ts");
    return DnsServer.open({
      port: dns.serverPort,
      zone: () => this.#zone,
      clock,
      onError,
    });
  }

  async #tryInstall(
    resolver: Resolver,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#install(resolver, names, QUIETLY, signal);
    } catch (error) {
      // A refusal, or a failure of the file system: told where names are asked about, with what to type.
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }

  async #install(
    resolver: Resolver,
    names: readonly string[],
    effort: Effort,
    signal: AbortSignal,
  ): Promise<ResolverChange> {
    try {
      const change = await resolver.install(names, effort, signal);
      this.#failure = null;
      return change;
    } catch (error) {
      if (error instanceof Error) this.#failure = error;
      throw error;
    }
  }

  #answer(resolver: Resolver, { changed, next }: ResolverChange) {
    return {
      ok: true as const,
      resolver: resolver.name,
      tld: this.#tld,
      changed,
      next: [...next],
    };
  }

  #hint(
    resolver: Resolver,
    state: ResolverState,
    resolves: boolean | null,
  ): string | null {
    if (this.problems.length > 0) return "taskmux config set dns_server_port 0";
    if (resolves === true || resolver.name === "noop") return null;
    if (state.installed && state.current) return "taskmux dns flush";
    if (state.instead !== null) return state.instead;
    const hint = this.#failure instanceof TaskmuxError && this.#failure.hint;
    return hint || "taskmux dns install";
  }

  #inTurn<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#scope;
    const done = this.#turn.then(() => {
      signal.throwIfAborted();
      return work(signal);
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/** What the daemon has for it. */
export interface ResolutionParts {
  readonly config: HostConfig;
  readonly paths: Paths;
  readonly environment: Readonly<Record<string, string>>;
  readonly store: { readonly meta: ResolutionOptions["meta"] };
  readonly bus: ResolutionOptions["bus"];
  readonly front: ResolutionOptions["front"];
  readonly projects: { readonly all: readonly Project[] };
  readonly aliases?: AliasNames;
  onError(error: unknown, context: string): void;
}

/** Makes it for the machine this daemon runs on. */
export function openResolution(parts: ResolutionParts): Resolution {
  const { config, paths: { home }, environment, store, bus, front } = parts;
  const { HOME = "" } = environment;
  const addresses = front.isEnabled ? loopbackAddresses() : [];
  return new Resolution({
    config,
    machine: thisMachine({ home, addresses, canRun: true }),
    isDefaultHome: HOME !== "" && home === resolvePaths({ HOME }).home,
    meta: store.meta,
    bus,
    front,
    clock: systemClock,
    names: () =>
      namesToResolve(parts.projects.all, {
        tld: config.dns.managedTld,
        aliases: parts.aliases,
      }),
    onError: (error) => parts.onError(error, "names"),
  });
}
