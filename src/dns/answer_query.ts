/**
 * One DNS message in, one out (RFC 1035, 2308, 6891). Pure, and safe for anything that a network may bring.
 *
 * The frame of a message (header, question) is read by hand: dns-packet believes its counts, of which 12 bytes can
 * claim 65,535 records each, and loses the bytes of a name that is no text. Records are the library's.
 *
 * @module
 */

import { decodeRecord, encodeRecord, type OptRecord } from "./packet.ts";
import type { Zone } from "./zone.ts";

/** How long an answer may be kept: long enough for one page, short enough for a host that was just added. */
export const TTL_S = 5;

/** What we take by UDP, and most that we send: fits into every path without fragments (DNS flag day 2020). */
const EDNS_SIZE = 1_232;

/** What everybody takes by UDP. */
const PLAIN_SIZE = 512;

const HEADER_LENGTH = 12;
const MAX_LABEL_LENGTH = 63;
/** With the final empty label. */
const MAX_NAME_LENGTH = 255;

/** Beside the one of EDNS there may be a signature. */
const MAX_ADDITIONALS = 4;

const RCODE = {
  noError: 0,
  formatError: 1,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

const TYPE = {
  a: 1,
  soa: 6,
  aaaa: 28,
  opt: "OPT",
  ixfr: 251,
  axfr: 252,
  any: 255,
} as const;

const CLASS_IN = 1;

const BIT = {
  /** Of the third byte. */
  response: 0x80,
  authoritative: 0x04,
  truncated: 0x02,
  recursionDesired: 0x01,
  /** Of the fourth byte. */
  checkingDisabled: 0x10,
  /** Of the flags of EDNS. */
  dnssecOk: 0x8000,
} as const;

/** How to answer. */
export interface AnswerOptions {
  readonly zone: Zone;
  /** UDP answers are cut to what the client takes. */
  readonly transport: "udp" | "tcp";
  /** Addresses of this machine, in the order of answers. */
  readonly addresses: { readonly v4: string; readonly v6: string | null };
}

/**
 * The answer to a message.
 *
 * @returns Null for what must not be answered: an answer, or less than a header.
 */
export function answerQuery(
  message: Uint8Array,
  options: AnswerOptions,
): Uint8Array<ArrayBuffer> | null {
  if (message.length < HEADER_LENGTH) return null;
  if ((byte(message, 2) & BIT.response) !== 0) return null;
  if ((byte(message, 2) & 0x78) !== 0) {
    return respond(message, { rcode: RCODE.notImplemented });
  }
  const counts = [4, 6, 8, 10].map((offset) => uint16(message, offset));
  const [questions, answers, authorities, additionals = 0] = counts;
  const question = questions === 1 ? readQuestion(message) : null;
  const isFramed = answers === 0 && authorities === 0 &&
    additionals <= MAX_ADDITIONALS;
  if (question === null || !isFramed) {
    return respond(message, { rcode: RCODE.formatError });
  }
  const found = readOpt(message, question.end, additionals);
  if (found === "malformed") {
    return respond(message, { rcode: RCODE.formatError, question });
  }
  const edns = found === null ? null : ednsOf(found);
  if (found !== null && found.ednsVersion !== 0) {
    return respond(message, { rcode: RCODE.badVersion, question, edns });
  }
  const content = contentFor(question, options);
  const limit = options.transport === "tcp"
    ? Infinity
    : Math.min(EDNS_SIZE, Math.max(PLAIN_SIZE, found?.udpPayloadSize ?? 0));
  return respond(message, { ...content, question, edns, limit });
}

interface Question {
  /** Lower case, without a final dot; null if it is none that could be ours. */
  readonly name: string | null;
  readonly type: number;
  readonly class: number;
  /** Where the rest of the message begins. */
  readonly end: number;
}

/** The question as it stands behind the header; null if it is malformed. Names in questions are not compressed. */
function readQuestion(message: Uint8Array): Question | null {
  const labels: string[] = [];
  let isPlain = true;
  let offset = HEADER_LENGTH;
  while (true) {
    if (offset >= message.length) return null;
    const length = byte(message, offset);
    if (length > MAX_LABEL_LENGTH) return null;
    const next = offset + 1 + length;
    if (next - HEADER_LENGTH > MAX_NAME_LENGTH) return null;
    if (length === 0) break;
    if (next > message.length) return null;
    const label = String.fromCharCode(...message.subarray(offset + 1, next));
    isPlain &&= /^[\x21-\x7e]+$/.test(label) && !/[.\\*]/.test(label);
    labels.push(label.toLowerCase());
    offset = next;
  }
  const end = offset + 5;
  if (end > message.length) return null;
  return {
    name: isPlain ? labels.join(".") : null,
    type: uint16(message, offset + 1),
    class: uint16(message, offset + 3),
    end,
  };
}

/** The record of EDNS, of which there is at most one (RFC 6891 §6.1.1); null without one. */
function readOpt(
  message: Uint8Array,
  start: number,
  count: number,
): OptRecord | null | "malformed" {
  let opt: OptRecord | null = null;
  let offset = start;
  for (let index = 0; index < count; index++) {
    const reading = decodeRecord(message, offset);
    if (reading === null) return "malformed";
    offset = reading.end;
    if (!isOpt(reading.record)) continue;
    if (opt !== null || reading.record.name !== ".") return "malformed";
    opt = reading.record;
  }
  return opt;
}

function isOpt(record: object): record is OptRecord {
  return "type" in record && record.type === TYPE.opt;
}

/** Ours, in answer to theirs. No option of theirs is known here, and unknown ones are passed over. */
function ednsOf({ flags }: OptRecord): OptRecord {
  return {
    name: ".",
    type: TYPE.opt,
    udpPayloadSize: EDNS_SIZE,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: flags & BIT.dnssecOk,
    options: [],
  };
}

/** What is between the question and the record of EDNS. */
interface Content {
  readonly rcode: number;
  readonly isAuthoritative?: boolean;
  readonly answers?: readonly Uint8Array[];
  readonly authorities?: readonly Uint8Array[];
}

function contentFor(
  question: Question,
  { zone, addresses }: AnswerOptions,
): Content {
  const { name, type } = question;
  const isTransfer = type === TYPE.axfr || type === TYPE.ixfr;
  if (question.class !== CLASS_IN || isTransfer || name === null) {
    return { rcode: RCODE.refused };
  }
  const kind = zone.find(name);
  if (kind === "outside") return { rcode: RCODE.refused };
  const isAuthoritative = true;
  const soa = encodeRecord(soaOf(zone.tld));
  if (kind === "absent") {
    return { rcode: RCODE.nameError, isAuthoritative, authorities: [soa] };
  }
  const answers: Uint8Array[] = [];
  if (kind === "address") {
    const { v4, v6 } = addresses;
    const wants = (one: number): boolean => type === one || type === TYPE.any;
    if (wants(TYPE.a)) answers.push(addressOf(name, "A", v4));
    if (wants(TYPE.aaaa) && v6 !== null) {
      answers.push(addressOf(name, "AAAA", v6));
    }
  }
  if (type === TYPE.soa && name === zone.tld) answers.push(soa);
  return answers.length > 0
    ? { rcode: RCODE.noError, isAuthoritative, answers }
    : { rcode: RCODE.noError, isAuthoritative, authorities: [soa] };
}

function addressOf(name: string, type: "A" | "AAAA", data: string): Uint8Array {
  return encodeRecord({ name, type, class: "IN", ttl: TTL_S, data });
}

/** Who is asked for what is not there, and for how long that holds (RFC 2308). */
function soaOf(tld: string) {
  return {
    name: tld,
    type: "SOA",
    class: "IN",
    ttl: TTL_S,
    data: {
      mname: tld,
      rname: `taskmux.${tld}`,
      serial: 1,
      refresh: TTL_S,
      retry: TTL_S,
      expire: TTL_S,
      minimum: TTL_S,
    },
  };
}

interface Response extends Content {
  readonly question?: Question;
  readonly edns?: OptRecord | null;
  /** Most bytes. What does not fit is left out and marked so. */
  readonly limit?: number;
}

/** Puts an answer together. The question goes back byte for byte, in the letters in which it came. */
function respond(
  message: Uint8Array,
  response: Response,
): Uint8Array<ArrayBuffer> {
  const { rcode, question, edns = null, limit = Infinity } = response;
  const opt = edns === null
    ? null
    : encodeRecord({ ...edns, extendedRcode: rcode >> 4 });
  const { answers = [], authorities = [] } = response;
  const end = question?.end ?? HEADER_LENGTH;
  const records = [...answers, ...authorities];
  const whole = end + lengthOf(records) + (opt?.length ?? 0);
  const isCut = whole > limit;
  const rest = [...isCut ? [] : records, ...opt === null ? [] : [opt]];
  const out = new Uint8Array(end + lengthOf(rest));
  out.set(message.subarray(0, end));
  out[2] = BIT.response |
    (byte(message, 2) & (0x78 | BIT.recursionDesired)) |
    (response.isAuthoritative === true ? BIT.authoritative : 0) |
    (isCut ? BIT.truncated : 0);
  out[3] = (byte(message, 3) & BIT.checkingDisabled) | (rcode & 0x0f);
  const counts = [
    question === undefined ? 0 : 1,
    isCut ? 0 : answers.length,
    isCut ? 0 : authorities.length,
    opt === null ? 0 : 1,
  ];
  counts.forEach((count, index) => {
    out[4 + 2 * index] = 0;
    out[5 + 2 * index] = count;
  });
  let offset = end;
  for (const record of rest) {
    out.set(record, offset);
    offset += record.length;
  }
  return out;
}

function lengthOf(records: readonly Uint8Array[]): number {
  return records.reduce((sum, record) => sum + record.length, 0);
}

function byte(bytes: Uint8Array, offset: number): number {
  return bytes[offset] ?? 0;
}

function uint16(bytes: Uint8Array, offset: number): number {
  return byte(bytes, offset) << 8 | byte(bytes, offset + 1);
}
