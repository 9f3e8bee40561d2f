import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { isLockHeld } from "../../../src/client/lock_probe.ts";
import { daemonFlags } from "../../../src/config/permissions.ts";
import { type TempHome, tempHome } from "../../support/temp_home.ts";
import { until } from "../../support/until.ts";

const PROGRAM = fileURLToPath(new URL("./_ensure_daemon.ts", import.meta.url));

async function homeWith(behaviour: string): Promise<TempHome> {
  const home = await tempHome();
  await Deno.mkdir(home.home);
  await Deno.writeTextFile(`${home.home}/behaviour`, behaviour);
  return home;
}

/** What one caller of `ensureDaemon` got. */
async function ensure(
  home: TempHome,
  args: readonly string[] = [],
): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await new Deno.Command("deno", {
    args: ["run", ...daemonFlags(home.paths), PROGRAM, ...args],
    env: { ...home.env },
    clearEnv: true,
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.notEqual(text, "", new TextDecoder().decode(stderr));
  return JSON.parse(text);
}

/** How often the fake daemon was started. */
async function starts({ home }: TempHome): Promise<string[]> {
  const text = await Deno.readTextFile(`${home}/started`);
  return text.trim().split("\n");
}

function whenMissing(error: unknown): null {
  if (error instanceof Deno.errors.NotFound) return null;
  throw error;
}

async function daemonGone({ paths }: TempHome): Promise<void> {
  await until(async () => !await isLockHeld(paths.daemonLock), {
    what: "the fake daemon ends",
  });
}

Deno.test("ensureDaemon() starts a daemon and answers when it greets", async () => {
  await using home = await homeWith("greets");
  assert.deepEqual(await ensure(home), { pid: 4242 });
  assert.equal((await starts(home)).length, 1);
  await daemonGone(home);
});

Deno.test("ensureDaemon() tells what a daemon said that failed to start", async () => {
  await using home = await homeWith("fails");
  const error = await ensure(home);
  assert.equal(error["error_code"], "E600");
  assert.equal(
    error["error"],
    "Cannot start daemon: it exited with code 1\nCannot open the state: disk is full",
  );
  assert.match(String(error["hint"]), /daemon\.log$/);
});

Deno.test("ensureDaemon() gives up on a daemon that never greets", async () => {
  await using home = await homeWith("hangs");
  try {
    const error = await ensure(home, ["--fast"]);
    assert.equal(error["error_code"], "E600");
    assert.match(String(error["error"]), /did not answer within 120 s/);
  } finally {
    // It may be slower than the fast clock.
    const pids = await until(() => starts(home).catch(whenMissing));
    for (const pid of pids) Deno.kill(Number(pid), "SIGTERM");
  }
});

Deno.test("ensureDaemon() starts another one when the first left for one that was going", async () => {
  await using home = await homeWith("leaves once");
  assert.deepEqual(await ensure(home), { pid: 4242 });
  assert.equal((await starts(home)).length, 2);
  await daemonGone(home);
});

Deno.test("ensureDaemon() does not start daemons for ever", async () => {
  await using home = await homeWith("leaves");
  const error = await ensure(home, ["--fast"]);
  assert.equal(error["error_code"], "E600");
  assert((await starts(home)).length <= 21);
});

Deno.test("isLockHeld() tells a held lock, a free one and none", async () => {
  await using home = await tempHome();
  const path = `${home.work}/lock`;
  assert.equal(await isLockHeld(path), false);
  {
    using file = await Deno.open(path, { create: true, write: true });
    assert.equal(await isLockHeld(path), false);
    assert.equal(await file.tryLock(true), true);
    assert.equal(await isLockHeld(path), true);
  }
  assert.equal(await isLockHeld(path), false);
});
