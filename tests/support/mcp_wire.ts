/**
 * An MCP client over Streamable HTTP that does as a test says: it breaks off, comes back, and shows every event.
 *
 * @module
 */

/** An event of a stream. */
export interface WireEvent {
  readonly id: string | null;
  /** Null = it only says where the stream stands. */
  readonly message: WireMessage | null;
}

/** Any JSON-RPC message. */
export interface WireMessage {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A stream of events. Disposal breaks the connection off. */
export class EventReader implements AsyncDisposable {
  readonly status: number;
  readonly #cut: AbortController;
  readonly #events: AsyncGenerator<WireEvent, void, void>;
  /** Id of the last event. */
  last: string | null = null;
  readonly #body: Response["body"];
  #hasBegun = false;

  constructor(response: Response, cut: AbortController) {
    this.status = response.status;
    this.#cut = cut;
    this.#body = response.body;
    this.#events = parse(response.body);
  }

  /** The next event; null = the stream has ended. */
  async next(): Promise<WireEvent | null> {
    this.#hasBegun = true;
    const { value, done } = await this.#events.next();
    if (done) return null;
    this.last = value.id ?? this.last;
    return value;
  }

  /** The next message; null = the stream has ended. */
  async message(): Promise<WireMessage | null> {
    while (true) {
      const event = await this.next();
      if (event === null || event.message !== null) {
        return event?.message ?? null;
      }
    }
  }

  /** All messages up to the end of the stream. */
  async rest(): Promise<WireMessage[]> {
    const found: WireMessage[] = [];
    for (let each; (each = await this.message()) !== null;) found.push(each);
    return found;
  }

  /** Breaks the connection off. */
  cut(): void {
    this.#cut.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    // One that has begun ends its body itself.
    await this.#events.return();
    if (!this.#hasBegun) await this.#body?.cancel().catch(() => {});
  }
}

/** See the module. Disposal breaks all its connections off. */
export class McpWire implements AsyncDisposable {
  readonly #readers: EventReader[] = [];
  readonly #url: string;
  readonly version: string;
  session: string | null = null;
  #lastId = 0;

  constructor(url: string, version = "2025-11-25") {
    this.#url = url;
    this.version = version;
  }

  /** Sends any request. */
  async send(
    { method = "POST", body, headers = {}, query = "", signal }: {
      readonly method?: string;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly query?: string;
      readonly signal?: AbortSignal;
    },
  ): Promise<Response> {
    const own: Record<string, string> = {
      accept: "application/json, text/event-stream",
      ...body === undefined ? {} : { "content-type": "application/json" },
      ...this.session === null ? {} : {
        "mcp-session-id": this.session,
        "mcp-protocol-version": this.version,
      },
      ...headers,
    };
    return await fetch(this.#url + query, {
      method,
      headers: own,
      ...body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) },
      ...signal === undefined ? {} : { signal },
    });
  }

  /** Begins a session. */
  async initialize(query = ""): Promise<WireMessage> {
    const response = await this.send({
      query,
      body: {
        jsonrpc: "2.0",
        id: ++this.#lastId,
        method: "initialize",
        params: {
          protocolVersion: this.version,
          capabilities: {},
          clientInfo: { name: "wire", version: "1" },
        },
      },
    });
    const id = response.headers.get("mcp-session-id");
    if (id === null) return await response.json();
    this.session = id;
    const answer = await readAll(response);
    const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };
    await (await this.send({ body: initialized })).body?.cancel();
    return answer.at(-1) ?? {};
  }

  /** Begins a request. */
  async begin(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
    id: number | string = ++this.#lastId,
  ): Promise<EventReader> {
    const cut = new AbortController();
    const body = { jsonrpc: "2.0", id, method, params };
    return this.#read(await this.send({ body, signal: cut.signal }), cut);
  }

  /** Begins a call of a tool. */
  async beginCall(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    meta: Readonly<Record<string, unknown>> = {},
  ): Promise<EventReader> {
    return await this.begin("tools/call", {
      name,
      arguments: args,
      _meta: meta,
    });
  }

  /** Asks, and reads the answer. */
  async ask(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<WireMessage> {
    await using events = await this.begin(method, params);
    return (await events.rest()).at(-1) ?? {};
  }

  /** Follows the events of the session, or goes on after an event of any stream. */
  async follow(last: string | null = null): Promise<EventReader> {
    const cut = new AbortController();
    const response = await this.send({
      method: "GET",
      signal: cut.signal,
      headers: {
        accept: "text/event-stream",
        ...last === null ? {} : { "last-event-id": last },
      },
    });
    return this.#read(response, cut);
  }

  /** Sends a notification. */
  async notify(
    method: string,
    params: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const response = await this.send({
      body: { jsonrpc: "2.0", method, params },
    });
    await response.body?.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const reader of this.#readers) await reader[Symbol.asyncDispose]();
  }

  #read(response: Response, cut: AbortController): EventReader {
    const reader = new EventReader(response, cut);
    this.#readers.push(reader);
    return reader;
  }
}

async function readAll(response: Response): Promise<WireMessage[]> {
  const found: WireMessage[] = [];
  for await (const { message } of parse(response.body)) {
    if (message !== null) found.push(message);
  }
  return found;
}

/** Ends as well when the connection breaks. */
async function* parse(
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
): AsyncGenerator<WireEvent, void, void> {
  let text = "";
  try {
    for await (
      const chunk of (body ?? new Blob([]).stream()).pipeThrough(
        new TextDecoderStream(),
      )
    ) {
      const blocks = (text + chunk).split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const id = /^id: (.*)$/m.exec(block)?.[1] ?? null;
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data === undefined) continue;
        yield { id, message: data === "" ? null : JSON.parse(data) };
      }
    }
  } catch (error) {
    if (error instanceof SyntaxError || !(error instanceof Error)) throw error;
  }
}
