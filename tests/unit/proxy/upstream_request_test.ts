import assert from "node:assert/strict";
import { valuesOf } from "../../../src/proxy/end_to_end_headers.ts";
import {
  upstreamHeaders,
  type UpstreamRequestParts,
} from "../../../src/proxy/upstream_request.ts";

function headersOf(parts: Partial<UpstreamRequestParts>): string[] {
  return upstreamHeaders({
    method: "GET",
    headers: [],
    hasBody: false,
    keepsConnection: true,
    avoidsNotModified: false,
    client: "127.0.0.1",
    authority: "api.shop.localhost:8443",
    ...parts,
  });
}

function value(parts: Partial<UpstreamRequestParts>, name: string): string {
  return valuesOf(headersOf(parts), name).join(" | ");
}

Deno.test("a task is told who asked, for what name, and how", () => {
  const headers = headersOf({ client: "::ffff:127.0.0.1" });
  assert.deepEqual(headers.slice(0, 2), ["Host", "api.shop.localhost:8443"]);
  const told = (name: string): string => valuesOf(headers, name).join(" | ");
  assert.equal(told("x-forwarded-for"), "127.0.0.1");
  assert.equal(told("x-forwarded-proto"), "https");
  assert.equal(told("x-forwarded-host"), "api.shop.localhost:8443");
  assert.equal(told("x-forwarded-port"), "8443");
  assert.equal(
    told("forwarded"),
    'for=127.0.0.1;host="api.shop.localhost:8443";proto=https',
  );
});

Deno.test("an IPv6 client and a name without a port are written as RFC 7239 has it", () => {
  const parts = { client: "::1", authority: "shop.localhost" };
  assert.equal(
    value(parts, "forwarded"),
    'for="[::1]";host=shop.localhost;proto=https',
  );
  assert.equal(value(parts, "x-forwarded-port"), "443");
});

const CLAIMS = [
  "X-Forwarded-For",
  "203.0.113.9",
  "X-Forwarded-Proto",
  "http",
  "x-forwarded-host",
  "shop.example",
  "Forwarded",
  "for=203.0.113.9",
];

Deno.test("what a client of this machine says of its own client is kept and completed", () => {
  const parts = { headers: CLAIMS };
  assert.equal(value(parts, "x-forwarded-for"), "203.0.113.9, 127.0.0.1");
  assert.equal(value(parts, "x-forwarded-proto"), "http");
  assert.equal(value(parts, "x-forwarded-host"), "shop.example");
  assert.match(value(parts, "forwarded"), /^for=203\.0\.113\.9, for=127/);
});

Deno.test("what any other client says is replaced", () => {
  const parts = { headers: CLAIMS, client: "192.0.2.7" };
  assert.equal(value(parts, "x-forwarded-for"), "192.0.2.7");
  assert.equal(value(parts, "x-forwarded-proto"), "https");
  assert.equal(value(parts, "x-forwarded-host"), "api.shop.localhost:8443");
  assert.match(value(parts, "forwarded"), /^for=192\.0\.2\.7;/);
});

Deno.test("a body is framed as it was; where one is expected its absence is said", () => {
  const framing = (parts: Partial<UpstreamRequestParts>): string =>
    `${value(parts, "content-length")}/${value(parts, "transfer-encoding")}`;
  assert.equal(framing({}), "/");
  assert.equal(framing({ method: "POST" }), "0/");
  assert.equal(framing({ method: "POST", hasBody: true }), "/chunked");
  assert.equal(framing({ hasBody: true }), "/chunked");
  const length = { headers: ["content-length", "3"], hasBody: true };
  assert.equal(framing(length), "3/");
  const coded = { headers: ["Transfer-Encoding", "gzip, chunked"] };
  assert.equal(framing({ ...coded, hasBody: true }), "/gzip, chunked");
});

Deno.test("the cookies that HTTP/2 splits are one field again, where the first was", () => {
  const headers = headersOf({
    headers: [":path", "/", "cookie", "a=1", "accept", "*/*", "cookie", "b=2"],
  });
  assert.deepEqual(headers.slice(2, 6), [
    "cookie",
    "a=1; b=2",
    "accept",
    "*/*",
  ]);
  assert.deepEqual(valuesOf(headers, "cookie").length, 1);
});

Deno.test("TE goes on only for trailers, as a field of the next hop", () => {
  const parts = { headers: ["TE", "gzip, trailers"], keepsConnection: false };
  assert.equal(value(parts, "te"), "trailers");
  assert.equal(value(parts, "connection"), "close, TE");
  assert.equal(value({ headers: ["TE", "gzip"] }, "te"), "");
  assert.equal(value({}, "connection"), "keep-alive");
});

Deno.test("a task that is not to answer 304 does not hear of what the client has", () => {
  const headers = [
    "If-None-Match",
    '"a"',
    "If-Modified-Since",
    "x",
    "ETag",
    "b",
  ];
  const parts = { headers, avoidsNotModified: true };
  assert.equal(value(parts, "if-none-match"), "");
  assert.equal(value(parts, "if-modified-since"), "");
  assert.equal(value(parts, "etag"), "b");
  assert.equal(value({ headers }, "if-none-match"), '"a"');
});
