/**
 * Asks a DNS server of this machine one question.
 *
 * @module
 */

import { decodeMessage, type DnsRecord, encodeQuery } from "./packet.ts";

/** What is asked. */
export interface DnsQuestion {
  readonly name: string;
  /** Name of a type, such as `AAAA`. */
  readonly type: string;
  readonly port: number;
}

/** What a server answered. */
export interface DnsAnswer {
  /** `NOERROR`, `NXDOMAIN`, `REFUSED`, … */
  readonly rcode: string;
  readonly answers: readonly DnsRecord[];
}

/** Longest answer by UDP without EDNS, with room for servers that do not care. */
const MAX_ANSWER_LENGTH = 4_096;

/**
 * Asks `127.0.0.1` by UDP, and by TCP if the answer does not fit. Needs `--unstable-net`.
 *
 * @param signal Must abort: a server that is not there does not answer.
 * @returns Null if what answers speaks no DNS.
 * @throws The signal's reason; `Deno.errors.ConnectionRefused`, if the port is closed for TCP.
 */
export async function askServer(
  { name, type, port }: DnsQuestion,
  signal: AbortSignal,
): Promise<DnsAnswer | null> {
  const id = crypto.getRandomValues(new Uint16Array(1))[0] ?? 0;
  const query = encodeQuery(id, { name, type });
  const first = await byUdp(query, port, signal);
  const message = decodeMessage(first);
  if (message?.flag_tc !== true) return answerOf(message);
  return answerOf(decodeMessage(await byTcp(query, port, signal)));
}

async function byUdp(
  query: Uint8Array,
  port: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  signal.throwIfAborted();
  const hostname = "127.0.0.1";
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const leave = (): void => socket.close();
  signal.addEventListener("abort", leave, { once: true });
  try {
    await socket.send(query, { transport: "udp", hostname, port });
    while (true) {
      const buffer = new Uint8Array(MAX_ANSWER_LENGTH);
      const [answer, from] = await socket.receive(buffer);
      const isFrom = from.transport === "udp" && from.port === port;
      if (isFrom && answer[0] === query[0] && answer[1] === query[1]) {
        return answer;
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", leave);
    if (!signal.aborted) socket.close();
  }
}

async function byTcp(
  query: Uint8Array,
  port: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const leave = (): void => connection.close();
  signal.addEventListener("abort", leave, { once: true });
  try {
    const framed = new Uint8Array(2 + query.length);
    framed[1] = query.length;
    framed[0] = query.length >> 8;
    framed.set(query, 2);
    for (let sent = 0; sent < framed.length;) {
      sent += await connection.write(framed.subarray(sent));
    }
    const head = await readExactly(connection, 2);
    return await readExactly(connection, head[0]! << 8 | head[1]!);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", leave);
    if (!signal.aborted) connection.close();
  }
}

/** Fewer bytes if the other side ends before. */
async function readExactly(
  connection: Deno.Conn,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = await connection.read(bytes.subarray(done));
    if (count === null) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

function answerOf(message: ReturnType<typeof decodeMessage>): DnsAnswer | null {
  if (message === null || message.type !== "response") return null;
  const { rcode, answers } = message;
  return { rcode, answers };
}
