import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { scryptSync } from "node:crypto";
import {
  basicRecord,
  COST,
  isGranted,
  isNarrower,
  isRight,
  LINK_MS,
  linkRecord,
  newLink,
  openRecord,
  parseAccessRecord,
  SESSION_MS,
  useLink,
} from "../../../src/proxy/access_record.ts";

const NOW = 1_790_000_000_000;

const at = (now: number) => ({ now: () => now });

Deno.test("a password is kept as what is slow to guess, and never twice the same", async () => {
  const one = await basicRecord("ana", "hush");
  const other = await basicRecord("ana", "hush");
  assert.notEqual(one.hash, other.hash);
  const salt = Buffer.from(one.salt, "base64url");
  assert.equal(
    scryptSync("hush", salt, 32, COST).toString("base64url"),
    one.hash,
  );
  assert.equal(await isRight(one, { user: "ana", password: "hush" }), true);
  assert.equal(await isRight(one, { user: "ana", password: "Hush" }), false);
  assert.equal(await isRight(one, { user: "eve", password: "hush" }), false);
});

Deno.test("names and passwords that no browser can send are refused", async () => {
  for (
    const [user, password] of [
      ["", "x"],
      ["a:b", "x"],
      ["a\n", "x"],
      ["a", ""],
      ["a", "\0"],
    ] as const
  ) {
    await assert.rejects(basicRecord(user, password), { code: "E104" });
  }
});

Deno.test("a link ends after a day or when it is used, a session after a month", () => {
  const { record, token } = newLink(linkRecord(), at(NOW));
  assert.equal(isGranted(record.links, token, NOW + LINK_MS - 1), true);
  assert.equal(isGranted(record.links, token, NOW + LINK_MS), false);
  assert.equal(useLink(record, token, NOW + LINK_MS), null);
  assert.equal(useLink(record, "x", NOW), null);
  const used = useLink(record, token, NOW);
  assert.ok(used !== null);
  assert.deepEqual(used.record.links, []);
  assert.equal(useLink(used.record, token, NOW), null);
  const { sessions } = used.record;
  assert.equal(isGranted(sessions, used.session, NOW + SESSION_MS - 1), true);
  assert.equal(isGranted(sessions, used.session, NOW + SESSION_MS), false);
  // A link is no session, and what is kept of one is none either.
  assert.equal(isGranted(sessions, token, NOW), false);
  assert.equal(isGranted(sessions, sessions[0]?.hash ?? "", NOW), false);
  assert.throws(() => newLink(openRecord(), at(NOW)), TypeError);
});

Deno.test("links and sessions are bounded: the oldest give way", () => {
  let record = linkRecord();
  const tokens: string[] = [];
  for (let index = 0; index < 150; index++) {
    const made = newLink(record, at(NOW));
    record = made.record;
    tokens.push(made.token);
  }
  assert.equal(record.links.length, 100);
  assert.equal(isGranted(record.links, tokens[0] ?? "", NOW), false);
  assert.equal(isGranted(record.links, tokens[149] ?? "", NOW), true);
  for (let index = 0; index < 1_100; index++) {
    const made = newLink({ ...record, links: [] }, at(NOW));
    record = useLink(made.record, made.token, NOW)?.record ?? record;
  }
  assert.equal(record.sessions.length, 1_000);
  // What has expired goes first.
  assert.equal(newLink(record, at(NOW + LINK_MS)).record.links.length, 1);
});

Deno.test("what lets fewer in is told from what lets more in", async () => {
  const open = openRecord();
  const basic = await basicRecord("ana", "hush");
  const { record: invited, token } = newLink(linkRecord(), at(NOW));
  const used = useLink(invited, token, NOW)?.record ?? invited;
  assert.equal(isNarrower(open, basic), false);
  assert.equal(isNarrower(basic, open), true);
  assert.equal(isNarrower(basic, basic), false);
  assert.equal(isNarrower(await basicRecord("ana", "hush"), basic), true);
  assert.equal(isNarrower(linkRecord(), basic), true);
  assert.equal(isNarrower(invited, linkRecord()), false);
  assert.equal(isNarrower(newLink(used, at(NOW)).record, used), false);
  assert.equal(isNarrower(linkRecord(), used), true);
});

Deno.test("a record survives its file, and a damaged one is none", async () => {
  const { record, token } = newLink(linkRecord(), at(NOW));
  const used = useLink(record, token, NOW)?.record ?? record;
  for (
    const each of [openRecord(), await basicRecord("ana", "hush"), record, used]
  ) {
    assert.deepEqual(parseAccessRecord(JSON.parse(JSON.stringify(each))), each);
  }
  for (
    const damaged of [
      null,
      "open",
      {},
      { kind: "all" },
      { kind: "basic", user: "ana", salt: "", hash: "" },
      { kind: "basic", user: "ana", hash: "x".repeat(43) },
      { kind: "link", links: [], sessions: [{ hash: "x" }] },
      { kind: "link", links: [] },
    ]
  ) assert.equal(parseAccessRecord(damaged), null);
});
