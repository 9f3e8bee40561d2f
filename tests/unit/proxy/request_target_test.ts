import assert from "node:assert/strict";
import { http1Target, http2Target } from "../../../src/proxy/request_target.ts";

const HOST = ["Host", "a.localhost:8443"];

Deno.test("a path goes on byte by byte", () => {
  for (
    const path of [
      "/",
      "/a/../b",
      "//x",
      "/%2e%2e/%zz",
      '/"<>|',
      "/?a?b=/",
      "*",
    ]
  ) {
    assert.deepEqual(http1Target(path, HOST), {
      authority: "a.localhost:8443",
      path,
    });
  }
});

Deno.test("an absolute target names the host and the path", () => {
  assert.deepEqual(http1Target("https://b.localhost/x?y", HOST), {
    authority: "b.localhost",
    path: "/x?y",
  });
  assert.deepEqual(http1Target("HTTP://b.localhost:1?y", HOST), {
    authority: "b.localhost:1",
    path: "/?y",
  });
});

Deno.test("no host, two hosts, and other forms are no target", () => {
  assert.equal(http1Target("/", []), null);
  assert.equal(http1Target("/", [...HOST, "host", "b.localhost"]), null);
  assert.equal(http1Target("a.localhost:443", HOST), null);
  assert.equal(http1Target("ftp://a.localhost/", HOST), null);
  assert.equal(http2Target([":path", "/"]), null);
  assert.equal(http2Target([":authority", "a.localhost", ":path", "x"]), null);
});

Deno.test("HTTP/2 names its authority, or a host in its place", () => {
  assert.deepEqual(
    http2Target([":authority", "a", "host", "b", ":path", "/"]),
    {
      authority: "a",
      path: "/",
    },
  );
  assert.equal(http2Target(["host", "b", ":path", "*"])?.authority, "b");
});
