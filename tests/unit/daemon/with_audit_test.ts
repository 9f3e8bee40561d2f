import assert from "node:assert/strict";
import type { Caller, Dispatcher } from "../../../src/daemon/dispatcher.ts";
import {
  LINES_PER_CALLER,
  LINES_PER_WINDOW,
  withAudit,
} from "../../../src/daemon/with_audit.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { TaskScope } from "../../../src/kit/task_scope.ts";
import type { JsonObject } from "../../../src/kit/json.ts";
import { stillClock } from "../../support/store_folder.ts";

/** A dispatcher with an audit, its log, and a clock that the test sets. */
function audited(answer: (name: string) => JsonObject) {
  const lines: string[] = [];
  const time = { at: 0 };
  const scope = new TaskScope((error) => lines.push(`error ${error}`));
  const inner: Dispatcher = {
    kindOf: () => "call",
    // deno-lint-ignore require-await -- the dispatcher's
    call: async (name) => {
      time.at += 120;
      return answer(name);
    },
    stream: async function* () {},
  };
  const dispatcher = withAudit(inner, {
    clock: {
      ...stillClock,
      monotonic: () => time.at,
      sleep: (_ms, signal) =>
        new Promise((_resolve, reject) =>
          signal?.addEventListener("abort", () => reject(signal.reason))
        ),
    },
    scope,
    log: (_level, message) => lines.push(message),
  });
  return { dispatcher, lines, time, scope };
}

function callerOf(label?: string): Caller {
  const { signal } = new AbortController();
  return {
    caller: null,
    reveal: false,
    signal,
    lifetime: signal,
    onProgress: () => {},
    onNews: () => {},
    ...label === undefined ? {} : { label },
  };
}

const SHOP = { session: "shop" };

Deno.test("withAudit() tells who did what to which task, how it ended and how long it took", async () => {
  const { dispatcher, lines, scope } = audited((name) => {
    if (name === "task.kill") throw new TaskmuxError("E202", "secret");
    return name === "task.start"
      ? { ok: false, error_code: "E403" }
      : { ok: true };
  });
  await using _scope = scope;
  const caller = callerOf("mcp claude-code 2.1.0 (3f2a9c1b pin shop)");
  const tasks = ["api", "web"];
  await dispatcher.call("task.stop", { scope: SHOP, tasks }, caller);
  await dispatcher.call("task.start", {
    scope: SHOP,
    env: { TOKEN: "hunter2hunter2" },
  }, caller);
  await assert.rejects(
    dispatcher.call("task.kill", { scope: SHOP, tasks: ["db"] }, caller),
  );
  await dispatcher.call("task.run", {
    scope: { config: "/work/shop/taskmux.toml" },
    task: "once",
    command: "login --password hunter2",
  }, caller);
  await dispatcher.call("project.unregister", SHOP, caller);
  await dispatcher.call("project.prune", { apply: true }, caller);
  const who = "audit: mcp claude-code 2.1.0 (3f2a9c1b pin shop):";
  assert.deepEqual(lines, [
    `${who} task.stop shop/api,web → ok 120 ms`,
    `${who} task.start shop → E403 120 ms`,
    `${who} task.kill shop/db → E202 120 ms`,
    `${who} task.run /work/shop/taskmux.toml/once → ok 120 ms`,
    `${who} project.unregister shop → ok 120 ms`,
    `${who} project.prune apply → ok 120 ms`,
  ]);
});

Deno.test("withAudit() tells nothing of who only looks, or has no label", async () => {
  const { dispatcher, lines, scope } = audited(() => ({ ok: true }));
  await using _scope = scope;
  await dispatcher.call("task.status", { scope: SHOP }, callerOf("mcp x"));
  await dispatcher.call("log.seen", { scope: SHOP }, callerOf("mcp x"));
  await dispatcher.call("task.stop", { scope: SHOP }, callerOf());
  await dispatcher.call("toString", { scope: SHOP }, callerOf("mcp x"));
  assert.deepEqual(lines, []);
});

Deno.test("withAudit() lets no name begin a line, hide one or be endless", async () => {
  const { dispatcher, lines, scope } = audited(() => ({ ok: true }));
  await using _scope = scope;
  const evil = `x\n2026-11-20 [INF] audit: root\x1b[2K\u202e\u2028${
    "y".repeat(10_000)
  }`;
  await dispatcher.call("task.kill", {
    scope: { session: evil },
    tasks: [evil],
  }, callerOf(evil));
  const [line = "", ...others] = lines;
  assert.deepEqual(others, []);
  assert.match(
    line,
    /^audit: x 2026-11-20 \[INF\] audit: root \[2K y+…: task/u,
  );
  assert.doesNotMatch(line, /\p{C}|\p{Zl}/u);
  assert.ok(line.length < 400, `${line.length} characters`);
});

Deno.test("withAudit() tells a flood in sums, also when the daemon ends", async () => {
  const { dispatcher, lines, time, scope } = audited(() => ({ ok: true }));
  const send = async (count: number, label: string): Promise<void> => {
    for (let sent = 0; sent < count; sent++) {
      time.at -= 120;
      await dispatcher.call("task.stop", { scope: SHOP }, callerOf(label));
    }
  };
  await send(LINES_PER_CALLER + 500, "one");
  await send(1, "two");
  assert.equal(lines.length, LINES_PER_CALLER + 1, "two is heard");
  time.at += 10_000;
  await send(1, "three");
  assert.deepEqual(lines.slice(LINES_PER_CALLER + 1), [
    "audit: 500 more of one: task.stop → ok",
    "audit: three: task.stop shop → ok 120 ms",
  ]);
  const before = lines.length;
  for (let index = 1; index < 1_000; index++) await send(1, `many ${index}`);
  assert.equal(lines.length - before, LINES_PER_WINDOW - 1);
  await scope[Symbol.asyncDispose]();
  assert.equal(lines.length - before, LINES_PER_WINDOW - 1 + 20 + 1);
  assert.equal(lines.at(-1), "audit: 780 more of others");
});
