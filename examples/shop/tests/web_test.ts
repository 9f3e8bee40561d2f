import assert from "node:assert/strict";
import {
  type Cart,
  cartLines,
  cartTotal,
  changeQuantity,
} from "../web/src/cart.ts";
import { startProgram } from "./program.ts";
import { SHOP_ROOT, TestShop } from "./shop.ts";

const WEB = `${SHOP_ROOT}/web`;
/** Vite itself: npm, killed when a test fails, would leave it behind. */
const VITE = "node node_modules/vite/bin/vite.js --port 0 --strictPort";

const TEA = {
  id: 1,
  name: "Tea",
  description: "",
  picture: "🍵",
  price_cents: 300,
  stock: 2,
};
const MUG = { ...TEA, id: 2, name: "Mug", price_cents: 1000, stock: 1 };

Deno.test("a cart holds no more than there is and nothing less than one", () => {
  const check = (changes: readonly number[], expected: Cart) => {
    let cart: Cart = {};
    for (const change of changes) {
      cart = changeQuantity(cart, { product: TEA, change });
    }
    assert.deepEqual(cart, expected);
  };
  check([], {});
  check([1], { 1: 1 });
  check([1, 1, 1], { 1: 2 });
  check([1, -1], {});
  check([-1], {});
});

Deno.test("a cart adds up what is still sold", () => {
  const lines = cartLines({ 2: 1, 1: 2, 9: 4 }, [TEA, MUG]);
  assert.deepEqual(lines.map(({ product }) => product.name), ["Tea", "Mug"]);
  assert.equal(cartTotal(lines), 1600);
});

Deno.test({
  name: "the front end is served and hands /api to the API",
  // `npm ci` in web/, or the install task, brings it.
  ignore: !await exists(`${WEB}/node_modules/.installed`),
  fn: async () => {
    await using shop = await TestShop.migrated();
    await using api = await shop.startApi();
    await using vite = startProgram(VITE, {
      cwd: WEB,
      env: { TASKMUX_URL_API: api.url, VITE_SHOP_NAME: "Test Shop" },
    });
    const [, url] = await vite.line(/Local: +(http:\S+?)\/?$/);
    const page = await (await fetch(`${url}/`)).text();
    assert.match(page, /<title>Test Shop<\/title>/);
    const script = await (await fetch(`${url}/src/main.tsx`)).text();
    assert.match(script, /preact/);
    const direct = await api.fetch("/api/products");
    const proxied = await (await fetch(`${url}/api/products`)).json();
    assert.deepEqual(proxied, direct.body);
  },
});

Deno.test({
  name: "the front end refuses to start without an API",
  ignore: !await exists(`${WEB}/node_modules/.installed`),
  fn: async () => {
    await using vite = startProgram(VITE, { cwd: WEB, env: {} });
    assert.equal(await vite.exited, 1);
    assert.match(vite.lines.join("\n"), /Cannot find the API/);
  },
});

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
