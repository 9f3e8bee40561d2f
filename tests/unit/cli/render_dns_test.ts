import assert from "node:assert/strict";
import { dnsLines } from "../../../src/cli/render/dns.ts";
import { makePaint } from "../../../src/cli/render/paint.ts";

type Status = Parameters<typeof dnsLines>[0];

const NAMES = Array.from({ length: 10 }, (_, index) => `t${index}.localhost`);
const MISSING: Status = {
  ok: true,
  resolver: "etc_hosts",
  configured: "auto",
  tld: "localhost",
  port: null,
  active: false,
  installed: false,
  current: false,
  path: "/etc/hosts",
  detail: "/etc/hosts has none of the names",
  resolves: false,
  addresses: [],
  names: NAMES,
  unresolved: NAMES.slice(0, 8),
  skipped: [],
  problems: [],
  hint: "taskmux dns install",
};

Deno.test("dnsLines() lists no name as if it resolved that nobody looked up", () => {
  const lines = dnsLines(MISSING, makePaint(false));
  assert.deepEqual(lines.slice(2), [
    ...NAMES.slice(0, 8).map((name) => `  ${name}  does not resolve`),
    "  and 2 more",
    "Browsers and curl find them all the same; other programs do not",
    "next: taskmux dns install",
  ]);
  const there = { ...MISSING, resolves: true, unresolved: [], tld: "test" };
  assert.equal(dnsLines(there, makePaint(false)).length, 2 + 10 + 1);
});
