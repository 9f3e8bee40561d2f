/**
 * The keeper's side of its socket: greets controllers, hands their requests to the keeper, passes notices to all of them.
 *
 * @module
 */

import type { Acceptor } from "../kit/steady_socket.ts";
import { VERSION } from "../contract/wire.ts";
import type { Clock } from "../kit/clock.ts";
import { FrameConnection } from "../kit/frames.ts";
import {
  KEEPER_PROTOCOL,
  type KeeperError,
  type KeeperHello,
  type KeeperNotice,
  type KeeperReply,
  OLDEST_KEEPER_PROTOCOL,
} from "../pty/protocol.ts";
import type { Keeper } from "./keeper.ts";
import { isOperation, parseFrame, parseParams } from "./parse_request.ts";
import { Refusal } from "./refusal.ts";

/** Most requests of one controller under way. */
export const MAX_REQUESTS = 4096;

/** Pause after a failure to accept a connection. */
const ACCEPT_RETRY_MS = 100;

/** What a server is given. */
export interface KeeperServerOptions {
  readonly clock: Clock;
  /** Asked when the first controller connects, not before. */
  readonly keeper: () => Keeper;
  readonly pid: number;
  readonly bootId: string;
  /** Called when a controller came or went. */
  readonly onChange: () => void;
  /** Called when a controller asked for the end of the keeper, it may end, and the answer is on its way. */
  readonly onShutdown: () => void;
  /** Writes a line into the keeper's own log. */
  readonly report: (text: string) => void;
}

/** One controller. */
interface Peer {
  readonly connection: FrameConnection;
  readonly scope: AbortController;
  /** Requests under way by id. */
  readonly requests: Map<number, AbortController>;
}

/** See the module. */
export class KeeperServer {
  readonly #options: KeeperServerOptions;
  readonly #peers = new Set<Peer>();
  #isClosed = false;

  constructor(options: KeeperServerOptions) {
    this.#options = options;
  }

  /** Whether any controller is connected. */
  get hasPeers(): boolean {
    return this.#peers.size > 0;
  }

  /** Tells all controllers. */
  notify(notice: KeeperNotice): void {
    for (const peer of this.#peers) peer.connection.send(notice);
  }

  /** Serves controllers until {@linkcode close} is called and the listener closed. */
  async serve(listener: Acceptor): Promise<void> {
    const peers = new Set<Promise<void>>();
    while (!this.#isClosed) {
      const stream = await this.#accepted(listener);
      if (stream === null) continue;
      const served = this.#servePeer(stream);
      peers.add(served);
      served.then(() => peers.delete(served));
    }
    await Promise.all(peers);
  }

  /** Disconnects all controllers, after what was said to them is sent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(
      [...this.#peers].map(async ({ connection }) => {
        await connection.flushed();
        connection.close();
      }),
    );
  }

  /** A failure to accept, such as a lack of descriptors, must not leave the keeper deaf. */
  async #accepted(listener: Acceptor): Promise<Deno.Conn | null> {
    try {
      return await listener.accept();
    } catch (error) {
      if (this.#isClosed) return null;
      this.#options.report(`cannot accept: ${Deno.inspect(error)}`);
      await this.#options.clock.sleep(ACCEPT_RETRY_MS);
      return null;
    }
  }

  async #servePeer(stream: Deno.Conn): Promise<void> {
    using connection = new FrameConnection(stream);
    const peer: Peer = {
      connection,
      scope: new AbortController(),
      requests: new Map(),
    };
    this.#peers.add(peer);
    this.#options.onChange();
    connection.send(this.#hello());
    try {
      for await (const frame of connection.frames()) {
        if (!this.#accept(peer, frame)) break;
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#options.report(`disconnected a controller: ${error.message}`);
    } finally {
      this.#peers.delete(peer);
      peer.scope.abort(
        new DOMException("The controller is gone", "AbortError"),
      );
      this.#options.onChange();
    }
  }

  #hello(): KeeperHello {
    const { pid, bootId } = this.#options;
    return {
      taskmux: "keeper",
      protocol: KEEPER_PROTOCOL,
      oldestProtocol: OLDEST_KEEPER_PROTOCOL,
      version: VERSION,
      pid,
      bootId,
    };
  }

  /** @returns False if the peer is broken. */
  #accept(peer: Peer, frame: unknown): boolean {
    const request = parseFrame(frame);
    if (request === null) return false;
    if ("cancel" in request) {
      peer.requests.get(request.cancel)?.abort(
        new Refusal("cancelled", "Cancelled"),
      );
      return true;
    }
    void this.#answer(peer, request);
    return true;
  }

  /** Never rejects: whatever goes wrong becomes the reply. */
  async #answer(
    peer: Peer,
    request: { readonly id: number; readonly op: string; params: unknown },
  ): Promise<void> {
    const { id, op, params } = request;
    const cancel = new AbortController();
    let reply: KeeperReply;
    try {
      if (!isOperation(op)) {
        throw new Refusal("invalid", `Cannot do "${op}": it is unknown`);
      }
      if (peer.requests.size >= MAX_REQUESTS || peer.requests.has(id)) {
        throw new Refusal("busy", "Cannot take the request: too many");
      }
      peer.requests.set(id, cancel);
      const connection = peer.scope.signal;
      const result = await this.#options.keeper().serve(
        op,
        parseParams(op, params),
        {
          signal: AbortSignal.any([connection, cancel.signal]),
          connection,
        },
      );
      reply = { id, result };
    } catch (error) {
      reply = { id, error: this.#asError(error) };
    } finally {
      if (peer.requests.get(id) === cancel) peer.requests.delete(id);
    }
    peer.connection.send(reply);
    if (op === "shutdown" && "result" in reply) this.#options.onShutdown();
  }

  #asError(error: unknown): KeeperError {
    if (error instanceof Refusal) {
      return { code: error.code, message: error.message };
    }
    if (error instanceof DOMException && error.name === "AbortError") {
      return { code: "cancelled", message: error.message };
    }
    this.#options.report(`failed: ${Deno.inspect(error)}`);
    return {
      code: "internal",
      message: error instanceof Error ? error.message : String(error),
    };
  }
}
