import assert from "node:assert/strict";
import {
  readPlainAnswer,
  readPlainRequest,
} from "../../../src/proxy/plain_head.ts";

const HOST = "Host: a.localhost";

function head(...lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

Deno.test("readPlainRequest() keeps target and fields as they were sent", () => {
  const text = head(
    "GET /a/../%2e?q=\"#'\\ HTTP/1.1".replace("\\ ", " "),
    HOST,
    "X-Odd:\t caf\xe9  ",
    "cookie: a=1",
    "COOKIE: b=2",
    "Connection: keep-alive",
    "Empty:",
  );
  assert.deepEqual(readPlainRequest(text), {
    method: "GET",
    path: "/a/../%2e?q=\"#'",
    authority: "a.localhost",
    headers: [
      ...["Host", "a.localhost", "X-Odd", "caf\xe9", "cookie", "a=1"],
      ...["COOKIE", "b=2", "Connection", "keep-alive", "Empty", ""],
    ],
  });
});

Deno.test("readPlainRequest() leaves whatever is more than plain, or may be read in two ways", () => {
  const special = [
    head("POST / HTTP/1.1", HOST),
    head("GET / HTTP/1.0", HOST),
    head("GET http://a.localhost/ HTTP/1.1", HOST),
    head("OPTIONS * HTTP/1.1", HOST),
    head("GET  / HTTP/1.1", HOST),
    head("GET /\xe9 HTTP/1.1", HOST),
    head("GET / HTTP/1.1"),
    head("GET / HTTP/1.1", HOST, "host: b.localhost"),
    head("GET / HTTP/1.1", HOST, "Content-Length: 0"),
    head("GET / HTTP/1.1", HOST, "Transfer-Encoding: chunked"),
    head("GET / HTTP/1.1", HOST, "Upgrade: websocket"),
    head("GET / HTTP/1.1", HOST, "Connection: close"),
    head("GET / HTTP/1.1", HOST, "Connection: keep-alive, X-Odd"),
    head("GET / HTTP/1.1", HOST, "Expect: 100-continue"),
    head("GET / HTTP/1.1", HOST, "TE: trailers"),
    head("GET / HTTP/1.1", HOST, "X: a", " folded"),
    head("GET / HTTP/1.1", HOST, "X : a"),
    head("GET / HTTP/1.1", HOST, ": a"),
    head("GET / HTTP/1.1", HOST, "no colon"),
    head("GET / HTTP/1.1", HOST, "X: a\x00b"),
    head("GET / HTTP/1.1", HOST, "X: a\nY: b"),
    head("GET / HTTP/1.1", HOST, "X: a\rY: b"),
    `GET / HTTP/1.1\r\n${HOST}\r\n`,
    `\r\nGET / HTTP/1.1\r\n${HOST}\r\n\r\n`,
    head("GET / HTTP/1.1", HOST) + "GET / HTTP/1.1",
  ];
  for (const text of special) assert.equal(readPlainRequest(text), null, text);
});

Deno.test("readPlainAnswer() tells how a body ends, and whether its connection stays", () => {
  const framings: readonly [
    lines: readonly string[],
    body: number | "chunked" | "close",
    isKept: boolean,
    method?: string,
  ][] = [
    [["HTTP/1.1 200 OK", "Content-Length: 12"], 12, true],
    [["HTTP/1.1 200", "content-length:0"], 0, true],
    [["HTTP/1.1 200 OK", "Transfer-Encoding: Chunked"], "chunked", true],
    [["HTTP/1.1 200 OK", "Server: x"], "close", false],
    [["HTTP/1.0 200 OK", "Content-Length: 1"], 1, false],
    [
      ["HTTP/1.1 200 OK", "Content-Length: 1", "Connection: a, Close"],
      1,
      false,
    ],
    [["HTTP/1.1 304 Not Modified", "Content-Length: 9"], 0, true],
    [["HTTP/1.1 204 No Content"], 0, true],
    [["HTTP/1.1 200 OK", "Content-Length: 9"], 0, true, "HEAD"],
  ];
  for (const [lines, body, isKept, method = "GET"] of framings) {
    const answer = readPlainAnswer(head(...lines), method);
    assert.deepEqual([answer?.body, answer?.isKept], [body, isKept], lines[0]);
  }
  const kept = head("HTTP/1.1 200 Gut\xe9", "Keep-Alive: timeout=7, max=2");
  const { keepsS, message } = readPlainAnswer(kept, "HEAD") ?? {};
  assert.deepEqual([keepsS, message], [7, "Gut\xe9"]);
});

Deno.test("readPlainAnswer() leaves every doubt to the whole parser", () => {
  for (
    const lines of [
      ["HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 1"],
      ["HTTP/1.1 200 OK", "Content-Length: 1", "Transfer-Encoding: chunked"],
      ["HTTP/1.1 200 OK", "Content-Length: +1"],
      ["HTTP/1.1 200 OK", "Content-Length: 1, 1"],
      ["HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"],
      ["HTTP/1.1 099 OK"],
      ["HTTP/2 200 OK"],
      ["HTTP/1.1 200 OK", "a", " b"],
      ["ICY 200 OK"],
    ]
  ) assert.equal(readPlainAnswer(head(...lines), "GET"), null, lines.join());
});
