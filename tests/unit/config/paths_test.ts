import assert from "node:assert/strict";
import {
  MAX_SOCKET_PATH_BYTES,
  type PathEnvironment,
  resolvePaths,
} from "../../../src/config/paths.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

Deno.test("resolvePaths() puts the state below TASKMUX_HOME, else HOME", () => {
  const check = (env: PathEnvironment, home: string) =>
    assert.equal(resolvePaths(env).home, home);
  check({ HOME: "/home/ann" }, "/home/ann/.taskmux");
  check({ HOME: "/home/ann/" }, "/home/ann/.taskmux");
  check({ HOME: "/home/ann", TASKMUX_HOME: "" }, "/home/ann/.taskmux");
  check({ HOME: "/home/ann", TASKMUX_HOME: "/state/" }, "/state");
});

Deno.test("resolvePaths() refuses what is not absolute", () => {
  for (const env of [{}, { HOME: "ann" }, { HOME: "/a", TASKMUX_HOME: "b" }]) {
    assert.throws(
      () => resolvePaths(env),
      (error) => error instanceof TaskmuxError && error.code === "E500",
    );
  }
});

Deno.test("resolvePaths() keeps sockets inside the state folder if it can", () => {
  const paths = resolvePaths({ TASKMUX_HOME: "/state" });
  assert.equal(paths.runDir, "/state/run");
  assert.equal(paths.daemonSocket, "/state/run/daemon.sock");
  assert.equal(paths.keeperSocket, "/state/run/keeper.sock");
});

Deno.test("resolvePaths() moves sockets that could not work elsewhere", () => {
  const deep = `/${"d".repeat(MAX_SOCKET_PATH_BYTES)}`;
  for (const TASKMUX_HOME of [deep, "/state,old"]) {
    const { runDir, home } = resolvePaths({ TASKMUX_HOME });
    assert.equal(home, TASKMUX_HOME);
    assert.match(runDir, /^\/tmp\/taskmux-[0-9a-f]{16}$/);
    assert.match(
      resolvePaths({ TASKMUX_HOME, XDG_RUNTIME_DIR: "/run/user/1" }).runDir,
      /^\/run\/user\/1\/taskmux-[0-9a-f]{16}$/,
    );
  }
  assert.notEqual(
    resolvePaths({ TASKMUX_HOME: `${deep}a` }).runDir,
    resolvePaths({ TASKMUX_HOME: `${deep}b` }).runDir,
  );
});
