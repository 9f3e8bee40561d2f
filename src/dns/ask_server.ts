/**
 * Asks a DNS server of this machine one question.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import { decodeMessage, encodeQuery } from "./packet.ts";

/** What is asked. */
export interface DnsQuestion {
  readonly name: string;
  /** Name of a type in any case, such as `AAAA`, or `TYPE` and its number. */
  readonly type: string;
  readonly port: number;
}

/** What a server answered. */
export interface DnsAnswer {
  /** The type in upper case. */
  readonly type: string;
  /** `NOERROR`, `NXDOMAIN`, `REFUSED`, … */
  readonly rcode: string;
  /** What the records say, without name, type and time. */
  readonly answers: string[];
}

/** Names of types and their numbers. */
const TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  SVCB: 64,
  HTTPS: 65,
  ANY: 255,
  CAA: 257,
};

const MAX_TYPE = 65_535;

/** How long an answer is waited for. */
const ANSWER_MS = 2_000;

const NAME_REGEXP = /^(?:[^.\s]{1,63}\.)*[^.\s]{1,63}\.?$/;

/** Longest answer by UDP without EDNS, with room for servers that do not care. */
const MAX_ANSWER_LENGTH = 4_096;

/**
 * Asks `127.0.0.1` by UDP, and by TCP if the answer does not fit. Takes {@linkcode ANSWER_MS} at most. Needs
 * `--unstable-net`.
 *
 * @throws {TaskmuxError} E500 if name or type is none, E721 if nothing answers, or not in DNS.
 * @throws The reason of the signal.
 */
export async function askServer(
  question: DnsQuestion,
  signal: AbortSignal,
): Promise<DnsAnswer> {
  const { name, port } = question;
  const type = question.type.toUpperCase();
  const query = encodeQuery(randomId(), {
    name: plainName(name),
    type: `UNKNOWN_${numberOf(type)}`,
  });
  const clock = systemClock;
  const failure = (state: string, cause?: unknown) =>
    new TaskmuxError("E721", `Cannot ask for "${name}": ${state}`, {
      hint: "taskmux dns status",
      ...cause === undefined ? {} : { cause },
    });
  try {
    const message = await withDeadline(
      { clock, ms: ANSWER_MS, signal },
      (limited) => exchange(query, port, limited),
    );
    if (message === null || message.type !== "response") {
      throw failure(`what answers at port ${port} speaks no DNS`);
    }
    const { rcode } = message;
    return { type, rcode, answers: message.answers.map(textOf) };
  } catch (error) {
    if (error instanceof DeadlineError) {
      throw failure(`nothing answers at port ${port}`, error);
    }
    if (error instanceof Deno.errors.ConnectionRefused) {
      throw failure(`nothing listens at port ${port}`, error);
    }
    throw error;
  }
}

async function exchange(query: Uint8Array, port: number, signal: AbortSignal) {
  const message = decodeMessage(await byUdp(query, port, signal));
  return message?.flag_tc === true
    ? decodeMessage(await byTcp(query, port, signal))
    : message;
}

function randomId(): number {
  return crypto.getRandomValues(new Uint16Array(1))[0] ?? 0;
}

function plainName(name: string): string {
  if (name === ".") return name;
  if (NAME_REGEXP.test(name) && name.length < 255) {
    return name.replace(/\.$/, "");
  }
  throw new TaskmuxError("E500", `Cannot ask for "${name}": it is no name`, {
    hint: "taskmux dns query api.shop.localhost",
  });
}

function numberOf(type: string): number {
  const [, digits] = /^TYPE(\d{1,5})$/.exec(type) ?? [];
  const number = digits === undefined ? TYPES[type] : Number(digits);
  if (number !== undefined && number <= MAX_TYPE) return number;
  throw new TaskmuxError(
    "E500",
    `Cannot ask for records of type "${type}": it is none of ${
      Object.keys(TYPES).join(", ")
    }`,
    { hint: "TYPE64 stands for the type of that number" },
  );
}

function textOf({ data }: { readonly data?: unknown }): string {
  return typeof data === "string" ? data : JSON.stringify(data);
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
