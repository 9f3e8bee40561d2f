import assert from "node:assert/strict";
import { MAX_SECRETS } from "../../../src/domain/known_secrets.ts";
import { SecretStore } from "../../../src/supervisor/secret_store.ts";

Deno.test("a value stays known after the variable has another one", () => {
  const store = new SecretStore();
  store.note("shop", { API_TOKEN: "first-value", PORT: "3000" });
  const version = store.versionOf("shop");
  store.note("shop", { API_TOKEN: "other-value" });
  assert.deepEqual([...store.of("shop")], ["first-value", "other-value"]);
  assert(store.versionOf("shop") > version);
  assert.deepEqual([...store.of("else")], []);
});

Deno.test("what is known already changes nothing", () => {
  const store = new SecretStore();
  store.note("shop", { API_TOKEN: "first-value" });
  const redactor = store.redactorOf("shop");
  store.note("shop", { API_TOKEN: "first-value", OTHER: "x" });
  assert.equal(store.redactorOf("shop"), redactor);
  assert.equal(redactor.text("a first-value"), "a ***");
});

Deno.test("names of the project and its tasks are no secrets", () => {
  const store = new SecretStore();
  store.note("storefront", {
    DB_PASSWORD: "storefront",
    WEB_TOKEN: "checkout",
  }, ["checkout"]);
  assert.deepEqual([...store.of("storefront")], []);
});

Deno.test("the values that were seen last are kept", () => {
  const store = new SecretStore();
  const count = MAX_SECRETS + 10;
  store.note("shop", { FIRST_TOKEN: "seen-again" });
  for (let n = 0; n < count; n++) {
    store.note("shop", { API_TOKEN: `value-${n}` });
    if (n % 100 === 0) store.note("shop", { FIRST_TOKEN: "seen-again" });
  }
  const kept = [...store.of("shop")];
  assert.equal(kept.length, MAX_SECRETS);
  assert(kept.includes("seen-again"));
  assert(kept.includes(`value-${count - 1}`));
  assert(!kept.includes("value-0"));
});

Deno.test("what is written down about a project holds none of its secrets", () => {
  const store = new SecretStore();
  store.note("shop", { API_TOKEN: "first-value" });
  const error = { error: "x", details: { output_tail: "said first-value" } };
  assert.deepEqual(store.without("shop", error), {
    error: "x",
    details: { output_tail: "said ***" },
  });
  assert.equal(store.without("shop", null), null);
});
