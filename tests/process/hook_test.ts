import assert from "node:assert/strict";
import type { TaskmuxError } from "../../src/domain/error.ts";
import {
  type HookRequest,
  type HookResult,
  runHook,
} from "../../src/supervisor/hooks.ts";
import { isRunning } from "../support/process_state.ts";
import { until } from "../support/until.ts";

function run(
  command: string,
  options: Partial<HookRequest> = {},
): Promise<HookResult> {
  return runHook({
    hook: "before_start",
    task: "web",
    command,
    cwd: "/",
    env: { PATH: Deno.env.get("PATH") ?? "" },
    shell: null,
    signal: new AbortController().signal,
    ...options,
  });
}

async function failure(
  command: string,
  options: Partial<HookRequest> = {},
): Promise<TaskmuxError> {
  const result = await run(command, options);
  assert.ok(!result.ok);
  return result.error;
}

async function withTempDir(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "tmx-hook-" }),
  );
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("runHook runs the command in its folder and environment", async () => {
  await withTempDir(async (folder) => {
    const env = { PATH: Deno.env.get("PATH") ?? "", PORT: "4000" };
    const result = await run('echo "$PORT" "$(pwd)" >out', {
      cwd: folder,
      env,
    });
    assert.deepEqual(result, { ok: true });
    assert.equal(await Deno.readTextFile(`${folder}/out`), `4000 ${folder}\n`);
  });
});

Deno.test("runHook tells how a hook failed", async () => {
  const error = await failure("echo one; echo two >&2; exit 7");
  assert.equal(error.code, "E400");
  assert.equal(
    error.message,
    'Cannot run hook before_start of task "web": it exited with code 7',
  );
  assert.deepEqual({ ...error.details, output_tail: null }, {
    hook: "before_start",
    task: "web",
    exit_code: 7,
    timeout: null,
    output_tail: null,
  });
  const tail = String(error.details?.["output_tail"]).split("\n").sort();
  assert.deepEqual(tail, ["one", "two"]);
});

Deno.test("runHook names the project for a hook of the project", async () => {
  const error = await failure("exit 1", { task: null, hook: "after_stop" });
  assert.equal(
    error.message,
    "Cannot run hook after_stop of the project: it exited with code 1",
  );
  assert.equal(error.details?.["task"], null);
});

Deno.test("runHook tells a hook that was ended by a signal", async () => {
  const error = await failure("kill -9 $$");
  assert.match(error.message, /: it was ended by SIGKILL$/);
  assert.equal(error.details?.["exit_code"], null);
});

Deno.test("runHook tells what is missing", async () => {
  const noShell = await failure("true", { shell: "/no/such/shell" });
  assert.equal(noShell.code, "E400");
  assert.match(
    noShell.message,
    /: program "\/no\/such\/shell" does not exist$/,
  );
  const noFolder = await failure("true", { cwd: "/no/such" });
  assert.match(noFolder.message, /: folder "\/no\/such" does not exist$/);
});

Deno.test("runHook keeps a bounded tail of plain text", async () => {
  const error = await failure(
    "seq 1 100000; printf '\\033[31mred\\033[0m\\n'; exit 1",
  );
  const tail = String(error.details?.["output_tail"]);
  assert.ok(tail.length <= 2048);
  assert.ok(tail.endsWith("\n100000\nred"), tail.slice(-30));
});

Deno.test("runHook begins no tail in the middle of a line", async () => {
  const error = await failure(
    "printf 'TOKEN=%0100d\\n' $(seq 1 100); exit 1",
  );
  const lines = String(error.details?.["output_tail"]).split("\n");
  assert(lines.length > 10);
  for (const line of lines) assert.match(line, /^TOKEN=\d{100}$/);
});

Deno.test("runHook ends a hook that takes too long", async () => {
  const error = await failure("echo begun; sleep 1000", { timeoutMs: 1_000 });
  assert.equal(error.code, "E401");
  assert.equal(
    error.message,
    'Cannot run hook before_start of task "web": it took longer than 1 s',
  );
  assert.deepEqual(error.details, {
    hook: "before_start",
    task: "web",
    exit_code: null,
    timeout: 1,
    output_tail: "begun",
  });
});

Deno.test("runHook ends all processes of a hook that takes too long", async () => {
  await withTempDir(async (folder) => {
    const cancel = new AbortController();
    const command = "sh -c 'sleep 1000 & echo $! >p; mv p pid; wait' & wait";
    const running = run(command, { cwd: folder, signal: cancel.signal });
    const pid = await until(() =>
      Deno.readTextFile(`${folder}/pid`).then(Number, () => null)
    );
    cancel.abort(new RangeError("stop"));
    await assert.rejects(running, RangeError);
    await until(async () => !await isRunning(pid));
  });
});

Deno.test("runHook does not wait for what a hook leaves in the background", async () => {
  await withTempDir(async (folder) => {
    // The one holds the hook's output, the other has left its session.
    const result = await run(
      `sleep 1000 & echo $! >a; setsid sleep 1000 & echo $! >b`,
      { cwd: folder },
    );
    assert.deepEqual(result, { ok: true });
    for (const name of ["a", "b"]) {
      const pid = Number(await Deno.readTextFile(`${folder}/${name}`));
      assert.ok(await isRunning(pid), name);
      Deno.kill(pid, "SIGKILL");
    }
  });
});

Deno.test("runHook gives a hook no input to wait for", async () => {
  assert.deepEqual(await run("read answer || true"), { ok: true });
});
