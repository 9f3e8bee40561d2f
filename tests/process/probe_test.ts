import assert from "node:assert/strict";
import type { ProbeTarget } from "../../src/health/health_probe.ts";
import { probe, PROBES } from "../../src/health/mod.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { freePort } from "../support/free_port.ts";
import { isRunning } from "../support/process_state.ts";
import { until } from "../support/until.ts";
import { look, SilentServer, target } from "./_probe_support.ts";

/** For every kind: a target that is healthy, one that is not, and one that answers too late, if that can be. */
interface Sample {
  readonly healthy: ProbeTarget;
  readonly unhealthy: ProbeTarget | null;
  readonly hanging: ProbeTarget | null;
}

async function withSamples(
  body: (samples: Record<string, Sample>) => Promise<void>,
): Promise<void> {
  await using silent = new SilentServer();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("fine"),
  );
  const { port } = server.addr;
  const closed = freePort();
  const url = (of: number) => `http://127.0.0.1:${of}/`;
  await body({
    http: {
      healthy: target({ health: { url: url(port) } }),
      unhealthy: target({ health: { url: url(closed) } }),
      hanging: target({ health: { url: url(silent.port) } }),
    },
    shell: {
      healthy: target({ health: { check: "true" } }),
      unhealthy: target({ health: { check: "false" } }),
      hanging: target({ health: { check: "sleep 1000" } }),
    },
    tcp: {
      healthy: target({ port }),
      unhealthy: target({ port: closed }),
      hanging: null,
    },
    proc: { healthy: target(), unhealthy: null, hanging: null },
  });
}

Deno.test("every kind of probe keeps the contract", async (t) => {
  await withSamples(async (samples) => {
    for (const { kind } of PROBES) {
      const sample = samples[kind];
      assert.ok(sample, `no sample for ${kind}`);
      await t.step(`${kind}: healthy`, async () => {
        const result = await look(sample.healthy);
        assert.deepEqual({ ...result, at: 0 }, {
          ok: true,
          method: kind,
          reason: null,
          at: 0,
        });
        assert.ok(Math.abs(result.at - Date.now()) < 60_000);
      });
      await t.step(`${kind}: unhealthy`, async () => {
        if (sample.unhealthy === null) return;
        const result = await look(sample.unhealthy);
        assert.equal(result.ok, false);
        assert.equal(result.method, kind);
        assert.ok(result.reason);
      });
      await t.step(`${kind}: a dead process is never healthy`, async () => {
        const result = await look({ ...sample.healthy, alive: false });
        assert.deepEqual({ ...result, at: 0 }, {
          ok: false,
          method: kind,
          reason: "process not running",
          at: 0,
        });
      });
      await t.step(`${kind}: many at a time`, async () => {
        const results = await Promise.all(
          Array.from({ length: 8 }, () => look(sample.healthy)),
        );
        assert.ok(results.every(({ ok }) => ok));
      });
      await t.step(`${kind}: a timeout is a result`, async () => {
        if (sample.hanging === null) return;
        const health = { ...sample.hanging.health, timeoutMs: 50 };
        const result = await look({ ...sample.hanging, health });
        assert.equal(result.ok, false);
        assert.equal(result.reason, "timeout after 0.05s");
      });
      await t.step(`${kind}: a cancelled probe throws the reason`, async () => {
        const cancelled = AbortSignal.abort(new RangeError("stop"));
        const options = { clock: systemClock, signal: cancelled };
        await assert.rejects(probe(sample.healthy, options), RangeError);
        if (sample.hanging === null) return;
        const cancel = new AbortController();
        const probing = probe(sample.hanging, {
          clock: systemClock,
          signal: cancel.signal,
        });
        cancel.abort(new RangeError("stop"));
        await assert.rejects(probing, RangeError);
      });
    }
  });
});

Deno.test("the first kind that is set up is used", async () => {
  const port = freePort();
  const all = { url: `http://127.0.0.1:${port}/`, check: "true" };
  assert.equal((await look(target({ port, health: all }))).method, "http");
  const check = { check: "true" };
  assert.equal((await look(target({ port, health: check }))).method, "shell");
  assert.equal((await look(target({ port }))).method, "tcp");
  const log = { readyLog: "ready" };
  assert.equal((await look(target({ health: log }))).method, "proc");
});

Deno.test("a TCP probe finds a server on either loopback address", async () => {
  for (const hostname of ["127.0.0.1", "::1", "0.0.0.0", "::"]) {
    using listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr;
    assert.equal((await look(target({ port }))).reason, null, hostname);
  }
});

Deno.test("a TCP probe says that nobody listens", async () => {
  const port = freePort();
  assert.equal(
    (await look(target({ port }))).reason,
    `connect refused: nothing listens on port ${port}`,
  );
});

async function checkShell(check: string, reason: string | null): Promise<void> {
  assert.equal(
    (await look(target({ health: { check } }))).reason,
    reason,
    check,
  );
}

Deno.test("a shell probe tells how the check ended", async () => {
  await checkShell("exit 0", null);
  await checkShell("exit 3", "exit 3");
  await checkShell("echo first; echo last; exit 1", "exit 1: last");
  await checkShell("echo 'not yet' >&2; exit 1", "exit 1: not yet");
  await checkShell(
    "printf '\\033[31mred\\033[0m\\r\\n\\n'; exit 2",
    "exit 2: red",
  );
  await checkShell("kill -9 $$", "ended by SIGKILL");
  await checkShell(
    "printf 'x%.0s' $(seq 500); exit 1",
    `exit 1: ${"x".repeat(199)}…`,
  );
});

Deno.test("a shell probe keeps the end of what a failed check printed", async () => {
  const { output } = await look(target({
    health: {
      check: "printf '\\033[31mold\\n'; printf 'x%.0s' $(seq 500); exit 1",
    },
  }));
  assert.equal(output, `…${"x".repeat(499)}`);
  const silent = await look(target({ health: { check: "exit 1" } }));
  assert(!("output" in silent));
  const late = await look(target({
    health: { check: "echo begun; exec sleep 60", timeoutMs: 200 },
  }));
  assert.deepEqual([late.reason, late.output], ["timeout after 0.2s", "begun"]);
});

Deno.test("a shell probe runs in the task's folder, environment and shell", async () => {
  const cwd = await Deno.realPath(await Deno.makeTempDir());
  try {
    const env = { PORT: "123", PATH: Deno.env.get("PATH") ?? "" };
    const check = `test "$PORT" = 123 && test "$(pwd)" = "${cwd}"`;
    const result = await look(target({ cwd, env, health: { check } }));
    assert.equal(result.reason, null);
    const shell = "/no/such/shell";
    assert.equal(
      (await look(target({ shell, health: { check } }))).reason,
      'program "/no/such/shell" does not exist',
    );
    assert.equal(
      (await look(target({ cwd: "/no/such", health: { check } }))).reason,
      'folder "/no/such" does not exist',
    );
  } finally {
    await Deno.remove(cwd);
  }
});

/** Probes with a check that writes its pid to a file and ends only when it is ended; true when nothing is left. */
async function checkLeftovers(
  check: string,
  isEndless: boolean,
): Promise<void> {
  const cwd = await Deno.makeTempDir();
  try {
    const cancel = new AbortController();
    const probing = probe(target({ cwd, health: { check } }), {
      clock: systemClock,
      signal: cancel.signal,
    });
    const pid = await until(() =>
      Deno.readTextFile(`${cwd}/pid`).then(Number, () => null)
    );
    if (isEndless) {
      cancel.abort(new RangeError("stop"));
      await assert.rejects(probing, RangeError);
    } else await probing;
    await until(async () => !await isRunning(pid), { what: check });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

Deno.test("a shell probe leaves nothing running", async () => {
  const writePid = (pid: string) => `echo ${pid} >p; mv p pid`;
  await checkLeftovers(`sleep 1000 & ${writePid("$!")}`, false);
  await checkLeftovers(`sleep 1000 & ${writePid("$!")}; wait`, true);
  await checkLeftovers(
    `trap '' TERM; ${writePid("$$")}; while :; do sleep 1; done`,
    true,
  );
});
