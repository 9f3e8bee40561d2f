import assert from "node:assert/strict";
import { resolvePaths } from "../../../src/config/paths.ts";
import {
  cliFlags,
  daemonFlags,
  denoDirectory,
  keeperFlags,
} from "../../../src/config/permissions.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

const paths = resolvePaths({ TASKMUX_HOME: "/home/ann/.taskmux" });

Deno.test("the CLI may ask two sockets and start two programs", () => {
  assert.deepEqual(cliFlags(paths), [
    "--unstable-lazy-dynamic-imports",
    "--v8-flags=--max-semi-space-size=4",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-run=deno,git",
    "--allow-net=unix:/home/ann/.taskmux/run/daemon.sock," +
    "unix:/home/ann/.taskmux/run/keeper.sock",
  ]);
});

Deno.test("the daemon may run programs and reach this machine, and one API", () => {
  assert.deepEqual(daemonFlags(paths), [
    "--unstable-net",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-run",
    "--allow-net=127.0.0.0/8,[::1],localhost,*.localhost," +
    "api.cloudflare.com:443," +
    "unix:/home/ann/.taskmux/run/daemon.sock," +
    "unix:/home/ann/.taskmux/run/keeper.sock," +
    "unix:/home/ann/.taskmux/run/http.sock",
  ]);
});

Deno.test("the keeper may load two libraries and run no program", () => {
  const flags = keeperFlags(paths, {
    denoDir: "/home/ann/.cache/deno",
    libc: "/lib/libc.so.6",
  });
  assert.deepEqual(flags, [
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-net=unix:/home/ann/.taskmux/run/keeper.sock",
    "--allow-ffi=/home/ann/.cache/deno/npm,/lib/libc.so.6",
  ]);
});

Deno.test("a comma in a path is refused, as Deno would split there", () => {
  const native = { denoDir: "/cache,d", libc: "/lib/libc.so.6" };
  assert.throws(
    () => keeperFlags(paths, native),
    (error) => error instanceof TaskmuxError && error.code === "E500",
  );
});

Deno.test("denoDirectory follows the rule of Deno", () => {
  const check = (
    env: Parameters<typeof denoDirectory>[0],
    os: typeof Deno.build.os,
    expected: string,
  ) => assert.equal(denoDirectory(env, os), expected);
  const HOME = "/home/ann";
  check({ HOME }, "linux", "/home/ann/.cache/deno");
  check({ HOME }, "darwin", "/home/ann/Library/Caches/deno");
  check({ HOME, XDG_CACHE_HOME: "/c" }, "linux", "/c/deno");
  check({ HOME, XDG_CACHE_HOME: "c" }, "linux", "/home/ann/.cache/deno");
  check({ HOME, DENO_DIR: "/d" }, "linux", "/d");
  check({ HOME, DENO_DIR: "" }, "linux", "/home/ann/.cache/deno");
});

Deno.test("denoDirectory refuses what it cannot make absolute", () => {
  for (const env of [{}, { HOME: "ann" }, { HOME: "/a", DENO_DIR: "d" }]) {
    assert.throws(
      () => denoDirectory(env, "linux"),
      (error) => error instanceof TaskmuxError && error.code === "E500",
    );
  }
});
