import assert from "node:assert/strict";
import { baseHost, NO_PROXY, taskUrl } from "../../../src/domain/task_url.ts";

const BOUND = { bound: true, httpsPort: 443, tld: "localhost" };

function check(
  address: Partial<Parameters<typeof taskUrl>[0]>,
  expected: string | null,
): void {
  const full = {
    host: null,
    port: null,
    projectId: "shop",
    proxy: NO_PROXY,
    ...address,
  };
  assert.equal(taskUrl(full), expected, JSON.stringify(full));
}

Deno.test("taskUrl is the port itself without a proxy", () => {
  check({}, null);
  check({ host: "api" }, null);
  check({ port: 3000 }, "http://localhost:3000");
  check({ host: "api", port: 3000 }, "http://localhost:3000");
});

Deno.test("taskUrl promises nothing through a proxy that does not listen", () => {
  const proxy = { bound: false, httpsPort: 443, tld: "localhost" };
  check({ host: "api", port: 3000, proxy }, "http://localhost:3000");
  check({ host: "api", proxy }, null);
});

Deno.test("taskUrl is the host name through a bound proxy", () => {
  check(
    { host: "api", port: 3000, proxy: BOUND },
    "https://api.shop.localhost",
  );
  check({ host: "api", proxy: BOUND }, "https://api.shop.localhost");
  check({ host: "@", port: 1, proxy: BOUND }, "https://shop.localhost");
  check({ host: "*", port: 1, proxy: BOUND }, "https://*.shop.localhost");
  check({ port: 3000, proxy: BOUND }, "http://localhost:3000");
});

Deno.test("taskUrl names the proxy's port unless it is the usual one", () => {
  const proxy = { bound: true, httpsPort: 8443, tld: "localhost" };
  check({ host: "api", proxy }, "https://api.shop.localhost:8443");
  check({ host: "@", proxy }, "https://shop.localhost:8443");
});

Deno.test("baseHost is under localhost", () => {
  assert.equal(baseHost("shop-fix", NO_PROXY), "shop-fix.localhost");
  assert.equal(
    baseHost("shop-fix", { tld: "test" }),
    "shop-fix.test",
  );
});
