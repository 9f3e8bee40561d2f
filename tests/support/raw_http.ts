/**
 * HTTP byte by byte, for requests that no client would send.
 *
 * @module
 */

/** What came back. */
export interface HttpAnswer {
  /** Null if the connection was closed without an answer. */
  readonly status: number | null;
  readonly headers: Headers;
  /** The body. */
  readonly text: string;
  /** What came after it. */
  readonly rest: string;
}

/** When to stop reading. */
export interface RawOptions {
  /** Reads on until this is among what follows the first answer, or the connection ends. */
  readonly until?: RegExp;
}

/** Sends the characters, each as a byte, to a port of 127.0.0.1 and reads the first answer. */
export async function sendRaw(
  port: number,
  request: string,
  options: RawOptions = {},
): Promise<HttpAnswer> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = Uint8Array.from(request, (char) => char.charCodeAt(0));
  const sending = sendAll(conn, bytes);
  const answer = await readAnswer(conn, options.until ?? /^/);
  conn.close();
  await sending;
  return answer;
}

async function readAnswer(conn: Deno.Conn, until: RegExp): Promise<HttpAnswer> {
  const chunk = new Uint8Array(64 * 1024);
  let text = "";
  while (true) {
    const answer = parseAnswer(text);
    if (answer !== null && until.test(answer.rest)) return answer;
    // A peer that does not take what we send resets the connection.
    const count = await conn.read(chunk).catch(() => null);
    if (count === null) {
      return answer ?? { status: null, headers: new Headers(), text, rest: "" };
    }
    text += new TextDecoder("latin1").decode(chunk.subarray(0, count));
  }
}

/** Null while it is not whole. */
function parseAnswer(text: string): HttpAnswer | null {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [first = "", ...fields] = text.slice(0, end).split("\r\n");
  const headers = new Headers(
    fields.map((field): [string, string] => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon), field.slice(colon + 1).trim()];
    }),
  );
  const body = text.slice(end + 4);
  const length = Number(headers.get("content-length") ?? 0);
  if (body.length < length) return null;
  return {
    status: Number(/^HTTP\/1\.\d (\d{3})/.exec(first)?.[1]),
    headers,
    text: body.slice(0, length),
    rest: body.slice(length),
  };
}

/** Sends until everything is taken or the connection ends. */
async function sendAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  try {
    for (let sent = 0; sent < bytes.length;) {
      sent += await conn.write(bytes.subarray(sent));
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
