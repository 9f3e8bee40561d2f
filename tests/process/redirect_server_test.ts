import assert from "node:assert/strict";
import { createServer } from "node:net";
import { systemClock } from "../../src/kit/clock.ts";
import { RedirectServer } from "../../src/proxy/redirect_server.ts";
import { sendRaw } from "../support/raw_http.ts";

/** A redirect to a port, for the project "shop". Its connections end when `expire` says that their time is over. */
async function redirectTo(httpsPort: number | null) {
  const stack = new AsyncDisposableStack();
  const expired: (() => void)[] = [];
  const redirect = stack.use(
    new RedirectServer({
      router: { tld: "test", knows: (id) => id === "shop" },
      httpsPort: () => httpsPort,
      clock: {
        ...systemClock,
        sleep: (ms) => {
          assert.equal(ms, 10_000);
          return new Promise((resolve) => expired.push(resolve));
        },
      },
    }),
  );
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    redirect.accept(socket);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  stack.defer(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  assert(address !== null && typeof address === "object");
  return {
    port: address.port,
    expire: () => expired.splice(0).forEach((end) => end()),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

Deno.test("the usual port of HTTPS is not named, and the domain is that of the settings", async () => {
  await using redirect = await redirectTo(443);
  const { status, headers } = await sendRaw(
    redirect.port,
    "GET /a?b HTTP/1.1\r\nHost: x.y.shop.test\r\n\r\n",
  );
  assert.equal(status, 308);
  assert.equal(headers.get("location"), "https://x.y.shop.test/a?b");
});

Deno.test("without HTTPS nobody is led there", async () => {
  await using redirect = await redirectTo(null);
  const { status, headers, text } = await sendRaw(
    redirect.port,
    "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n",
  );
  assert.equal(status, 503);
  assert.equal(headers.get("location"), null);
  assert.match(text, /does not run/);
});

Deno.test("who says half a request, or nothing, is let go after a while", async () => {
  await using redirect = await redirectTo(443);
  for (const said of ["", "GET / HTTP/1.1\r\nHost: shop.test\r\nx: "]) {
    using half = await Deno.connect({
      hostname: "127.0.0.1",
      port: redirect.port,
    });
    await half.write(new TextEncoder().encode(said));
    // Somebody else is answered meanwhile: the first one is known to the server.
    const { status } = await sendRaw(
      redirect.port,
      "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n",
    );
    assert.equal(status, 308);
    redirect.expire();
    const rest = await half.read(new Uint8Array(1)).catch(() => null);
    assert.equal(rest, null);
  }
});

Deno.test("what is no request is refused", async () => {
  await using redirect = await redirectTo(443);
  for (const said of ["\x16\x03\x01\x00\x01\r\n\r\n", "GET  HTTP/9\r\n\r\n"]) {
    assert.equal((await sendRaw(redirect.port, said)).status, 400);
  }
  const long = `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: shop.test\r\n\r\n`;
  const { status } = await sendRaw(redirect.port, long);
  assert(status === 400 || status === 431, String(status));
});
