/**
 * A request through the gate and one through the HTTPS proxy reach a task alike, and its answers come back alike, but for
 * what is to differ.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { systemClock } from "../../src/kit/clock.ts";
import { AccessControl, openRecord } from "../../src/proxy/public_access.ts";
import { PublicGate } from "../../src/proxy/public_gate.ts";
import { proxiedTask, routerTo, TASK_NAME } from "../support/proxied_task.ts";
import { type RawAnswer, readAnswer } from "../support/raw_answer.ts";
import { Wire } from "../support/wire.ts";

/** Written by proxy and gate, each in its own way. */
const TOLD = /^(?:x-forwarded-\w+|forwarded): /i;

/** Added to answers by the gate; how long a connection may be idle is each one's own. */
const ADDED =
  /^(?:x-robots-tag: noindex|cdn-cache-control: no-store|keep-alive: .*)$/i;

const HEADS: readonly string[] = [
  "GET /a/../b/%2e%2E/?q=%20&q={} HTTP/1.1",
  "DELETE /x?a=1&&b HTTP/1.1",
  "OPTIONS * HTTP/1.1",
  "HEAD /head HTTP/1.1",
  "POST /length HTTP/1.1\r\nContent-Length: 5",
  "POST /chunks HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nTrailer: X-T",
  "POST /nothing HTTP/1.1",
];

const FIELDS: readonly string[] = [
  "",
  "Cookie: a=1; b=\xe9\r\nCookie: c=3\r\n",
  "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\n",
  'Accept-Encoding: gzip, br\r\nIf-None-Match: W/"x"\r\nRange: bytes=0-1\r\n',
  "Authorization: Bearer x\r\nReferer: https://shop.example.com/a\r\nOrigin: https://shop.example.com\r\n",
  'Upgrade-Insecure-Requests: 1\r\nX-A:\r\nX-A:  two \r\nContent-Type: text/plain; charset="\xfc"\r\n',
];

const ANSWERS: readonly (readonly string[])[] = [
  [
    "Content-Type",
    "text/html",
    "Set-Cookie",
    "a=1; Path=/",
    "Set-Cookie",
    "b=2",
  ],
  [
    "ETag",
    'W/"x"',
    "Vary",
    "Accept, Cookie",
    "X-High",
    "caf\xe9",
    "Server",
    "x",
  ],
  [
    "Location",
    "/relative",
    "Link",
    "</a>; rel=preload",
    "Cache-Control",
    "no-cache",
  ],
  [
    "Connection",
    "X-Hop",
    "X-Hop",
    "1",
    "Location",
    "https://elsewhere.example/x",
  ],
];

function bodyOf(head: string): string {
  if (head.includes("Content-Length")) return "12345";
  return head.includes("chunked") ? "3\r\nabc\r\n0\r\nX-T: end\r\n\r\n" : "";
}

/** What the task saw, and what came back, without what is to differ. */
function alike({ line, fields, body, trailers }: RawAnswer): RawAnswer {
  // The task tells what it saw, so its length differs, too.
  const kept = fields.filter((field) =>
    !ADDED.test(field) && !/^content-length: /i.test(field)
  );
  if (!body.startsWith("{")) return { line, fields: kept, body, trailers };
  const seen = JSON.parse(body);
  const told = seen.fields.filter((field: string) => !TOLD.test(field));
  return {
    line,
    fields: kept,
    body: JSON.stringify({ ...seen, fields: told }),
    trailers,
  };
}

Deno.test("gate and proxy differ in what they are there for, and in nothing else", async () => {
  await using task = await proxiedTask(async (request, response) => {
    const { rawHeaders, method, url } = request;
    let text = "";
    for await (const chunk of request) text += chunk;
    const fields = rawHeaders.flatMap((name, at) =>
      at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}`] : []
    );
    const { rawTrailers } = request;
    const seen = JSON.stringify({ method, url, fields, text, rawTrailers });
    response.sendDate = false;
    const extra = ANSWERS[Number(request.headers["x-answer"])] ?? [];
    response.writeHead(200, [
      ...extra,
      "Content-Length",
      String(Buffer.byteLength(seen)),
    ]);
    response.end(seen);
  });
  const authority = `${TASK_NAME}:8443`;
  const router = routerTo(task);
  await using gate = await PublicGate.open({
    port: 0,
    find: (client) => router.find({ projectId: "shop" } as never, client),
    failed: (upstream, error) => router.failed(upstream, error),
    facts: () => ({ publicUrl: "https://shop.example.com", authority }),
    access: new AccessControl(openRecord(), () => {}, systemClock),
    onRequest: () => {},
    clock: systemClock,
    onError: (error) => assert.fail(String(error)),
  });
  using byProxy = await task.proxy.connect(TASK_NAME);
  using byGate = new Wire(
    await Deno.connect({ hostname: "127.0.0.1", port: gate.port }),
  );
  for (const head of HEADS) {
    for (const [index, fields] of FIELDS.entries()) {
      const [first = "", ...rest] = head.split("\r\n");
      const request = [
        `${first}\r\nHost: ${authority}\r\n`,
        `X-Answer: ${index % ANSWERS.length}\r\n`,
        ...rest.map((field) => `${field}\r\n`),
        `${fields}\r\n${bodyOf(head)}`,
      ].join("");
      const method = first.split(" ")[0];
      await byProxy.write(request);
      const one = await readAnswer(byProxy, method);
      await byGate.write(
        request.replace(`Host: ${authority}`, "Host: shop.example.com"),
      );
      const other = await readAnswer(byGate, method);
      assert.deepEqual(alike(other), alike(one), request);
      assert.match(one.line, / 200 /, request);
    }
  }
});
