/**
 * The Cloudflare of the tests refuses what the real one refuses: what it lets through by mistake would be tested nowhere.
 *
 * @module
 */

import assert from "node:assert/strict";
import { FakeCloudflare } from "../support/fake_cloudflare.ts";
import type { FakeToken } from "../support/fake_cloudflare/world.ts";
import { askPublic } from "../support/fake_edge/public_client.ts";

/** Opened outside of any test. Each request has its own connection: on one that is kept, fetch repeats even a POST. */
const CLIENT = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

interface Answer {
  readonly status: number;
  /** The first error's code, then those of its chain. */
  readonly codes: readonly number[];
  readonly result: unknown;
  readonly total: number;
  readonly headers: Headers;
}

/** Asks as somebody who has this token. */
function asker(
  { base }: FakeCloudflare,
  token: FakeToken | string | null,
): (method: string, path: string, body?: unknown) => Promise<Answer> {
  const value = typeof token === "string" ? token : `Bearer ${token?.value}`;
  return async (method, path, body) => {
    const answer = await fetch(`${base}${path}`, {
      client: CLIENT,
      method,
      headers: token === null ? {} : { authorization: value },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const { errors, result, result_info, success } = await answer.json();
    assert.equal(success, answer.ok);
    const [error] = errors;
    return {
      status: answer.status,
      codes: error === undefined
        ? []
        : [error, ...error.error_chain ?? []].map(({ code }) => code),
      result,
      total: result_info?.total_count,
      headers: answer.headers,
    };
  };
}

function said({ status, codes }: Answer): string {
  return [status, ...codes].join(" ");
}

Deno.test("who asks without a good token is refused, by each endpoint in its own way", async () => {
  await using cloudflare = await FakeCloudflare.open();
  const { account, zone } = cloudflare;
  const expired = cloudflare.token({ status: "expired" });
  const revoked = cloudflare.token();
  cloudflare.revoke(revoked);
  const tunnels = `/accounts/${account.id}/cfd_tunnel`;
  const table: [string | null | FakeToken, string, string][] = [
    [null, "/user/tokens/verify", "400 6003 6111"],
    ["Bearer short", "/zones", "400 6003 6111"],
    ["Basic dXNlcjpwYXNz", "/zones", "400 6003 6111"],
    [revoked, "/user/tokens/verify", "401 1000"],
    [revoked, "/zones", "403 9109"],
    [revoked, tunnels, "403 10000"],
    [expired, "/user/tokens/verify", "200"],
    [expired, "/zones", "403 9109"],
    [cloudflare.token({ owner: "account" }), "/user/tokens/verify", "401 1000"],
    [
      cloudflare.token({ owner: "account" }),
      `/accounts/${account.id}/tokens/verify`,
      "200",
    ],
    [cloudflare.token({ scopes: ["dns:edit"] }), tunnels, "403 10000"],
    [
      cloudflare.token({ scopes: ["tunnel:edit"] }),
      `/zones/${zone.id}/dns_records`,
      "403 10000",
    ],
    [cloudflare.token({ accounts: [] }), tunnels, "403 10000"],
    [cloudflare.token({ zones: [] }), `/zones/${zone.id}`, "403 9109"],
    [cloudflare.token(), "/zones/none", "404 7003 7000"],
    [cloudflare.token(), "/nowhere", "404 7003 7000"],
  ];
  for (const [token, path, expected] of table) {
    const answer = await asker(cloudflare, token)("GET", path);
    assert.equal(said(answer), expected, path);
  }
  const { total } = await asker(
    cloudflare,
    cloudflare.token({ scopes: ["tunnel:edit"] }),
  )("GET", "/zones");
  assert.equal(total, 0, "no scope on zones: none are listed");
});

Deno.test("tunnels have one name each, keep a catch-all rule, and are not deleted while they are used", async () => {
  await using cloudflare = await FakeCloudflare.open();
  const ask = asker(cloudflare, cloudflare.token());
  const tunnels = `/accounts/${cloudflare.account.id}/cfd_tunnel`;
  const wanted = { name: "shop", config_src: "cloudflare" };
  const { result } = await ask("POST", tunnels, wanted);
  const { id } = result as { id: string };
  assert.equal(said(await ask("POST", tunnels, wanted)), "409 1013");
  const config = `${tunnels}/${id}/configurations`;
  assert.equal(said(await ask("GET", config)), "404 1055");
  const rule = { hostname: "a.example.com", service: "http://127.0.0.1:1" };
  const last = { service: "http_status:404" };
  for (const ingress of [[], [rule], [last, rule], [last, last]]) {
    const answer = await ask("PUT", config, { config: { ingress } });
    assert.equal(said(answer), "400 1056");
  }
  assert.equal(
    said(await ask("PUT", config, { config: { ingress: [rule, last] } })),
    "200",
  );
  assert.deepEqual(cloudflare.ingressOf("shop"), [rule, last]);
  cloudflare.addRecord({
    name: "a.example.com",
    content: `${id}.cfargotunnel.com`,
  });
  const away = await askPublic(cloudflare.edge, "https://a.example.com/");
  assert.deepEqual([away.status, away.text], [530, "error code: 1033"]);
  cloudflare.tunnels[0]!.connections = [{
    id: crypto.randomUUID(),
    client_id: crypto.randomUUID(),
    client_version: "2025.9.1",
    colo_name: "fra08",
    opened_at: "2026-11-21T00:00:00Z",
    origin_ip: "192.0.2.1",
    is_pending_reconnect: false,
  }];
  assert.equal(said(await ask("DELETE", `${tunnels}/${id}`)), "400 1022");
  await ask("DELETE", `${tunnels}/${id}/connections`);
  assert.equal(said(await ask("DELETE", `${tunnels}/${id}`)), "200");
  assert.equal((await ask("GET", `${tunnels}?is_deleted=false`)).total, 0);
  assert.equal((await ask("GET", `${tunnels}?is_deleted=true`)).total, 1);
  assert.equal(said(await ask("GET", `${tunnels}/${id}/token`)), "404 1003");
});

Deno.test("records of a name exclude each other, and a name outside the zone is put below it", async () => {
  await using cloudflare = await FakeCloudflare.open();
  const ask = asker(cloudflare, cloudflare.token());
  const records = `/zones/${cloudflare.zone.id}/dns_records`;
  const cname = { type: "CNAME", name: "a.example.com", content: "x.test" };
  const address = { type: "A", name: "a.example.com", content: "192.0.2.1" };
  const table: [unknown, string][] = [
    [{ ...cname, name: "a b" }, "400 1004 9000"],
    [{ ...cname, type: "X" }, "400 1004 9004"],
    [{ ...cname, ttl: 5 }, "400 1004 9021"],
    [{ ...address, content: "x.test" }, "400 1004 9005"],
    [{ ...cname, comment: "c".repeat(101) }, "400 1004 9300"],
    [cname, "200"],
    [cname, "400 81058"],
    [{ ...cname, content: "y.test" }, "400 81053"],
    [address, "400 81054"],
    [{ ...address, name: "b" }, "200"],
    [{ ...address, name: "b", content: "192.0.2.2" }, "200"],
    [{ ...cname, name: "b.example.com" }, "400 81053"],
  ];
  for (const [body, expected] of table) {
    assert.equal(said(await ask("POST", records, body)), expected);
  }
  assert.deepEqual(
    cloudflare.records.map(({ name }) => name),
    ["a.example.com", "b.example.com", "b.example.com"],
  );
  const found = await ask("GET", `${records}?name=a.example.com&type=CNAME`);
  const [{ id }] = found.result as [{ id: string }];
  const change = await ask("PATCH", `${records}/${id}`, { proxied: true });
  assert.equal((change.result as { content: string }).content, "x.test");
  assert.equal(said(await ask("DELETE", `${records}/${id}`)), "200");
  assert.equal(said(await ask("DELETE", `${records}/${id}`)), "404 81044");
});

Deno.test("lists come page by page, and show late what was just made", async () => {
  const names = Array.from({ length: 7 }, (_, index) => `zone${index}.test`);
  await using cloudflare = await FakeCloudflare.open({
    zones: names,
    pageLimit: 3,
    lagReads: 2,
  });
  const ask = asker(cloudflare, cloudflare.token());
  const pages = [1, 2, 3, 4].map(async (page) => {
    const { result } = await ask("GET", `/zones?per_page=50&page=${page}`);
    return (result as { name: string }[]).map(({ name }) => name);
  });
  assert.deepEqual(
    await Promise.all(pages),
    [names.slice(0, 3), names.slice(3, 6), names.slice(6), []],
  );
  const tunnels = `/accounts/${cloudflare.account.id}/cfd_tunnel`;
  await ask("POST", tunnels, { name: "late", config_src: "cloudflare" });
  const totals: number[] = [];
  for (let look = 0; look < 3; look++) {
    totals.push((await ask("GET", `${tunnels}?name=late`)).total);
  }
  assert.deepEqual(totals, [0, 0, 1]);
});

Deno.test("requests fail as a test says, and are told of without their tokens", async () => {
  await using cloudflare = await FakeCloudflare.open();
  const token = cloudflare.token();
  const ask = asker(cloudflare, token);
  cloudflare.limit({ after: 1, refusals: 1, retryAfter: 7 });
  assert.equal(said(await ask("GET", "/zones")), "200");
  const limited = await ask("GET", "/zones");
  assert.equal(said(limited), "429 10429");
  assert.equal(limited.headers.get("retry-after"), "7");
  assert.equal(said(await ask("GET", "/zones")), "200");
  const tunnels = `/accounts/${cloudflare.account.id}/cfd_tunnel`;
  cloudflare.fail({ method: "POST", path: /cfd_tunnel$/ }, { body: "late" });
  await assert.rejects(ask("POST", tunnels, { name: "shop" }), TypeError);
  assert.equal(cloudflare.tunnels[0]?.name, "shop", "it was carried out");
  cloudflare.fail(2, { body: "html" });
  cloudflare.fail({ path: "/zones" }, { body: "truncated", after: 2 });
  assert.equal(said(await ask("GET", "/zones")), "200");
  await assert.rejects(ask("GET", "/zones"), SyntaxError);
  await assert.rejects(ask("GET", "/zones"), Error);
  assert.equal(said(await ask("GET", "/zones")), "200");
  assert.equal(cloudflare.changes.length, 1);
  assert.deepEqual(new Set(cloudflare.journal.map((v) => v.tokenId)).size, 1);
  assert.ok(!JSON.stringify(cloudflare.journal).includes(token.value));
});
