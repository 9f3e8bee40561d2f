import assert from "node:assert/strict";
import {
  type AddressBook,
  addressesOf,
  findAddress,
  findPage,
  viewAliases,
} from "../../../src/domain/address.ts";
import {
  type Alias,
  checkAlias,
  requireFree,
  type Route,
} from "../../../src/domain/alias.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

const ROUTE: Route = { name: "", host: null, hostPath: "/", port: null };

const BOOK: AddressBook = {
  projectId: "shop",
  proxy: { bound: true, httpsPort: 8443, tld: "localhost" },
  tasks: [
    { ...ROUTE, name: "web", host: "@", hostPath: "/app" },
    { ...ROUTE, name: "any", host: "*" },
    { ...ROUTE, name: "plain", port: 4000 },
    { ...ROUTE, name: "silent" },
    { ...ROUTE, name: "api", host: "api", port: 4001 },
    // Runs in another project, and has its host there.
    { ...ROUTE, name: "lent", host: "data", projectId: "home" },
  ],
  aliases: [
    { name: "db", host: "data", port: 5432 },
    // Both came before the tasks that have their host or name now.
    { name: "old", host: "api", port: 5433 },
    { name: "plain", host: "free", port: 5434 },
  ],
};

const OFF = { ...BOOK, proxy: { ...BOOK.proxy, bound: false } };

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof TaskmuxError) return error.code;
    throw error;
  }
  return "ok";
}

Deno.test("addressesOf() has tasks, then the aliases that no task is in the way of", () => {
  assert.deepEqual(
    addressesOf(BOOK).map(({ name, url }) => [name, url]),
    [
      ["web", "https://shop.localhost:8443/app"],
      ["any", "https://*.shop.localhost:8443"],
      ["plain", "http://localhost:4000"],
      ["silent", null],
      ["api", "https://api.shop.localhost:8443"],
      ["lent", "https://data.home.localhost:8443"],
      ["db", "https://data.shop.localhost:8443"],
    ],
  );
});

Deno.test("findAddress() tells why there is no address", () => {
  const code = (name: string, book = BOOK) =>
    codeOf(() => findAddress(book, name));
  assert.equal(code("db"), "ok");
  assert.equal(code("silent"), "E700");
  assert.equal(code("old"), "E702");
  assert.equal(code("ghost"), "E200");
  assert.equal(findAddress(BOOK, "plain").url, "http://localhost:4000");
  assert.equal(code("web", OFF), "E700");
  assert.equal(findAddress(OFF, "api").url, "http://localhost:4001");
  assert.equal(findAddress(OFF, "db").url, "http://localhost:5432");
  assert.throws(() => findAddress(BOOK, "dbb"), { hint: 'did you mean "db"?' });
});

Deno.test("findPage() refuses what is no one page", () => {
  assert.equal(codeOf(() => findPage(BOOK, "any")), "E701");
  assert.equal(codeOf(() => findPage(BOOK, "web")), "ok");
});

Deno.test("viewAliases() tells which aliases lead nowhere", () => {
  const { aliases, warnings } = viewAliases(BOOK);
  assert.deepEqual(aliases.map(({ name, url }) => [name, url]), [
    ["db", "https://data.shop.localhost:8443"],
    ["old", null],
    ["plain", null],
  ]);
  assert.match(warnings[0]!, /"old" leads nowhere: task "api" has its host/);
  assert.match(
    warnings[1]!,
    /"plain" leads nowhere: task "plain" has its name/,
  );
  assert.equal(warnings.length, 2);
});

Deno.test("checkAlias() takes labels and ports only", () => {
  const code = (name: string, host = name, port = 80) =>
    codeOf(() => checkAlias({ name, host, port }));
  for (const name of ["a", "db-1", "0", "x".repeat(63)]) {
    assert.equal(code(name), "ok", name);
  }
  const wrong = ["", "A", "a.b", "-a", "a-", "a_b", "a/b", "ü", "x".repeat(64)];
  for (const name of [...wrong, "@", "*", "a\n", "a b"]) {
    assert.equal(code(name), "E500", name);
    assert.equal(code("fine", name), "E500", name);
  }
  for (const port of [0, -1, 65_536, 1.5, NaN, Infinity]) {
    assert.equal(code("fine", "fine", port), "E500", String(port));
  }
});

Deno.test("requireFree() refuses a name or host that something else has", () => {
  const code = (alias: Alias) => codeOf(() => requireFree(alias, BOOK));
  assert.equal(code({ name: "api", host: "new", port: 1 }), "E702");
  assert.equal(code({ name: "new", host: "api", port: 1 }), "E702");
  assert.equal(code({ name: "new", host: "data", port: 1 }), "E702");
  assert.equal(code({ name: "db", host: "data", port: 1 }), "ok");
  assert.equal(code({ name: "db", host: "moved", port: 1 }), "ok");
});
