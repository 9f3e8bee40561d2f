/**
 * A client of MCP that knows nothing of any SDK, over Streamable HTTP or over a program's input and output.
 *
 * @module
 */

import {
  type HttpAddress,
  type HttpAnswer,
  HttpConnection,
  HungUp,
} from "./http_connection.ts";
import type { Program, Sandbox } from "./sandbox.ts";

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** A session with a server. Disposal ends it. */
export interface McpSession extends AsyncDisposable {
  /** Asks; requests may run side by side. @returns The result as it came. @throws {Error} If it is an error. */
  request(method: string, params?: Json): Promise<Json>;
  /** The process that is there for this session only; null if there is none. */
  readonly pid: number | null;
}

/** Where a server listens. */
export interface McpAddress {
  readonly at: HttpAddress;
  /** Path and query. */
  readonly target: string;
}

const HEADERS = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
};

const HELLO = {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "bench", version: "1" },
};

/** Begins a session over HTTP. Requests side by side have a connection each, and keep it. */
export async function connectHttp(
  { at, target }: McpAddress,
): Promise<HttpMcpSession> {
  const first = await HttpConnection.open(at);
  const { status, headers, body } = await first.ask({
    method: "POST",
    target,
    headers: HEADERS,
    body: message("initialize", { id: 0, params: HELLO }),
  });
  const id = headers.get("mcp-session-id");
  if (status !== 200 || id === undefined) {
    throw new Error(`initialize is answered by ${status}: ${body}`);
  }
  const session = new HttpMcpSession({ at, target }, id, first);
  await session.notify("notifications/initialized");
  return session;
}

/** See {@linkcode connectHttp}. */
export class HttpMcpSession implements McpSession {
  readonly pid = null;
  /** Headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly #address: McpAddress;
  readonly #idle: HttpConnection[];
  #lastId = 0;

  constructor(address: McpAddress, id: string, first: HttpConnection) {
    this.#address = address;
    this.#idle = [first];
    this.headers = {
      ...HEADERS,
      "mcp-session-id": id,
      "mcp-protocol-version": HELLO.protocolVersion,
    };
  }

  async request(method: string, params: Json = {}): Promise<Json> {
    const id = ++this.#lastId;
    const body = await this.#post(message(method, { id, params }));
    for (const each of body.startsWith("{") ? [body] : sseData(body)) {
      const parsed = JSON.parse(each) as JsonRpc;
      if (parsed.id === id) return resultOf(parsed);
    }
    throw new Error(`${method} is not answered: ${body}`);
  }

  /** Sends what is not answered. */
  async notify(method: string, params: Json = {}): Promise<void> {
    await this.#post(message(method, { params }));
  }

  /** Opens the stream of what the server says by itself. The connection belongs to the caller. */
  async listen(): Promise<HttpConnection> {
    const { at, target } = this.#address;
    const connection = await HttpConnection.open(at);
    const { status } = await connection.begin({
      method: "GET",
      target,
      headers: { ...this.headers, accept: "text/event-stream" },
    });
    if (status !== 200) throw new Error(`the stream is answered by ${status}`);
    return connection;
  }

  /** Closes the connections and leaves the session to the server, as many clients do. */
  forget(): void {
    for (const connection of this.#idle.splice(0)) {
      connection[Symbol.dispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#send("DELETE");
    } catch (error) {
      // A server may hang up on a session that it ends.
      if (!(error instanceof HungUp)) throw error;
    }
    this.forget();
  }

  async #post(body: string): Promise<string> {
    return await this.#send("POST", body);
  }

  async #send(method: string, body?: string): Promise<string> {
    const { at, target } = this.#address;
    const request = {
      method,
      target,
      headers: this.headers,
      ...body === undefined ? {} : { body },
    };
    let connection = this.#idle.pop() ?? await HttpConnection.open(at);
    let answer: HttpAnswer;
    try {
      answer = await connection.ask(request);
    } catch (error) {
      // A server may close what was idle for seconds. It has not read the request then.
      if (!(error instanceof HungUp)) throw error;
      connection[Symbol.dispose]();
      connection = await HttpConnection.open(at);
      answer = await connection.ask(request);
    }
    this.#idle.push(connection);
    if (answer.status < 300) return answer.body;
    throw new Error(
      `${method} is answered by ${answer.status}: ${answer.body}`,
    );
  }
}

/** Starts a program that speaks MCP, and begins a session with it. */
export async function connectStdio(
  sandbox: Sandbox,
  program: Program,
): Promise<McpSession> {
  const child = sandbox.command(program, {
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const session = new StdioMcpSession(child);
  await session.request("initialize", HELLO);
  await session.notify("notifications/initialized");
  return session;
}

/** See {@linkcode connectStdio}. */
class StdioMcpSession implements McpSession {
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #pending = new Map<number, (answer: JsonRpc) => void>();
  #lastId = 0;

  constructor(child: Deno.ChildProcess) {
    this.pid = child.pid;
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#reading = this.#read();
  }

  async request(method: string, params: Json = {}): Promise<Json> {
    const id = ++this.#lastId;
    const answered = new Promise<JsonRpc>((resolve) =>
      this.#pending.set(id, resolve)
    );
    await this.#write(message(method, { id, params }));
    return resultOf(await answered);
  }

  /** Sends what is not answered. */
  async notify(method: string): Promise<void> {
    await this.#write(message(method, { params: {} }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#reading;
    await this.#child.status;
  }

  async #write(line: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
  }

  async #read(): Promise<void> {
    let held = "";
    const texts = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of texts) {
      const lines = (held + text).split("\n");
      held = lines.pop() ?? "";
      for (const line of lines.filter((each) => each.startsWith("{"))) {
        const answer = JSON.parse(line) as JsonRpc;
        const settle = this.#pending.get(Number(answer.id));
        this.#pending.delete(Number(answer.id));
        settle?.(answer);
      }
    }
  }
}

interface JsonRpc {
  readonly id?: number | string | null;
  readonly result?: Json;
  readonly error?: { readonly message: string };
}

function message(
  method: string,
  { id, params }: { readonly id?: number; readonly params: Json },
): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

function resultOf({ result, error }: JsonRpc): Json {
  if (result === undefined) throw new Error(error?.message ?? "no result");
  return result;
}

/** The data of each event in a stream that is here as a whole. */
function sseData(text: string): string[] {
  return text.split(/\r?\n\r?\n/).map((event) =>
    event.split(/\r?\n/)
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice("data:".length).trim())
      .join("\n")
  ).filter(Boolean);
}
