import assert from "node:assert/strict";
import { answerQuery } from "../../../src/dns/answer_query.ts";
import { decodeMessage } from "../../../src/dns/packet.ts";
import { Zone } from "../../../src/dns/zone.ts";
import {
  answerHostile,
  message,
  type MessageParts,
  TEST_ZONE,
} from "../../support/dns_packets.ts";

const ADDRESSES = { v4: "127.0.0.1", v6: "::1" };

function answer(
  parts: MessageParts,
  { zone = TEST_ZONE, transport = "udp" }: {
    readonly zone?: Zone;
    readonly transport?: "udp" | "tcp";
  } = {},
) {
  const query = message(parts);
  const bytes = answerQuery(query, { zone, transport, addresses: ADDRESSES });
  assert(bytes !== null);
  const read = decodeMessage(bytes);
  assert(read !== null, "the answer cannot be read");
  const { rcode, answers, questions } = read;
  const { authorities, additionals, flag_aa, flag_rd, opcode } = read as
    & typeof read
    & Record<
      | "authorities"
      | "additionals",
      { type: string; [key: string]: unknown }[]
    >
    & Record<"flag_aa" | "flag_rd", boolean>
    & Record<"opcode", string>;
  return {
    bytes,
    rcode,
    isCut: read.flag_tc,
    questions,
    flag_aa,
    flag_rd,
    opcode,
    additionals,
    authorities: authorities.map(({ type }) => type),
    answers: answers.map(({ type, ttl, data }) => ({ type, ttl, data })),
  };
}

const V4 = { type: "A", ttl: 5, data: "127.0.0.1" };
const V6 = { type: "AAAA", ttl: 5, data: "::1" };

Deno.test("names have the addresses of loopback, and nothing else", () => {
  for (
    const name of [
      "api.shop.test",
      "shop.test",
      "x.blog.test",
      "a.b.blog.test",
    ]
  ) {
    assert.deepEqual(answer({ name }).answers, [V4], name);
    assert.deepEqual(answer({ name, type: 28 }).answers, [V6], name);
    assert.deepEqual(answer({ name, type: 255 }).answers, [V4, V6], name);
    for (const type of [15, 65, 16, 5, 1234]) {
      const { rcode, answers, authorities } = answer({ name, type });
      assert.equal(rcode, "NOERROR");
      assert.deepEqual([answers, authorities], [[], ["SOA"]], `${type}`);
    }
  }
});

Deno.test("what is not there is told apart from what has no address", () => {
  const facts = (name: string) => {
    const { rcode, authorities, flag_aa } = answer({ name });
    return [rcode, authorities, flag_aa];
  };
  assert.deepEqual(facts("nope.shop.test"), ["NXDOMAIN", ["SOA"], true]);
  assert.deepEqual(facts("other.test"), ["NXDOMAIN", ["SOA"], true]);
  assert.deepEqual(facts("er.shop.test"), ["NOERROR", ["SOA"], true]);
  assert.deepEqual(facts("test"), ["NOERROR", ["SOA"], true]);
  assert.deepEqual(facts("example.com"), ["REFUSED", [], false]);
  assert.deepEqual(facts("shoptest"), ["REFUSED", [], false]);
  assert.deepEqual(facts(""), ["REFUSED", [], false]);
  assert.equal(answer({ name: "test", type: 6 }).answers[0]?.type, "SOA");
});

Deno.test("all of localhost is this machine", () => {
  const zone = new Zone("localhost", ["api.shop.localhost"]);
  for (const name of ["localhost", "x.localhost", "a.b.c.localhost"]) {
    assert.deepEqual(answer({ name }, { zone }).answers, [V4], name);
  }
  assert.equal(answer({ name: "notlocalhost" }, { zone }).rcode, "REFUSED");
});

Deno.test("the question goes back as it was written", () => {
  const { questions, answers } = answer({ name: "aPi.ShOp.TeSt" });
  assert.equal(questions[0]?.name, "aPi.ShOp.TeSt");
  assert.deepEqual(answers, [V4]);
});

Deno.test("EDNS is answered in kind, another version of it refused", () => {
  const plain = answer({});
  assert.equal(plain.additionals.length, 0);
  const [opt] = answer({ udpSize: 4096 }).additionals;
  assert.equal(opt?.["udpPayloadSize"], 1232);
  const other = answer({ udpSize: 4096, ednsVersion: 1 });
  assert.equal(other.additionals[0]?.["extendedRcode"], 1, "BADVERS is 16");
  assert.equal(other.rcode, "NOERROR");
  assert.deepEqual(other.answers, []);
});

Deno.test("what is no question about names is refused in the right words", () => {
  const rcode = (parts: MessageParts) => answer(parts).rcode;
  assert.equal(rcode({ flags: 0x2800 }), "NOTIMP");
  assert.equal(answer({ flags: 0x2800 }).opcode, "UPDATE");
  assert.equal(answer({ flags: 0x1000 }).opcode, "STATUS");
  assert.equal(rcode({ class: 3 }), "REFUSED");
  assert.equal(rcode({ type: 252 }), "REFUSED");
  assert.equal(rcode({ counts: [2, 0, 0, 0] }), "FORMERR");
  assert.equal(rcode({ counts: [0, 0, 0, 0] }), "FORMERR");
  assert.equal(rcode({ counts: [1, 65_535, 0, 0] }), "FORMERR");
  assert.equal(rcode({ counts: [1, 0, 0, 65_535] }), "FORMERR");
  assert.equal(rcode({ counts: [1, 0, 0, 1] }), "FORMERR", "none is there");
});

Deno.test("answers and fragments are not answered", () => {
  const options = {
    zone: TEST_ZONE,
    transport: "udp",
    addresses: ADDRESSES,
  } as const;
  assert.equal(answerQuery(message({ flags: 0x8180 }), options), null);
  assert.equal(answerQuery(message().subarray(0, 11), options), null);
  assert.equal(answerQuery(new Uint8Array(), options), null);
  const formErr = answerQuery(message().subarray(0, 15), options);
  assert.equal(formErr?.[3], 1);
  assert.equal(formErr?.length, 12);
});

Deno.test("what does not fit into a datagram is cut, and whole by TCP", () => {
  const label = "x".repeat(60);
  const name = `${label}.${label}.${label}.${"y".repeat(50)}.blog.test`;
  const cut = answer({ name, type: 255 });
  assert.equal(cut.isCut, true);
  assert.deepEqual(cut.answers, []);
  assert.ok(cut.bytes.length <= 512);
  const whole = answer({ name, type: 255 }, { transport: "tcp" });
  assert.deepEqual(whole.answers, [V4, V6]);
  const roomy = answer({ name, type: 255, udpSize: 1232 });
  assert.deepEqual([roomy.isCut, roomy.answers], [false, [V4, V6]]);
});

Deno.test("without IPv6 there is no address of it", () => {
  const bytes = answerQuery(message({ type: 28 }), {
    zone: TEST_ZONE,
    transport: "udp",
    addresses: { v4: "127.0.0.1", v6: null },
  });
  assert.deepEqual(decodeMessage(bytes!)?.answers, []);
});

Deno.test("hostile messages are answered rightly or not at all", () => {
  const answered = answerHostile(30_000, 20_261_120);
  assert.ok(answered > 15_000, `${answered} were answered`);
});
