/**
 * The daemon's tie to the keeper: finds or starts one, and another one when it dies.
 *
 * @module
 */

import type { KeeperClient } from "../pty/keeper_client.ts";
import type {
  KeeperHello,
  KeeperNotice,
  KeeperRequests,
} from "../pty/protocol.ts";
import type { Keeper } from "../supervisor/keeper.ts";

/** What a link needs. */
export interface KeeperLinkOptions {
  /** Finds the running keeper, or starts one. */
  connect(): Promise<KeeperClient>;
  onNotice(notice: KeeperNotice): void;
  /** The keeper died and another one is there, which knows nothing. */
  onReplaced(): Promise<void>;
  onError(error: unknown): void;
}

/** See the module. */
export class KeeperLink implements Keeper, AsyncDisposable {
  readonly #options: KeeperLinkOptions;
  #client: Promise<KeeperClient>;
  #hello: KeeperHello;
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

  /** Pid of the present keeper. */
  get pid(): number {
    return this.#hello.pid;
  }

  async request<Op extends keyof KeeperRequests>(
    op: Op,
    params: KeeperRequests[Op]["params"],
    signal?: AbortSignal,
  ): Promise<KeeperRequests[Op]["result"]> {
    const client = await this.#client;
    return await client.request(
      op,
      params,
      signal === undefined ? {} : { signal },
    );
  }

  /** From now on the end of the keeper is expected. */
  expectEnd(): void {
    this.#isClosing = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    const client = await this.#client.catch(() => null);
    client?.[Symbol.dispose]();
  }

  #follow(client: KeeperClient): void {
    client.onNotice((notice) => this.#options.onNotice(notice));
    client.closed.then(() => {
      if (this.#isClosing) return;
      this.#client = this.#replace();
      this.#client.catch((error) => this.#options.onError(error));
    });
  }

  async #replace(): Promise<KeeperClient> {
    const client = await this.#options.connect();
    this.#hello = client.hello;
    this.#follow(client);
    this.#options.onReplaced().catch((error) => this.#options.onError(error));
    return client;
  }
}
