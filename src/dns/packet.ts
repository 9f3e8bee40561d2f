/**
 * The part of dns-packet that is used here, with types: its own come with those of Node, which are not those of Deno.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import untyped from "dns-packet";

/** A record. What `data` is depends on the type. */
export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  readonly class?: string;
  /** Seconds. */
  readonly ttl?: number;
  readonly data?: unknown;
}

/** The pseudo record of EDNS (RFC 6891). */
export interface OptRecord {
  readonly name: ".";
  readonly type: "OPT";
  readonly udpPayloadSize: number;
  /** Upper eight bits of the answer's code. */
  readonly extendedRcode: number;
  readonly ednsVersion: number;
  readonly flags: number;
  readonly options: readonly unknown[];
}

/** A message that was read. */
export interface DnsMessage {
  readonly id: number;
  readonly type: "query" | "response";
  readonly rcode: string;
  readonly flag_tc: boolean;
  readonly questions: readonly DnsRecord[];
  readonly answers: readonly DnsRecord[];
}

interface DnsPacket {
  readonly RECURSION_DESIRED: number;
  readonly answer: {
    encode(record: DnsRecord | OptRecord): Uint8Array<ArrayBuffer>;
    readonly decode: {
      (bytes: Buffer, offset: number): DnsRecord | OptRecord;
      /** Length of the record that was read last. */
      readonly bytes: number;
    };
  };
  encode(message: object): Uint8Array<ArrayBuffer>;
  decode(bytes: Buffer): DnsMessage;
}

const dnsPacket = untyped as DnsPacket;

/** A record as bytes, without compression. */
export function encodeRecord(
  record: DnsRecord | OptRecord,
): Uint8Array<ArrayBuffer> {
  return dnsPacket.answer.encode(record);
}

/** A record that was read, and where the next one begins. */
export interface RecordReading {
  readonly record: DnsRecord | OptRecord;
  readonly end: number;
}

/**
 * Reads one record. Its cost is bounded by the length of the message.
 *
 * @returns Null if it is malformed.
 */
export function decodeRecord(
  message: Uint8Array,
  offset: number,
): RecordReading | null {
  try {
    const record = dnsPacket.answer.decode(bufferOf(message), offset);
    const end = offset + dnsPacket.answer.decode.bytes;
    return end > message.length ? null : { record, end };
  } catch (error) {
    // The library throws plain errors, and RangeError of Buffer.
    if (error instanceof Error) return null;
    throw error;
  }
}

/**
 * A question as a message that asks for recursion.
 *
 * @param type Its name, or `UNKNOWN_` and its number.
 */
export function encodeQuery(
  id: number,
  { name, type }: { readonly name: string; readonly type: string },
): Uint8Array<ArrayBuffer> {
  return dnsPacket.encode({
    type: "query",
    id,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ name, type, class: "IN" }],
  });
}

/**
 * Reads a whole message of a server that is trusted not to be hostile.
 *
 * @returns Null if it is malformed.
 */
export function decodeMessage(message: Uint8Array): DnsMessage | null {
  try {
    return dnsPacket.decode(bufferOf(message));
  } catch (error) {
    if (error instanceof Error) return null;
    throw error;
  }
}

/** The same bytes as the library wants them. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
