import assert from "node:assert/strict";
import type { TunnelCheck } from "../../src/tunnels/tunnel_provider.ts";
import type { FakeCloudflare } from "../support/fake_cloudflare.ts";
import type { FakeToken } from "../support/fake_cloudflare/world.ts";
import { freePort } from "../support/free_port.ts";
import {
  failures,
  Machine,
  type MachineOptions,
  target,
  withCloudflare,
} from "./_cloudflare_support.ts";

const API = target("api.example.com");

/** One thing that is wrong, and what is told of it. */
interface Flaw {
  readonly name: string;
  readonly options?: MachineOptions;
  /** Spoils what is there; may give another token. */
  readonly spoil?: (cloudflare: FakeCloudflare) => FakeToken | void;
  readonly hostname?: string;
  readonly detail: RegExp;
  readonly fix: RegExp;
}

const FLAWS: readonly Flaw[] = [
  {
    name: "config_file_mode",
    options: { tokenFlaw: '"/home/ann/my config.toml" holds an api_token' },
    detail: /holds an api_token/,
    fix: /^chmod 600 '\/home\/ann\/my config.toml'$/,
  },
  {
    name: "cloudflared_binary",
    options: { version: null },
    detail: /no program "cloudflared" on the PATH/,
    fix: /cloudflared/,
  },
  {
    name: "cloudflared_binary",
    options: { version: "2021.12.4" },
    detail: /2021\.12\.4, and 2022\.3 is needed/,
    fix: /cloudflared/,
  },
  {
    name: "api_token",
    options: { token: null },
    detail: /there is no API token/,
    fix: /taskmux tunnel enable.*CLOUDFLARE_API_TOKEN/,
  },
  ...(["revoked", "expired", "disabled"] as const).map((status): Flaw => ({
    name: "api_token",
    spoil: (cloudflare) => cloudflare.token({ status }),
    detail: status === "revoked"
      ? /not known, or was revoked.*\(1000\)/
      : new RegExp(`the token (?:is|has) ${status}`),
    fix: /dash\.cloudflare\.com\/profile\/api-tokens/,
  })),
  {
    name: "api_token",
    options: { token: "short" },
    detail: /is no API token of Cloudflare.*\(6111\)/,
    fix: /api-tokens/,
  },
  {
    name: "api_token",
    spoil: (cloudflare) => {
      const message = "Cannot use the access token from location: 192.0.2.1";
      const errors = [{ code: 9109, message }];
      const body = { success: false, errors, messages: [], result: null };
      cloudflare.fail({ path: "verify" }, { status: 403, body, times: 2 });
    },
    detail: /may not be used from this network.*192\.0\.2\.1/,
    fix: /client IP address filter/,
  },
  ...["cfd_tunnel", "zones$", "dns_records"].map((path, at): Flaw => ({
    name: ["scope_tunnel", "scope_zone", "scope_dns"][at]!,
    spoil: (cloudflare) => {
      const message = "Cannot use the access token from location: 192.0.2.1";
      const errors = [{ code: 9109, message }];
      const body = { success: false, errors, messages: [], result: null };
      cloudflare.fail({ path: new RegExp(path) }, { status: 403, body });
    },
    detail: /192\.0\.2\.1/,
    fix: /client IP address filter/,
  })),
  {
    name: "account_id",
    options: { accountId: null },
    detail: /account_id is not set/,
    fix: /config-set --scope global account_id=[0-9a-f]{32}$/,
  },
  {
    name: "account_id",
    options: { accountId: null },
    spoil: (cloudflare) => void cloudflare.addAccount("Second"),
    detail: /sees several: [0-9a-f]{32}, [0-9a-f]{32}/,
    fix: /account_id=ONE-OF-THEM/,
  },
  {
    name: "account_id",
    options: { accountId: "ann@example.com" },
    detail: /"ann@example\.com" is no account/,
    fix: /config-set --scope global account_id=[0-9a-f]{32}$/,
  },
  {
    name: "scope_tunnel",
    spoil: (cloudflare) => cloudflare.token({ scopes: ["dns:edit"] }),
    detail: /Authentication error \(10000\)/,
    fix: /"Account \/ Cloudflare Tunnel \/ Edit" for account/,
  },
  {
    name: "scope_zone",
    spoil: (cloudflare) => cloudflare.token({ scopes: ["tunnel:edit"] }),
    detail: /sees no zone/,
    fix: /"Zone \/ DNS \/ Edit" and "Zone \/ Zone \/ Read"/,
  },
  {
    name: "scope_dns",
    spoil: (cloudflare) =>
      cloudflare.token({ scopes: ["tunnel:edit", "zone:read"] }),
    detail: /read the DNS records of api\.example\.com/,
    fix: /"Zone \/ DNS \/ Edit" for example\.com/,
  },
  {
    name: "zone",
    options: { zoneId: "0123456789abcdef0123456789abcdef" },
    detail: /does not see zone 0123456789abcdef/,
    fix: /config-set --scope global zone_id=/,
  },
  {
    name: "hostname:api.notexample.com",
    hostname: "api.notexample.com",
    detail: /none of the zones that the API token sees: example\.com/,
    fix: /Add its domain to Cloudflare/,
  },
  {
    name: "hostname:*.example.com",
    hostname: "*.example.com",
    detail: /is no public name/,
    fix: /public_hostname of its own/,
  },
  {
    name: "hostname:api.new.example",
    hostname: "api.new.example",
    spoil: ({ world, account }) =>
      void world.zones.push({
        id: "f".repeat(32),
        name: "new.example",
        accountId: account.id,
        status: "pending",
      }),
    detail: /zone new\.example is pending, not active/,
    fix: /name servers/,
  },
  {
    name: "hostname:api.other.example",
    hostname: "api.other.example",
    spoil: (cloudflare) =>
      void cloudflare.addZone("other.example", cloudflare.addAccount("Other")),
    detail: /belongs to account [0-9a-f]{32}/,
    fix: /account_id=[0-9a-f]{32}/,
  },
  {
    name: "dns:api.example.com",
    spoil: (cloudflare) =>
      void cloudflare.addRecord({
        name: "api.example.com",
        type: "A",
        content: "192.0.2.1",
      }),
    detail: /record A 192\.0\.2\.1 was not made by taskmux/,
    fix: /Delete that record|choose another public_hostname/,
  },
  {
    name: "tunnel:taskmux-shop",
    spoil: (cloudflare) =>
      void cloudflare.addTunnel({
        name: "taskmux-shop",
        config: { ingress: [{ hostname: "a.example.org", service: "b" }] },
      }),
    detail: /leads to a\.example\.org, too/,
    fix: /config-set --scope project tunnel_name=/,
  },
  {
    name: "cloudflare_api",
    spoil: (cloudflare) => cloudflare.fail({}, { status: 503, times: 99 }),
    detail: /HTTP 503/,
    fix: /./,
  },
  {
    name: "cloudflare_api",
    options: { api: "https://evil.example/client/v4" },
    detail:
      /TASKMUX_CLOUDFLARE_API: it must be the address of a server on this machine/,
    fix: /unset TASKMUX_CLOUDFLARE_API/,
  },
  {
    name: "cloudflare_api",
    options: { api: `http://127.0.0.1:${await freePort()}/client/v4` },
    detail: /verify the API token: .*refused/i,
    fix: /Check the network/,
  },
];

for (const flaw of FLAWS) {
  Deno.test(`${flaw.name} fails alone: ${flaw.detail.source}`, async () => {
    await withCloudflare(async ({ cloudflare, token }) => {
      const other = flaw.spoil?.(cloudflare) ?? token;
      using machine = new Machine(cloudflare, {
        token: other.value,
        ...flaw.options,
      });
      const checks = await machine.check(target(flaw.hostname ?? API.hostname));
      assert.deepEqual(failures(checks), [flaw.name], Deno.inspect(checks));
      const { detail, fix } = checks.find(({ ok }) => !ok)!;
      assert.match(detail, flaw.detail);
      assert.match(fix ?? "", flaw.fix);
      assert.deepEqual(cloudflare.changes, []);
    });
  });
}

Deno.test("where all is well each thing is told, in a fixed order", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    const checks = await machine.check(API, target("web.example.com", 2));
    assert.deepEqual(checks.map(({ name }) => name), [
      "config_file_mode",
      "cloudflared_binary",
      "api_token",
      "account_id",
      "scope_tunnel",
      "scope_zone",
      "hostname:api.example.com",
      "hostname:web.example.com",
      "scope_dns",
      "dns:api.example.com",
      "dns:web.example.com",
      "tunnel:taskmux-shop",
    ]);
    assert.deepEqual(failures(checks), []);
    assert.deepEqual(cloudflare.changes, []);
  });
});

Deno.test("everything that is wrong is told at once", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    cloudflare.addRecord({ name: "api.example.com", content: "a.example.net" });
    cloudflare.addTunnel({ name: "taskmux-shop", config_src: "local" });
    const checks = await machine.check(API, target("x.example.org", 2));
    assert.deepEqual(failures(checks), [
      "config_file_mode",
      "cloudflared_binary",
      "zone",
      "hostname:x.example.org",
      "dns:api.example.com",
      "tunnel:taskmux-shop",
    ]);
  }, {
    tokenFlaw: "the file is open to others",
    version: null,
    zoneId: "0".repeat(32),
  });
});

Deno.test("a token of an account is asked about in its account", async () => {
  await withCloudflare(async ({ cloudflare }) => {
    const { value } = cloudflare.token({ owner: "account" });
    using machine = new Machine(cloudflare, { token: value });
    assert.deepEqual(failures(await machine.check(API)), []);
  });
});

Deno.test("a name lies in the longest zone around it, label by label, the configured of two", async () => {
  const zones = ["example.com", "dev.example.com", "le.com"];
  await withCloudflare(async ({ cloudflare, token }) => {
    const twin = cloudflare.addZone("example.com");
    const zoneOf = async (
      hostname: string,
      options: MachineOptions = {},
    ): Promise<string> => {
      using machine = new Machine(cloudflare, {
        token: token.value,
        ...options,
      });
      await machine.open(target(hostname));
      const { zoneId, zoneName } = cloudflare.records.at(-1)!;
      await machine.close(true);
      return zoneId === twin.id ? "twin" : zoneName;
    };
    assert.equal(await zoneOf("a.dev.example.com"), "dev.example.com");
    assert.equal(await zoneOf("dev.example.com"), "dev.example.com");
    assert.equal(await zoneOf("adev.example.com"), "example.com");
    assert.equal(await zoneOf("a.example.com", { zoneId: twin.id }), "twin");
  }, { zones });
});

Deno.test("a name too deep for the free certificate is warned of, with one that would work", async () => {
  await withCloudflare(async ({ machine }) => {
    const of = (checks: readonly TunnelCheck[]): string =>
      checks.find(({ name }) => name.startsWith("hostname:"))!.detail;
    const deep = of(await machine.check(target("api.dev.example.com")));
    assert.match(deep, /covers \*\.example\.com, not this name/);
    assert.match(deep, /api-dev\.example\.com would work/);
    assert.ok(!/certificate/.test(of(await machine.check(API))));
    assert.ok(
      !/certificate/.test(of(await machine.check(target("example.com")))),
    );
  });
});

Deno.test("a check that is cancelled ends with the reason", async () => {
  await withCloudflare(async ({ cloudflare, machine }) => {
    const reason = new Error("enough");
    cloudflare.fail({}, { body: "hang" });
    const stop = new AbortController();
    const { provider, context } = machine;
    const work = provider.check([API], context, stop.signal);
    stop.abort(reason);
    await assert.rejects(work, reason);
  });
});
