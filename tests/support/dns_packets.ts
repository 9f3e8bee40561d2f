/**
 * DNS messages for tests: honest ones, and what a hostile network makes of them.
 *
 * @module
 */

import { answerQuery } from "../../src/dns/answer_query.ts";
import { encodeRecord } from "../../src/dns/packet.ts";
import { Zone } from "../../src/dns/zone.ts";
import assert from "node:assert/strict";
import { randomFrom } from "./random.ts";

/** Names for tests below `.test`: two hosts, a deep one, a catch-all and two projects. */
export const TEST_ZONE: Zone = new Zone("test", [
  "shop.test",
  "api.shop.test",
  "deep.er.shop.test",
  "blog.test",
  "*.blog.test",
]);

/** What a message is made of. */
export interface MessageParts {
  readonly id?: number;
  /** Opcode and the bits beside it. */
  readonly flags?: number;
  /** Questions, answers, authorities, additionals, as they are claimed. */
  readonly counts?: readonly [number, number, number, number];
  readonly name?: string;
  readonly type?: number;
  readonly class?: number;
  /** Size that the client takes; absent = no EDNS. */
  readonly udpSize?: number;
  readonly ednsVersion?: number;
}

/** A question as a message. */
export function message(parts: MessageParts = {}): Uint8Array<ArrayBuffer> {
  const { id = 7, flags = 0x0100, name = "api.shop.test", type = 1 } = parts;
  const opt = parts.udpSize === undefined ? [] : [...encodeRecord({
    name: ".",
    type: "OPT",
    udpPayloadSize: parts.udpSize,
    extendedRcode: 0,
    ednsVersion: parts.ednsVersion ?? 0,
    flags: 0,
    options: [],
  })];
  const counts = parts.counts ?? [1, 0, 0, opt.length === 0 ? 0 : 1];
  const labels = name === "" ? [] : name.split(".").flatMap((label) => [
    label.length,
    ...new TextEncoder().encode(label),
  ]);
  const words = (...values: number[]): number[] =>
    values.flatMap((value) => [value >> 8, value & 0xff]);
  return new Uint8Array([
    ...words(id, flags, ...counts),
    ...labels,
    0,
    ...words(type, parts.class ?? 1),
    ...opt,
  ]);
}

/** Numbers from 0 up to below `end`. */
export type Chance = (end: number) => number;

const SEEDS = [
  message(),
  message({ udpSize: 4096 }),
  message({ udpSize: 100, type: 255, name: "x.y.z.blog.test" }),
  message({ name: "", type: 6 }),
  message({ name: `${"a".repeat(63)}.${"b".repeat(63)}.blog.test`, type: 28 }),
];

/** A message that was cut, lengthened, changed in some bytes, or is nothing but noise. */
export function hostileMessage(chance: Chance): Uint8Array<ArrayBuffer> {
  const kind = chance(8);
  if (kind === 0) return noise(chance(80), chance);
  const seed = SEEDS[chance(SEEDS.length)]!;
  const bytes = kind === 1
    ? seed.slice(0, chance(seed.length + 1))
    : kind === 2
    ? new Uint8Array([...seed, ...noise(chance(60), chance)])
    : seed.slice();
  for (let times = chance(6); times > 0 && bytes.length > 0; times--) {
    // Compression pointers, counts and lengths are where parsers go wrong.
    const values = [0, 0xc0, 0xff, 1, 0x3f, 0x40, 12, chance(256)];
    bytes[chance(bytes.length)] = values[chance(values.length)]!;
  }
  return bytes;
}

function noise(length: number, chance: Chance): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => chance(256));
}

/**
 * Has hostile messages answered and checks of each answer what every client relies on.
 *
 * @returns How many of them were answered.
 */
export function answerHostile(count: number, seed: number): number {
  const random = randomFrom(seed);
  const chance = (end: number): number => Math.floor(random() * end);
  let answered = 0;
  for (let index = 0; index < count; index++) {
    const query = hostileMessage(chance);
    const before = query.slice();
    const transport = chance(2) === 0 ? "udp" : "tcp";
    const answer = answerQuery(query, {
      zone: TEST_ZONE,
      transport,
      addresses: { v4: "127.0.0.1", v6: "::1" },
    });
    const isQuery = query.length >= 12 && (query[2]! & 0x80) === 0;
    const what = `seed ${seed}, message ${index}`;
    assert.equal(answer !== null, isQuery, what);
    if (answer === null) continue;
    answered++;
    // Cheaper than to compare whole arrays a million times.
    for (let at = 0; at < query.length; at++) {
      if (query[at] !== before[at]) assert.fail(`${what} was changed`);
    }
    const isRight = answer[0] === query[0] && answer[1] === query[1] &&
      (answer[2]! & 0xf8) === (0x80 | (query[2]! & 0x78)) &&
      answer.length <= (transport === "udp" ? 1_232 : 2_048);
    if (!isRight) assert.fail(`${what}: ${answer}`);
  }
  return answered;
}
