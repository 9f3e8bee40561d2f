/**
 * The end of a tunnel that is on this machine, as the fake programs have it: what comes from the fake edge is led to where
 * the program says.
 *
 * @module
 */

import {
  type EdgeMessage,
  type Hello,
  messageLines,
  sendMessage,
} from "./messages.ts";
import {
  answerText,
  close,
  readHead,
  relayRequest,
  type RequestHead,
} from "./relay.ts";

/** Where a request goes: to a port, with its head as it is to arrive there, or it is answered at once. */
export type Way =
  | {
    readonly hostname: string;
    readonly port: number;
    readonly head: RequestHead;
  }
  | { readonly status: string; readonly text: string };

/** What a program does with requests. */
export interface Forwarding {
  route(head: RequestHead): Way;
  /** Nobody takes it there. @returns What is answered. */
  originDown(
    head: RequestHead,
    way: { readonly hostname: string; readonly port: number },
  ): { readonly status: string; readonly text: string };
}

/** Takes requests of the edge. */
export class Forwarder {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #forwarding: Forwarding;
  readonly #running = new Set<Promise<void>>();

  constructor(forwarding: Forwarding) {
    this.#forwarding = forwarding;
    void this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Takes no more, and waits for what is under way. */
  async end(): Promise<void> {
    close(this.#listener);
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      const passing = this.#pass(conn).finally(() => {
        close(conn);
        this.#running.delete(passing);
      });
      this.#running.add(passing);
    }
  }

  async #pass(conn: Deno.Conn): Promise<void> {
    const head = await readHead(conn);
    if (head === null) return;
    const way = this.#forwarding.route(head);
    if ("status" in way) {
      await answerText(conn, way.status, way.text);
    } else if (!await relayRequest(conn, way.head, way)) {
      const answer = this.#forwarding.originDown(head, way);
      await answerText(conn, answer.status, answer.text);
    }
  }
}

/**
 * Connects to the edge of `FAKE_EDGE` and tells what it says, until the connection ends.
 *
 * @throws {Deno.errors.ConnectionRefused} If there is no edge.
 */
export async function* edgeMessages(
  hello: Hello,
): AsyncGenerator<EdgeMessage, void> {
  const [hostname = "", port] = (Deno.env.get("FAKE_EDGE") ?? "").split(":");
  const conn = await Deno.connect({ hostname, port: Number(port) });
  try {
    await sendMessage(conn, hello);
    for await (const message of messageLines(conn)) {
      yield message as EdgeMessage;
    }
  } finally {
    close(conn);
  }
}
