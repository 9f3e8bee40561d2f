/**
 * A server of MCP in this process, and a client that writes and reads its lines.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Catalogue } from "../../../src/mcp/catalogue.ts";
import type { Connection } from "../../../src/mcp/connection.ts";
import { createMcpServer } from "../../../src/mcp/mcp_server.ts";
import { StdioTransport } from "../../../src/mcp/stdio_transport.ts";
import { until } from "../../support/until.ts";

/** Any message. */
// deno-lint-ignore no-explicit-any
export type Message = Record<string, any>;

/** Nothing to offer. */
export const EMPTY: Catalogue = {
  instructions: "none",
  tools: () => [],
  resources: {
    list: () => Promise.resolve([]),
    templates: [],
    read: () => Promise.resolve(null),
  },
};

/** See the module. */
export class WireClient {
  readonly heard: Message[] = [];
  /** While it is set, nothing is taken from the server. */
  blocked: PromiseWithResolvers<void> | null = null;
  readonly #input: Uint8Array[] = [];
  readonly transport: StdioTransport;
  readonly ending = new AbortController();
  /** Bytes that the server has taken. */
  taken = 0;
  isBroken = false;
  #isOver = false;
  readonly #line: number[] = [];
  #arrived = Promise.withResolvers<void>();

  constructor() {
    this.transport = new StdioTransport({
      input: { read: (buffer) => this.#read(buffer) },
      output: { write: (bytes) => this.#write(bytes) },
    });
  }

  /** Connects a server that offers this. */
  async serve(catalogue: Catalogue): Promise<void> {
    const { signal } = this.ending;
    const connection: Connection = {
      caller: "test",
      access: { pin: null, isReadOnly: false },
      dispatcher: {
        kindOf: () => null,
        call: () => Promise.reject(new Error("Nobody to ask")),
        stream: () => {
          throw new Error("Nobody to ask");
        },
      },
      signal,
      lifetime: signal,
      clientName: () => null,
    };
    await createMcpServer(catalogue, () => connection).connect(this.transport);
  }

  /** Connects, and is initialized. @returns The capabilities of the server. */
  async begin(catalogue: Catalogue): Promise<Message> {
    await this.serve(catalogue);
    const { result } = await this.ask("initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    });
    this.send({ method: "notifications/initialized" });
    return result.capabilities;
  }

  /** Sends a message. */
  send(message: Message): void {
    this.line(JSON.stringify({ jsonrpc: "2.0", ...message }));
  }

  /** Sends a line. */
  line(text: string): void {
    this.bytes(new TextEncoder().encode(`${text}\n`));
  }

  bytes(bytes: Uint8Array): void {
    this.#input.push(bytes);
    this.#arrived.resolve();
  }

  /** The client closes its end. */
  end(): void {
    this.#isOver = true;
    this.#arrived.resolve();
  }

  /** Sends a request. @returns What answers it. */
  async ask(method: string, params: Message = {}): Promise<Message> {
    const id = crypto.randomUUID();
    this.send({ id, method, params });
    return await this.answerTo(id);
  }

  async answerTo(id: string | number): Promise<Message> {
    return await until(() => this.heard.find((message) => message.id === id));
  }

  of(method: string): Message[] {
    return this.heard.filter((message) => message.method === method)
      .map(({ params }) => params);
  }

  async #read(buffer: Uint8Array): Promise<number | null> {
    while (this.#input.length === 0) {
      if (this.#isOver) return null;
      await this.#arrived.promise;
      this.#arrived = Promise.withResolvers();
    }
    const [first] = this.#input;
    assert.ok(first);
    const part = first.subarray(0, buffer.length);
    if (part.length === first.length) this.#input.shift();
    else this.#input[0] = first.subarray(part.length);
    buffer.set(part);
    this.taken += part.length;
    return part.length;
  }

  async #write(bytes: Uint8Array): Promise<number> {
    await this.blocked?.promise;
    if (this.isBroken) throw new Deno.errors.BrokenPipe("Broken pipe");
    // Pipes take what they have room for.
    const part = bytes.subarray(0, 4_096);
    for (let start = 0; start < part.length;) {
      const end = part.indexOf(10, start);
      this.#line.push(...part.subarray(start, end === -1 ? undefined : end));
      if (end === -1) break;
      const text = new TextDecoder().decode(Uint8Array.from(this.#line));
      this.#line.length = 0;
      this.heard.push(JSON.parse(text));
      start = end + 1;
    }
    return part.length;
  }
}
