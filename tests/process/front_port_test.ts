import assert from "node:assert/strict";
import { createSecureServer } from "node:http2";
import https from "node:https";
import { createSecureContext, type SecureContext } from "node:tls";
import {
  answerUnavailable,
  closeAtOnce,
  FrontPort,
} from "../../src/transports/front_ports.ts";
import { freePort } from "../support/free_port.ts";
import { REPOSITORY } from "../support/deno_flags.ts";

const TLS = `${REPOSITORY}/tests/fixtures/tls`;

/** By HTTP/1 over TLS; who signed the certificate is not the question. */
function get(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = https.get(
    { host: "127.0.0.1", port, rejectUnauthorized: false, agent: false },
    (response) => {
      let text = "";
      response.on("data", (chunk) => text += chunk);
      response.on("end", () => resolve(text));
      response.on("error", reject);
    },
  );
  request.on("error", reject);
  return promise;
}

// The proxy's port is bound while the process is root; certificates and the proxy itself come later.
Deno.test("a port that was bound early serves TLS later, with a certificate of then", async () => {
  const port = freePort();
  await using front = await FrontPort.open(
    { bind: "127.0.0.1", port },
    closeAtOnce,
  );
  assert.deepEqual(front.addresses, ["127.0.0.1", "::1"]);
  const cert = await Deno.readTextFile(`${TLS}/localhost.pem`);
  await assert.rejects(get(port));
  const key = await Deno.readTextFile(`${TLS}/localhost-key.pem`);
  const context: SecureContext = createSecureContext({ cert, key });
  const server = createSecureServer({
    allowHTTP1: true,
    SNICallback: (_name, answer) => answer(null, context),
  }, (_request, response) => response.end("served"));
  front.serve((socket) => server.emit("connection", socket));
  assert.equal(await get(port), "served");
});

Deno.test("what cannot be bound is told by address, and the rest is bound", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  await using front = await FrontPort.open(
    { bind: "::1", port },
    answerUnavailable,
  );
  assert.deepEqual(front.addresses, ["::1"]);
  assert.deepEqual(front.problems, [`127.0.0.1:${port} is taken`]);
  assert.equal(front.isTaken, true);
});

Deno.test("a client that says nothing, or half a request, holds nothing up", async () => {
  const port = freePort();
  const front = await FrontPort.open(
    { bind: "127.0.0.1", port },
    answerUnavailable,
  );
  using silent = await Deno.connect({ hostname: "127.0.0.1", port });
  const response = await fetch(`http://127.0.0.1:${port}/x`, {
    method: "POST",
    body: "y".repeat(1000),
  });
  assert.equal(response.status, 503);
  assert.match(await response.text(), /no task has a host/);
  await front[Symbol.asyncDispose]();
  assert.equal(await silent.read(new Uint8Array(1)).catch(() => null), null);
});

// A flood of connections must not leave us deaf.
Deno.test("whoever had no descriptor for a connection takes the next ones", async () => {
  const program = `${REPOSITORY}/tests/support/without_descriptors.ts`;
  const { success, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: [
      "-c",
      'ulimit -n 100; exec "$0" "$@"',
      Deno.execPath(),
      ...["run", "--no-prompt", "--no-check", "--allow-net", "--allow-read"],
      ...["--allow-write", "--unstable-net", program],
    ],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), {
    isAnswered: true,
    greeting: "hello",
    errors: [],
  });
});
