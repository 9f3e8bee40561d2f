import assert from "node:assert/strict";
import {
  denoCommand,
  entryPoint,
  launchEnvironment,
} from "../../../src/config/launch.ts";

Deno.test("entryPoint() answers the same version of the other process", () => {
  const check = (moduleUrl: string, expected: string) =>
    assert.equal(entryPoint("daemon", moduleUrl), expected);
  check(
    "file:///home/ann/my%20code/src/config/launch.ts",
    "/home/ann/my code/src/daemon/main.ts",
  );
  check(
    "https://jsr.io/@taskmux/cli/0.1.0/src/config/launch.ts",
    "jsr:@taskmux/cli@0.1.0/daemon",
  );
  check(
    "http://127.0.0.1:7733/@taskmux/cli/1.0.0-rc.1/src/config/launch.ts",
    "jsr:@taskmux/cli@1.0.0-rc.1/daemon",
  );
  check(
    "https://example.test/taskmux/src/config/launch.ts",
    "https://example.test/taskmux/src/daemon/main.ts",
  );
});

Deno.test("entryPoint() of this checkout is a file that exists", async () => {
  for (const entry of ["daemon", "keeper"] as const) {
    assert.ok((await Deno.stat(entryPoint(entry))).isFile);
  }
});

Deno.test("denoCommand() of a file lets Deno find the checkout's config", () => {
  assert.deepEqual(
    denoCommand({
      entry: "/repo/src/daemon/main.ts",
      flags: ["--no-prompt"],
      args: ["--home", "/h"],
    }),
    {
      program: "deno",
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "/repo/src/daemon/main.ts",
        "--home",
        "/h",
      ],
    },
  );
});

Deno.test("denoCommand() of a package ignores the project's deno.json", () => {
  const { program, args } = denoCommand({
    entry: "jsr:@taskmux/cli@0.1.0/keeper",
    flags: [],
    program: "/usr/bin/deno",
  });
  assert.equal(program, "/usr/bin/deno");
  assert.deepEqual(args, [
    "run",
    "--quiet",
    "--no-config",
    "jsr:@taskmux/cli@0.1.0/keeper",
  ]);
});

Deno.test("launchEnvironment() leaves out what changes the loaded code", () => {
  const env = { PATH: "/bin", LD_PRELOAD: "/x.so", DYLD_LIBRARY_PATH: "/y" };
  assert.deepEqual(launchEnvironment(env), { PATH: "/bin" });
  assert.deepEqual(launchEnvironment({ OLD_LD_: "1" }), { OLD_LD_: "1" });
});
