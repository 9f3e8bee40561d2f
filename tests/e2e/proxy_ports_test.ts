/**
 * Where the proxy listens, where it does not, and what is said when it cannot.
 */

import assert from "node:assert/strict";
import { freePort } from "../support/free_port.ts";
import { PROGRAMS } from "../support/keeper.ts";
import { canRun } from "../support/optional_tool.ts";
import { proxyClient } from "../support/proxy_client.ts";
import { sendRaw } from "../support/raw_http.ts";
import { CAN_MOUNT, SmallDisk } from "../support/small_disk.ts";
import { testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const SHOP = `
name = "shop"
[tasks.api]
command = "exec python3 ${PROGRAMS}/named_server.py api"
host = "api"
`;

/** Any loopback address but the usual one stands for all others; those of the machine are asked as well. */
function otherAddresses(): string[] {
  const own = Deno.networkInterfaces().map(({ address, scopeid }) =>
    scopeid === null || scopeid === 0 ? address : ""
  );
  const usual = ["", "127.0.0.1", "::1"];
  return ["127.0.0.2", ...own.filter((each) => !usual.includes(each))];
}

async function isOpen(hostname: string, port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ hostname, port });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}

function config(...lines: string[]): { hostConfig: string } {
  const usual = ["api_port = 0", 'host_resolver = "noop"'];
  return { hostConfig: [...usual, ...lines, ""].join("\n") };
}

Deno.test("the proxy listens on loopback only, leads HTTP to HTTPS, and keeps its port", async (t) => {
  const [https, redirect] = [freePort(), freePort()];
  await using taskmux = await testTaskmux(config(
    `proxy_https_port = ${https}`,
    `proxy_http_redirect_port = ${redirect}`,
  ));
  const shop = await taskmux.project(SHOP);
  await shop.ok(["start", "--wait"]);
  const proxy = await proxyClient(taskmux);
  assert.equal(proxy.port, https);
  assert.equal(
    (await shop.task("api")).url,
    `https://api.shop.localhost:${https}`,
  );

  await t.step("nowhere else", async () => {
    for (const port of [https, redirect]) {
      for (const address of ["127.0.0.1", "::1"]) {
        assert(await isOpen(address, port), `${address} ${port}`);
      }
      for (const address of otherAddresses()) {
        assert(!await isOpen(address, port), `${address} ${port}`);
      }
    }
  });

  await t.step("HTTP leads to HTTPS, for names of ours", async () => {
    await redirects(redirect, https);
  });

  await t.step("the next daemon has the same port", async () => {
    await taskmux.ok(["daemon", "restart"]);
    assert.equal((await shop.status()).proxy.port, https);
    assert.equal((await proxy.ask("api.shop.localhost/x")).text, "api /x");
  });
});

async function redirects(redirect: number, https: number): Promise<void> {
  const ask = (target: string, host: string, method = "GET") =>
    sendRaw(redirect, `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const to = `https://api.shop.localhost:${https}`;
  const leads: readonly (readonly [string, string, string])[] = [
    ["/", "api.shop.localhost", `${to}/`],
    ["/a%2F..//b?c=%20&d", "API.shop.localhost:80", `${to}/a%2F..//b?c=%20&d`],
    ["//evil.example/", "api.shop.localhost.", `${to}//evil.example/`],
    ["http://api.shop.localhost?q", "evil.example", `${to}/?q`],
  ];
  for (const [target, host, location] of leads) {
    const { status, headers } = await ask(target, host);
    assert.equal(status, 308);
    assert.equal(headers.get("location"), location);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("connection"), "close");
  }
  const posted = await ask("/", "api.shop.localhost", "POST");
  assert.equal(posted.status, 308);
  const refused: readonly (readonly [string, string])[] = [
    ["/", "evil.example"],
    ["/", "other.localhost"],
    ["/", "localhost"],
    ["/", "127.0.0.1"],
    ["/", "api.shop.localhost@evil.example"],
    ["/", "api.shop.localhost\r\nHost: evil.example"],
    ["http://evil.example/", "api.shop.localhost"],
    ["*", "api.shop.localhost"],
  ];
  for (const [target, host] of refused) {
    const { status, headers } = await ask(target, host);
    assert.equal(status, 400, `${target} ${host}`);
    assert.equal(headers.get("location"), null);
  }
}

Deno.test("a proxy that is told to listens for other machines, too", async () => {
  await using taskmux = await testTaskmux(config(
    `proxy_https_port = 0`,
    "proxy_http_redirect_port = 0",
    'proxy_bind = "0.0.0.0"',
  ));
  const shop = await taskmux.project(SHOP);
  await shop.ok(["start"]);
  const { port, reason } = (await shop.status()).proxy;
  assert.equal(reason, null);
  for (const address of ["::1", ...otherAddresses()]) {
    assert(await isOpen(address, port!), address);
  }
});

Deno.test("a port that somebody else has is named, and nothing else is bound instead", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  using _alsoTaken = Deno.listen({ hostname: "::1", port });
  await using taskmux = await testTaskmux(config(
    `proxy_https_port = ${port}`,
    "proxy_http_redirect_port = 0",
  ));
  const shop = await taskmux.project(SHOP);
  const { warnings } = await shop.ok<{ warnings: string[] }>(["start"]);
  const { proxy, tasks } = await shop.status();
  assert.equal(proxy.bound, false);
  assert.equal(proxy.port, null);
  const who = new RegExp(
    `127.0.0.1:${port} is taken, .* by .*deno.* \\(pid ${Deno.pid}\\)$`,
  );
  assert.match(proxy.reason ?? "", who);
  assert.equal(tasks[0]?.url, `http://localhost:${tasks[0]?.port}`);
  assert.deepEqual(warnings, []);
  const { checks } = await taskmux.call("daemon.examine", {});
  const check = checks.find(({ name }) => name === "proxy");
  assert.equal(check?.status, "fail");
  assert.match(check?.detail ?? "", who);
  const { stdout } = await shop.run(["daemon", "status"]);
  assert.match(stdout, /^Proxy: enabled \(proxy: 127/m);
});

Deno.test("the environment can forbid the proxy", async () => {
  await using taskmux = await testTaskmux({
    ...config("proxy_https_port = 0", "proxy_http_redirect_port = 0"),
    env: { TASKMUX_DISABLE_PROXY: "1" },
  });
  const shop = await taskmux.project(SHOP);
  await shop.ok(["start"]);
  const { proxy, tasks } = await shop.status();
  assert.deepEqual(proxy, {
    enabled: false,
    bound: false,
    port: null,
    reason: "TASKMUX_DISABLE_PROXY is set",
  });
  assert.match(tasks[0]?.url ?? "", /^http:\/\/localhost:\d+$/);
});

Deno.test({
  name:
    "without certificates tasks start all the same, and the proxy serves once it can",
  ignore: !CAN_MOUNT,
  fn: async () => {
    await using taskmux = await testTaskmux({
      ...config("proxy_https_port = 0", "proxy_http_redirect_port = 0"),
      expectedErrors: /proxy/,
    });
    await using disk = await SmallDisk.at(taskmux.home.paths.ca, {
      megabytes: 1,
    });
    await disk.fill();
    const shop = await taskmux.project(SHOP);
    await shop.ok(["start", "--wait"]);
    const { proxy, tasks, warnings } = await shop.status();
    assert.equal(proxy.bound, false);
    assert.match(proxy.reason ?? "", /^the proxy does not serve: .*space/);
    assert(warnings.includes(proxy.reason ?? ""), warnings.join("\n"));
    assert.equal(tasks[0]?.url, `http://localhost:${tasks[0]?.port}`);
    await disk.empty();
    await until(async () => (await shop.status()).proxy.bound);
    const client = await proxyClient(taskmux);
    assert.equal((await client.ask("api.shop.localhost")).text, "api /");
  },
});

/** A network of its own, where 443 and 80 are nobody's. */
const OWN_NETWORK = [
  "unshare",
  "--net",
  "python3",
  `${PROGRAMS}/in_network.py`,
];

/** Root without its right to bind any port. */
const NO_BIND = [
  "setpriv",
  "--bounding-set=-net_bind_service",
  "--inh-caps=-net_bind_service",
];

Deno.test({
  name:
    "without the right to bind 443 and 80 it is 8443 and 8080, and every address says so",
  ignore: !canRun(
    "a proxy without root",
    [...OWN_NETWORK, ...NO_BIND, "true"] as [string],
  ),
  fn: async () => {
    await using taskmux = await testTaskmux({
      ...config(),
      launcher: [...OWN_NETWORK, ...NO_BIND],
    });
    const shop = await taskmux.project(SHOP);
    await shop.ok(["start"]);
    const { url } = await shop.task("api");
    assert.equal(url, "https://api.shop.localhost:8443");
    const { proxy, warnings } = await taskmux.call("daemon.status", {});
    assert.equal(proxy["bound"], true);
    assert.equal(proxy["redirect_port"], 8080);
    assert.deepEqual(proxy["instead"], [
      "8443 instead of 443: 127.0.0.1:443 needs root, [::1]:443 needs root",
      "8080 instead of 80: 127.0.0.1:80 needs root, [::1]:80 needs root",
    ]);
    assert.deepEqual(warnings, []);
    const { checks } = await taskmux.call("daemon.examine", {});
    const check = checks.find(({ name }) => name === "proxy");
    assert.equal(check?.status, "ok");
    assert.match(check?.detail ?? "", /8443 instead of 443.*sudo/);
  },
});
