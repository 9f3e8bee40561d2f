import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  askedProtocol,
  bodyLength,
  lastAnswerHead,
  MAX_ANSWER_HEAD_BYTES,
  parseAnswerHead,
} from "../../../src/proxy/upgrade_head.ts";

function head(text: string) {
  const answer = parseAnswerHead(Buffer.from(text, "latin1"));
  assert(answer !== null);
  return answer;
}

Deno.test("a protocol is asked for unless it is HTTP itself", () => {
  const asked = (...values: string[]) =>
    askedProtocol(values.flatMap((value) => ["uPgrade", value]));
  assert.equal(asked(), null);
  assert.equal(asked(""), null);
  assert.equal(asked("websocket"), "websocket");
  assert.equal(asked("foo/2, , bar", "WebSocket"), "foo/2, bar, WebSocket");
  for (const http of ["h2c", "H2C", "h2", "HTTP/2.0", "http/1.1, h2c"]) {
    assert.equal(asked(http), null, http);
  }
  assert.equal(asked("h2c, foo", "TLS/1.0, HTTP/1.1"), "foo, TLS/1.0");
});

Deno.test("an answer is read when its head is whole", () => {
  const text = "HTTP/1.1 101 Go\r\nA: \xe9\r\n\r\n";
  for (let length = 0; length < text.length; length++) {
    assert.equal(parseAnswerHead(Buffer.from(text.slice(0, length))), null);
  }
  assert.deepEqual(head(`${text}\x81\x00`), {
    status: 101,
    length: text.length,
    text,
  });
  assert.equal(head("HTTP/1.0 200\r\n\r\n").status, 200);
});

Deno.test("any bytes are an answer, a part of one, or refused", () => {
  const pieces = fc.constantFrom(
    ...["HTTP/1.1 ", "101", " X", "\r\n", "\n", "\r\n\r\n", "A: b", "\0"],
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.array(pieces).map((parts) => Buffer.from(parts.join(""))),
  );
  fc.assert(fc.property(bytes, (bytes) => {
    try {
      const answer = parseAnswerHead(bytes);
      if (answer === null) {
        return !Buffer.from(bytes).includes("\r\n\r\n");
      }
      return answer.length <= bytes.length && answer.status >= 100 &&
        lastAnswerHead(answer).endsWith("\r\nConnection: close\r\n\r\n");
    } catch (error) {
      return error instanceof SyntaxError;
    }
  }));
  const endless = Buffer.alloc(MAX_ANSWER_HEAD_BYTES, "a");
  assert.equal(parseAnswerHead(endless.subarray(1)), null);
  assert.throws(() => parseAnswerHead(endless), RangeError);
});

Deno.test("the last answer of a connection says so, and keeps the rest", () => {
  const answer = head(
    "HTTP/1.1 401 No\r\nConnection: keep-alive\r\nkeep-alive: timeout=5\r\n" +
      "Set-Cookie: a\r\nSet-Cookie: b\r\nUpgrade: h2c\r\n\r\n",
  );
  assert.equal(
    lastAnswerHead(answer),
    "HTTP/1.1 401 No\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nConnection: close\r\n\r\n",
  );
});

Deno.test("the length of a body is known where the head tells it", () => {
  const length = (fields: string, status = 200, method = "GET") =>
    bodyLength(head(`HTTP/1.1 ${status} X\r\n${fields}\r\n`), method);
  assert.equal(length("content-length: 12 \r\n"), 12);
  assert.equal(length(""), null);
  assert.equal(length("Content-Length: x\r\n"), null);
  assert.equal(
    length("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
    null,
  );
  assert.equal(length("Content-Length: 3\r\n", 304), 0);
  assert.equal(length("", 204), 0);
  assert.equal(length("Content-Length: 3\r\n", 200, "HEAD"), 0);
});
