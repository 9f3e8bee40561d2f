import assert from "node:assert/strict";
import fc from "fast-check";
import {
  endToEndHeaders,
  fieldsOf,
  takesTrailers,
  valuesOf,
} from "../../../src/proxy/end_to_end_headers.ts";

const HOP_FIELDS = [
  ["Connection", "keep-alive"],
  ["Keep-Alive", "timeout=5"],
  ["Proxy-Connection", "keep-alive"],
  ["TE", "gzip"],
  ["Transfer-Encoding", "chunked"],
  ["Upgrade", "h2c"],
  ["HTTP2-Settings", "AAMAAABkAAQAAP__"],
];

Deno.test("fields of one hop stay behind, all others go on in order, case and number", () => {
  assert.deepEqual(
    endToEndHeaders([
      ...HOP_FIELDS.flat(),
      "Set-Cookie",
      "a=1",
      "X-Empty",
      "",
      "set-cookie",
      "b=2",
      "Trailer",
      "X-Sum",
      ":status",
      "200",
    ]),
    [
      "Set-Cookie",
      "a=1",
      "X-Empty",
      "",
      "set-cookie",
      "b=2",
      "Trailer",
      "X-Sum",
    ],
  );
});

Deno.test("what Connection names stays behind, but never what says how a message is framed or for whom", () => {
  assert.deepEqual(
    endToEndHeaders([
      "Connection",
      "close, X-Private",
      "x-private",
      "1",
      "connection",
      " Content-Length ,host",
      "Host",
      "a.localhost",
      "Content-Length",
      "3",
      "X-Public",
      "2",
    ]),
    ["Host", "a.localhost", "Content-Length", "3", "X-Public", "2"],
  );
});

Deno.test("trailers are taken when TE says so, with or without a weight", () => {
  for (const te of ["trailers", "gzip, Trailers;q=0.5"]) {
    assert.equal(takesTrailers(["te", te]), true, te);
  }
  assert.equal(takesTrailers(["TE", "gzip", "X", "trailers"]), false);
});

Deno.test("for any fields: what goes on is what came, without what is named", () => {
  const name = fc.stringMatching(/^[A-Za-z-]{1,12}$/);
  const field = fc.tuple(name, fc.string());
  fc.assert(fc.property(
    fc.array(field),
    fc.array(name),
    (fields, named) => {
      const sent = [...fields.flat(), "Connection", named.join(", ")];
      const kept = [...fieldsOf(endToEndHeaders(sent))];
      const expected = [...fieldsOf(sent)].filter(([each]) =>
        valuesOf(kept.flat(), each.toLowerCase()).length > 0
      );
      assert.deepEqual(kept, expected);
      for (const option of named) {
        const isProtected = /^(content-length|host)$/i.test(option);
        const values = valuesOf(kept.flat(), option.toLowerCase());
        if (!isProtected) assert.deepEqual(values, []);
      }
    },
  ));
});
