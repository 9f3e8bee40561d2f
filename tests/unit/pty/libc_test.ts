import assert from "node:assert/strict";
import { libcPath } from "../../../src/pty/libc.ts";
import { listeningInodes } from "../../../src/pty/linux_system.ts";
import { signalName, signalNumber } from "../../../src/pty/native_pty.ts";

Deno.test("libcPath finds the library of each kind of system", () => {
  const check = (
    os: typeof Deno.build.os,
    arch: typeof Deno.build.arch,
    files: readonly string[],
    expected: string | null,
  ) => {
    const exists = (path: string) => files.includes(path);
    assert.equal(libcPath(os, arch, exists), expected);
  };
  const debian = "/lib/x86_64-linux-gnu/libc.so.6";
  check("linux", "x86_64", [debian, "/lib64/libc.so.6"], debian);
  check("linux", "aarch64", [debian, "/lib64/libc.so.6"], "/lib64/libc.so.6");
  check("linux", "x86_64", ["/usr/lib/libc.so.6"], "/usr/lib/libc.so.6");
  check("linux", "x86_64", [], null);
  check("darwin", "aarch64", [], "/usr/lib/libSystem.B.dylib");
  check("windows", "x86_64", [], null);
});

Deno.test("signals have names and numbers", () => {
  assert.equal(signalNumber("SIGKILL"), 9);
  assert.equal(signalNumber("SIGNOTHING"), null);
  assert.equal(signalNumber("toString"), null);
  assert.equal(signalName(15), "SIGTERM");
  assert.equal(signalName(63), "SIG63");
});

Deno.test("listeningInodes reads the kernel's table", () => {
  const table =
    `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 30 10 -1
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
`;
  assert.deepEqual(listeningInodes(table, 8080), ["4711"]);
  assert.deepEqual(listeningInodes(table, 80), ["4713"]);
  assert.deepEqual(listeningInodes(table, 81), []);
  assert.deepEqual(listeningInodes("", 80), []);
});
