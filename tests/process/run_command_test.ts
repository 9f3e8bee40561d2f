import assert from "node:assert/strict";
import { systemClock } from "../../src/kit/clock.ts";
import {
  type CommandOutcome,
  type CommandRequest,
  runCommand,
} from "../../src/kit/run_command.ts";
import { isRunning } from "../support/process_state.ts";
import { until } from "../support/until.ts";

const HOUR_MS = 3_600_000;

function run(
  script: string,
  options: Partial<CommandRequest> = {},
): Promise<CommandOutcome> {
  return runCommand({
    argv: ["/bin/sh", "-c", script],
    cwd: "/",
    env: { PATH: Deno.env.get("PATH") ?? "" },
    timeoutMs: HOUR_MS,
    killGraceMs: HOUR_MS,
    outputLimitBytes: 1024,
    stderr: "merge",
    leftovers: "leave",
    clock: systemClock,
    signal: new AbortController().signal,
    ...options,
  });
}

/** The numbers that a script wrote to a file, once there are as many. */
async function pidsIn(path: string, count: number): Promise<number[]> {
  return await until(async () => {
    const text = await Deno.readTextFile(path).catch(() => "");
    const pids = text.split("\n").slice(0, -1).map(Number);
    return pids.length === count ? pids : null;
  }, { what: `${count} pids in ${path}` });
}

async function withTempDir(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tmx-run-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("runCommand tells the status and both outputs", async () => {
  const outcome = await run("echo out; echo err >&2; exit 3");
  assert.ok(outcome.kind === "exited");
  assert.equal(outcome.code, 3);
  assert.equal(outcome.signal, null);
  assert.deepEqual(outcome.output.trim().split("\n").sort(), ["err", "out"]);
});

Deno.test("runCommand can leave the error output out", async () => {
  const outcome = await run("echo out; echo err >&2", { stderr: "discard" });
  assert.deepEqual(outcome, {
    kind: "exited",
    code: 0,
    signal: null,
    output: "out\n",
  });
});

Deno.test("runCommand tells the signal that ended the program", async () => {
  const outcome = await run("kill -KILL $$");
  assert.ok(outcome.kind === "exited");
  assert.equal(outcome.signal, "SIGKILL");
});

Deno.test("runCommand gives the program exactly its environment, its folder and no input", async () => {
  await withTempDir(async (folder) => {
    const cwd = await Deno.realPath(folder);
    const outcome = await run("cat; echo $A; pwd; echo ${HOME-unset}", {
      cwd,
      env: { A: "1" },
    });
    assert.ok(outcome.kind === "exited");
    assert.equal(outcome.output, `1\n${cwd}\nunset\n`);
  });
});

Deno.test("runCommand keeps the end of a long output", async () => {
  const outcome = await run("seq 1 100000", { outputLimitBytes: 12 });
  assert.ok(outcome.kind === "exited");
  assert.equal(outcome.output, "99999\n100000\n".slice(-12));
});

Deno.test("runCommand does not begin the output in the middle of a character", async () => {
  const outcome = await run("printf 'ééé'", { outputLimitBytes: 3 });
  assert.ok(outcome.kind === "exited");
  assert.equal(outcome.output, "é");
});

Deno.test("runCommand tells what is missing", async () => {
  const cases: [Partial<CommandRequest>, string][] = [
    [{ cwd: "/no/such" }, 'folder "/no/such" does not exist'],
    [{ cwd: "/etc/passwd" }, 'folder "/etc/passwd" does not exist'],
    [{ argv: ["/no/such"] }, 'program "/no/such" does not exist'],
    [{ argv: ["/etc/passwd"] }, 'program "/etc/passwd" may not be executed'],
  ];
  for (const [options, reason] of cases) {
    assert.deepEqual(await run("", options), { kind: "not_started", reason });
  }
});

Deno.test("runCommand does not wait for a background process that holds the output", async () => {
  await withTempDir(async (folder) => {
    const outcome = await run("sleep 1000 & echo $! >pid; echo done", {
      cwd: folder,
    });
    assert.deepEqual(outcome, {
      kind: "exited",
      code: 0,
      signal: null,
      output: "done\n",
    });
    const [pid] = await pidsIn(`${folder}/pid`, 1);
    assert.ok(pid !== undefined && await isRunning(pid));
    Deno.kill(pid, "SIGKILL");
  });
});

Deno.test("runCommand ends background processes when it is told to", async () => {
  await withTempDir(async (folder) => {
    await run("sleep 1000 & echo $! >pid", { cwd: folder, leftovers: "kill" });
    const [pid] = await pidsIn(`${folder}/pid`, 1);
    await until(async () => pid && !await isRunning(pid));
  });
});

const STUBBORN = `
  trap '' TERM
  (trap '' TERM; sleep 1000) & echo $! >>pids
  echo $$ >>pids
  while :; do sleep 1; done
`;

Deno.test("runCommand ends a program that takes too long with all it started", async () => {
  await withTempDir(async (folder) => {
    const outcome = await run("echo begun; sleep 1000 & sleep 1000", {
      cwd: folder,
      timeoutMs: 1_000,
    });
    assert.deepEqual(outcome, { kind: "timed_out", output: "begun\n" });
  });
});

Deno.test("runCommand kills what ignores SIGTERM", async () => {
  await withTempDir(async (folder) => {
    const cancel = new AbortController();
    const running = run(STUBBORN, {
      cwd: folder,
      killGraceMs: 10,
      signal: cancel.signal,
    });
    const pids = await pidsIn(`${folder}/pids`, 2);
    cancel.abort(new RangeError("enough"));
    await assert.rejects(running, RangeError);
    await until(async () =>
      !(await Promise.all(pids.map(isRunning))).includes(true)
    );
  });
});

Deno.test("runCommand starts nothing when it is already cancelled", async () => {
  await withTempDir(async (folder) => {
    const signal = AbortSignal.abort(new RangeError("enough"));
    await assert.rejects(
      run("echo >here", { cwd: folder, signal }),
      RangeError,
    );
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  });
});
