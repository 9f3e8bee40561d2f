import { deepEqual, equal, rejects } from "node:assert/strict";
import { askProgram } from "../../../src/tunnels/program_api.ts";
import { freePort } from "../../support/free_port.ts";

const SIGNAL = new AbortController().signal;

/** A program whose answers are what its paths say. */
function served(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) => {
      switch (new URL(url).pathname) {
        case "/json":
          return Response.json({ hostname: "a.example.com" });
        case "/text":
          return new Response("404 page not found");
        case "/late":
          return Response.json({}, { status: 503 });
        case "/huge":
          return Response.json("x".repeat(100_000));
        default:
          return new Response(new ReadableStream());
      }
    },
  );
}

Deno.test("what a program tells in JSON is read, and all else is no answer", async () => {
  await using program = served();
  const { port } = program.addr;
  deepEqual(await askProgram(port, "/json", SIGNAL), {
    hostname: "a.example.com",
  });
  for (const path of ["/text", "/late", "/huge"]) {
    equal(await askProgram(port, path, SIGNAL), null, path);
  }
  equal(await askProgram(await freePort(), "/json", SIGNAL), null);
});

Deno.test("a program that does not go on is left when nobody waits any more", async () => {
  const program = served();
  const scope = new AbortController();
  const reason = new Error("enough");
  const answer = askProgram(program.addr.port, "/hangs", scope.signal);
  scope.abort(reason);
  await rejects(answer, reason);
  await program.shutdown();
});
