/**
 * The daemon's tie to the keeper: finds or starts one, and another one when it dies.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { Timer } from "../kit/timer.ts";
import { isSilence, type KeeperClient } from "../pty/keeper_client.ts";
import type {
  KeeperHello,
  KeeperNotice,
  KeeperRequests,
} from "../pty/protocol.ts";
import type { Keeper } from "../supervisor/keeper.ts";

/** Pause after an attempt at a new keeper that failed. */
const RETRY_MS = 1_000;

/** Keepers that one request is put to, each after the one before has died. */
const MAX_KEEPERS = 5;

/** Requests that leave something behind when they are done twice. */
const ONCE_ONLY: ReadonlySet<keyof KeeperRequests> = new Set([
  "spawn",
  "signal",
  "write",
  "shutdown",
]);

/** What a link needs. */
export interface KeeperLinkOptions {
  /** Finds the running keeper, or starts one. */
  connect(): Promise<KeeperClient>;
  onNotice(notice: KeeperNotice): void;
  /** The keeper with this pid died just now. From here on requests go to the next one. */
  onLost(pid: number): void;
  /** The keeper died and another one is there, which knows nothing. Called again if that one died or hung meanwhile. */
  onReplaced(): Promise<void>;
  /** Told when there is no keeper that answers, and with null when there is one again. */
  onTrouble(error: Error | null): void;
  onError(error: unknown): void;
}

/** See the module. */
export class KeeperLink implements Keeper, AsyncDisposable {
  readonly #options: KeeperLinkOptions;
  #client: Promise<KeeperClient>;
  readonly #retry = new Timer(() => this.#reconnect());
  #hello: KeeperHello;
  #isConnected = true;
  #isInTrouble = false;
  /** Whether what the last keeper left has still to be dealt with. */
  #isOwing = false;
  #isClosing = false;

  private constructor(options: KeeperLinkOptions, client: KeeperClient) {
    this.#options = options;
    this.#client = Promise.resolve(client);
    this.#hello = client.hello;
    this.#follow(client);
  }

  /** Opens the link. */
  static async open(options: KeeperLinkOptions): Promise<KeeperLink> {
    return new KeeperLink(options, await options.connect());
  }

  get bootId(): string {
    return this.#hello.bootId;
  }

  /** Pid of the present keeper; null while there is none. */
  get pid(): number | null {
    return this.#isConnected ? this.#hello.pid : null;
  }

  /** Whether there is a keeper that answers, as far as is known. */
  get isAnswering(): boolean {
    return this.#isConnected && !this.#isInTrouble;
  }

  /** What the present keeper said of itself. */
  get hello(): KeeperHello {
    return this.#hello;
  }

  async request<Op extends keyof KeeperRequests>(
    op: Op,
    params: KeeperRequests[Op]["params"],
    signal?: AbortSignal,
  ): Promise<KeeperRequests[Op]["result"]> {
    const options = signal === undefined ? {} : { signal };
    for (let keepers = 1;; keepers++) {
      const client = await this.#client;
      try {
        return await client.request(op, params, options);
      } catch (error) {
        const isOver = keepers === MAX_KEEPERS || this.#isClosing;
        if (isOver || !mayAskNext(op, error)) throw error;
      }
      // That keeper is gone. The next one has the answer: it knows of nothing, and has ended what was left.
      await client.closed;
    }
  }

  /** From now on the end of the keeper is expected. */
  expectEnd(): void {
    this.#isClosing = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    this.#retry.disarm();
    const client = await this.#client.catch(() => null);
    client?.[Symbol.dispose]();
  }

  #follow(client: KeeperClient): void {
    this.#hello = client.hello;
    this.#isConnected = true;
    client.onNotice((notice) => this.#options.onNotice(notice));
    client.onSilence((isSilent) => this.#onSilence(isSilent));
    client.closed.then(() => {
      this.#isConnected = false;
      if (this.#isClosing) return;
      this.#options.onLost(client.hello.pid);
      this.#reconnect();
    });
  }

  /** Tries for as long as it takes. Whoever asks meanwhile is told how the last attempt failed. */
  #reconnect(): void {
    this.#client = this.#replace();
    this.#client.then(() => this.#note(null), (error) => {
      this.#note(error instanceof Error ? error : new Error(String(error)));
      if (!this.#isClosing) this.#retry.arm(RETRY_MS);
    });
  }

  #onSilence(isSilent: boolean): void {
    const state = `process ${this.#hello.pid} does not answer; is it stopped?`;
    this.#note(isSilent ? new Error(state) : null);
    if (!isSilent && this.#isOwing) this.#tellReplaced();
  }

  #tellReplaced(): void {
    this.#isOwing = false;
    this.#options.onReplaced().catch((error) => {
      this.#isOwing = true;
      // Of a keeper that died or hangs one is told otherwise.
      const isGone = error instanceof TaskmuxError && error.code === "E600";
      if (!isGone) this.#options.onError(error);
    });
  }

  #note(trouble: Error | null): void {
    if (this.#isInTrouble === (trouble !== null)) return;
    this.#isInTrouble = trouble !== null;
    this.#options.onTrouble(trouble);
  }

  async #replace(): Promise<KeeperClient> {
    const client = await this.#options.connect();
    this.#follow(client);
    this.#tellReplaced();
    return client;
  }
}

/** Whether the request can be put to the next keeper: this one is gone, and nothing comes of it twice. */
function mayAskNext(op: keyof KeeperRequests, error: unknown): boolean {
  if (!(error instanceof TaskmuxError) || error.code !== "E600") return false;
  if (isSilence(error)) return false;
  return !ONCE_ONLY.has(op) || error.details?.["keeper_code"] === "ending";
}
