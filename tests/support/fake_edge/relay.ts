/**
 * One HTTP/1.1 request from one connection to another: its head is read and may be changed, all that follows goes
 * through as it comes, in both directions, so that bodies of any length and WebSockets pass.
 *
 * @module
 */

/** The head of a request. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** As they came, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What was read beyond the head. */
  readonly rest: Uint8Array;
}

/** Far more than any client sends. */
const HEAD_LIMIT_BYTES = 256 * 1024;

/** Reads the head; null = the connection ended before, or it is none. */
export async function readHead(conn: Deno.Conn): Promise<RequestHead | null> {
  let bytes = new Uint8Array();
  const chunk = new Uint8Array(16 * 1024);
  while (bytes.length < HEAD_LIMIT_BYTES) {
    const count = await readSome(conn, chunk);
    if (count === null) return null;
    const next = new Uint8Array(bytes.length + count);
    next.set(bytes);
    next.set(chunk.subarray(0, count), bytes.length);
    bytes = next;
    const text = new TextDecoder("latin1").decode(bytes);
    const end = text.indexOf("\r\n\r\n");
    if (end === -1) continue;
    const [first = "", ...lines] = text.slice(0, end).split("\r\n");
    const [method = "", target = ""] = first.split(" ");
    return {
      method,
      target,
      headers: lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
      rest: bytes.subarray(end + 4),
    };
  }
  return null;
}

/** A header's value; null = it is not there. */
export function headerOf(head: RequestHead, name: string): string | null {
  return head.headers.find(([found]) => found.toLowerCase() === name)?.[1] ??
    null;
}

/** The head with other values; null takes a header out. Others keep their place. */
export function withHeaders(
  head: RequestHead,
  values: Readonly<Record<string, string | null>>,
): RequestHead {
  const kept = head.headers.filter(([name]) => !(name.toLowerCase() in values));
  const added = Object.entries(values).flatMap(([name, value]) =>
    value === null ? [] : [[name, value] as const]
  );
  return { ...head, headers: [...kept, ...added] };
}

/**
 * Sends the request on and lets everything through until either end is done. Each request has a connection of its own.
 *
 * @returns False if nobody takes it there; nothing was answered then.
 */
export async function relayRequest(
  client: Deno.Conn,
  head: RequestHead,
  target: { readonly hostname: string; readonly port: number },
): Promise<boolean> {
  let server: Deno.TcpConn;
  try {
    server = await Deno.connect(target);
  } catch (error) {
    // Whoever ends just now takes the connection and drops it.
    const isGone = error instanceof Deno.errors.ConnectionRefused ||
      error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.NotConnected;
    if (isGone) return false;
    throw error;
  }
  const upgrade = headerOf(head, "upgrade");
  const sent = upgrade === null
    ? withHeaders(head, { connection: "close" })
    : head;
  const text = [
    `${sent.method} ${sent.target} HTTP/1.1`,
    ...sent.headers.map(([name, value]) => `${name}: ${value}`),
    "\r\n",
  ].join("\r\n");
  try {
    await writeAll(server, latin1(text));
    await writeAll(server, head.rest);
    // A visitor who goes away takes his request with him.
    const ways = [pass(client, server), pass(server, client)];
    await Promise.race(ways);
    close(client);
    close(server);
    await Promise.all(ways);
  } finally {
    close(client);
    close(server);
  }
  return true;
}

/** An answer of our own, after which the connection ends. */
export async function answerText(
  conn: Deno.Conn,
  status: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const body = new TextEncoder().encode(text);
  const lines = Object.entries(headers).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  await writeAll(
    conn,
    latin1(
      `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=UTF-8\r\ncontent-length: ${body.length}\r\n${
        lines.join("")
      }connection: close\r\n\r\n`,
    ),
  );
  await writeAll(conn, body);
  close(conn);
}

/** Until the one side has no more, or the other one takes no more. */
async function pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const chunk = new Uint8Array(64 * 1024);
  while (true) {
    const count = await readSome(from, chunk);
    if (count === null) return;
    if (!await writeAll(to, chunk.subarray(0, count))) return;
  }
}

/** Null = there is no more, for whatever reason. */
async function readSome(
  conn: Deno.Conn,
  chunk: Uint8Array,
): Promise<number | null> {
  try {
    return await conn.read(chunk);
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}

/** False = the other side is gone. */
async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<boolean> {
  try {
    for (let sent = 0; sent < bytes.length;) {
      sent += await conn.write(bytes.subarray(sent));
    }
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

/** Closes what may be closed. */
export function close(conn: { close(): void }): void {
  try {
    conn.close();
  } catch (error) {
    const isClosed = error instanceof Deno.errors.BadResource ||
      error instanceof Deno.errors.NotConnected;
    if (!isClosed) throw error;
  }
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
