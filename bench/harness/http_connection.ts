/**
 * One kept-alive connection of HTTP/1.1, by hand: cheap enough that what is measured is the server.
 *
 * @module
 */

/** Where to connect. */
export type HttpAddress =
  | { readonly port: number }
  | { readonly path: string };

/** What is asked. */
export interface HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The head of an answer; names of headers in small letters. */
export interface HttpHead {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** An answer that is here as a whole. */
export interface HttpAnswer extends HttpHead {
  readonly body: string;
}

/** The server closed the connection in the middle of an answer, or before one. */
export class HungUp extends Error {}

const READ_BYTES = 64 * 1024;

const LINE_FEED = 10;

/** See the module. One request at a time. */
export class HttpConnection implements Disposable {
  readonly #conn: Deno.Conn;
  readonly #host: string;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #held = new Uint8Array(0);

  private constructor(conn: Deno.Conn, host: string) {
    this.#conn = conn;
    this.#host = host;
  }

  /** Connects to this machine. */
  static async open(address: HttpAddress): Promise<HttpConnection> {
    if ("path" in address) {
      const { path } = address;
      const conn = await Deno.connect({ transport: "unix", path });
      return new HttpConnection(conn, "localhost");
    }
    const { port } = address;
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay();
    return new HttpConnection(conn, `localhost:${port}`);
  }

  /** Asks, and reads the whole answer. */
  async ask(request: HttpRequest): Promise<HttpAnswer> {
    const head = await this.begin(request);
    const parts: Uint8Array[] = [];
    for await (const part of this.#body(head)) parts.push(part);
    const body = new TextDecoder().decode(joined(parts));
    return { ...head, body };
  }

  /** Asks, and reads the head of the answer only: what follows is for {@linkcode read}. */
  async begin(
    { method, target, headers = {}, body }: HttpRequest,
  ): Promise<HttpHead> {
    const bytes = new TextEncoder().encode(body ?? "");
    const lines = [
      `${method} ${target} HTTP/1.1`,
      `host: ${this.#host}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      ...body === undefined ? [] : [`content-length: ${bytes.length}`],
    ];
    const head = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
    await this.write(joined([head, bytes]));
    return await this.#readHead();
  }

  /** What comes next, as it comes: for streams without end. Null = the end. */
  async read(): Promise<Uint8Array | null> {
    if (this.#held.length > 0) {
      const held = this.#held;
      this.#held = new Uint8Array(0);
      return held;
    }
    const count = await this.#conn.read(this.#buffer);
    return count === null ? null : this.#buffer.subarray(0, count);
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }

  /** Sends what is no request. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#conn.write(bytes.subarray(sent));
    }
  }

  async #readHead(): Promise<HttpHead> {
    const status = Number((await this.#line()).split(" ")[1]);
    const headers = new Map<string, string>();
    for (
      let line = await this.#line();
      line !== "";
      line = await this.#line()
    ) {
      const colon = line.indexOf(":");
      headers.set(
        line.slice(0, colon).toLowerCase(),
        line.slice(colon + 1).trim(),
      );
    }
    return { status, headers };
  }

  async *#body({ headers }: HttpHead): AsyncGenerator<Uint8Array, void, void> {
    if (headers.get("transfer-encoding") !== "chunked") {
      return yield await this.#exactly(
        Number(headers.get("content-length") ?? 0),
      );
    }
    while (true) {
      const size = parseInt(await this.#line(), 16);
      const part = await this.#exactly(size);
      await this.#line();
      if (size === 0) return;
      yield part;
    }
  }

  async #line(): Promise<string> {
    let end = this.#held.indexOf(LINE_FEED);
    while (end === -1) {
      await this.#more();
      end = this.#held.indexOf(LINE_FEED);
    }
    const text = new TextDecoder().decode(this.#held.subarray(0, end));
    this.#held = this.#held.subarray(end + 1);
    return text.replace(/\r$/, "");
  }

  async #exactly(size: number): Promise<Uint8Array> {
    while (this.#held.length < size) await this.#more();
    const part = this.#held.slice(0, size);
    this.#held = this.#held.subarray(size);
    return part;
  }

  async #more(): Promise<void> {
    const count = await this.#conn.read(this.#buffer);
    if (count === null) throw new HungUp("the server hung up");
    this.#held = joined([this.#held, this.#buffer.subarray(0, count)]);
  }
}

/** The parts in one piece. */
function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((total, part) => total + part.length, 0);
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
