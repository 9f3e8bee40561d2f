import assert from "node:assert/strict";
import { libcPath } from "../../../src/config/libc_path.ts";
import { listeningSockets } from "../../../src/pty/linux_listeners.ts";
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

Deno.test("listeningSockets reads the kernel's tables", () => {
  const table =
    `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 30 10 -1
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
`;
  const mine = { inode: "4711", uid: 1000, address: "127.0.0.1" };
  const roots = { inode: "4713", uid: 0, address: "0.0.0.0" };
  assert.deepEqual(listeningSockets(table, 8080), [mine]);
  assert.deepEqual(listeningSockets(table, 80), [roots]);
  assert.deepEqual(listeningSockets(table, 81), []);
  assert.deepEqual(listeningSockets("", 80), []);
  const six = (hex: string) =>
    listeningSockets(
      `\n 0: ${hex}:0050 0:0 0A 0:0 00:0 0  5 0 7 1 0 100 0 0 10 0`,
      80,
    )[0]?.address;
  assert.equal(six("00000000000000000000000000000000"), "[::]");
  assert.equal(six("00000000000000000000000001000000"), "[::1]");
  assert.equal(
    six("B80D01200000000067452301EFCDAB89"),
    "[2001:db8::123:4567:89ab:cdef]",
  );
});
