import assert from "node:assert/strict";
import { denoCommand, launchEnvironment } from "../../src/config/launch.ts";
import {
  cliFlags,
  daemonFlags,
  keeperFlags,
} from "../../src/config/permissions.ts";
import { libcPath } from "../../src/config/libc_path.ts";
import { REPOSITORY, testDenoDirectory } from "../support/deno_flags.ts";
import { tempHome } from "../support/temp_home.ts";

const FIXTURE = `${REPOSITORY}/tests/fixtures/programs/permissions.ts`;

/** Runs the fixture, which answers for each named deed whether it was permitted. */
async function tryDeeds(
  flags: readonly string[],
  deeds: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const { program, args } = denoCommand({ entry: FIXTURE, flags, args: deeds });
  const output = await new Deno.Command(program, {
    args,
    env: launchEnvironment(env),
    clearEnv: true,
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(output.stdout));
}

Deno.test("the CLI's flags permit two sockets, deno and nothing near", async () => {
  await using home = await tempHome();
  await Deno.mkdir(home.paths.runDir, { recursive: true });
  const { daemonSocket, keeperSocket } = home.paths;
  assert.deepEqual(
    await tryDeeds(cliFlags(home.paths), [
      `listen ${daemonSocket}`,
      `listen ${keeperSocket}`,
      `listen ${daemonSocket}2`,
      "listen 127.0.0.1",
      "run deno",
      "run sh",
      "native",
    ], home.env),
    {
      [`listen ${daemonSocket}`]: "ok",
      [`listen ${keeperSocket}`]: "ok",
      [`listen ${daemonSocket}2`]: "NotCapable",
      "listen 127.0.0.1": "NotCapable",
      "run deno": "ok",
      "run sh": "NotCapable",
      "native": "NotCapable",
    },
  );
});

Deno.test("the daemon's flags permit this machine and any program", async () => {
  await using home = await tempHome();
  await Deno.mkdir(home.paths.runDir, { recursive: true });
  const { daemonSocket, keeperSocket } = home.paths;
  assert.deepEqual(
    await tryDeeds(daemonFlags(home.paths), [
      `listen ${daemonSocket}`,
      `listen ${keeperSocket}`,
      "listen 127.0.0.1",
      "listen localhost",
      "listen 0.0.0.0",
      "net example.com",
      "net api.shop.localhost",
      "run sh",
      "native",
    ], home.env),
    {
      [`listen ${daemonSocket}`]: "ok",
      [`listen ${keeperSocket}`]: "ok",
      "listen 127.0.0.1": "ok",
      "listen localhost": "ok",
      "listen 0.0.0.0": "NotCapable",
      "net example.com": "NotCapable",
      "net api.shop.localhost": "ok",
      "run sh": "ok",
      "native": "NotCapable",
    },
  );
});

Deno.test("the keeper's flags permit native code and no program", async () => {
  await using home = await tempHome();
  await Deno.mkdir(home.paths.runDir, { recursive: true });
  const { daemonSocket, keeperSocket } = home.paths;
  const libc = libcPath(Deno.build.os, Deno.build.arch, isFile);
  assert.ok(libc !== null, "this machine has no C library where we look");
  const flags = keeperFlags(home.paths, {
    denoDir: testDenoDirectory(),
    libc,
  });
  assert.deepEqual(
    await tryDeeds(flags, [
      `listen ${keeperSocket}`,
      `listen ${daemonSocket}`,
      "listen 127.0.0.1",
      "run sh",
      "native",
      `dlopen ${libc}`,
    ], home.env),
    {
      [`listen ${keeperSocket}`]: "ok",
      [`listen ${daemonSocket}`]: "NotCapable",
      "listen 127.0.0.1": "NotCapable",
      "run sh": "NotCapable",
      "native": "ok",
      [`dlopen ${libc}`]: "ok",
    },
  );
});

Deno.test("LD_ variables keep nothing from being started", async () => {
  await using home = await tempHome({ LD_LIBRARY_PATH: "/nowhere" });
  assert.deepEqual(
    await tryDeeds(cliFlags(home.paths), ["run deno"], home.env),
    { "run deno": "ok" },
  );
});

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
