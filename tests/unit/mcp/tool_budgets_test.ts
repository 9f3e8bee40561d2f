/**
 * How many tokens tools cost. Measured as everywhere: bytes of the JSON divided by four, the whole answer.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../../src/contract/mod.ts";
import { MAX_NEWS, newsOf } from "../../../src/mcp/tools/compact_event.ts";
import { actionBrief } from "../../../src/mcp/tools/act.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { eventsBrief } from "../../../src/mcp/tools/events.ts";
import { inspectBrief } from "../../../src/mcp/tools/inspect.ts";
import { errorBrief } from "../../../src/mcp/tools/refusal.ts";
import { statusBrief } from "../../../src/mcp/tools/status.ts";
import type { Brief } from "../../../src/mcp/tools/tool.ts";
import { whyBrief } from "../../../src/mcp/tools/why.ts";
import { offeredTools } from "../../../src/mcp/tools/offered_tools.ts";
import type { Json } from "../../support/mcp_client.ts";
import { fakeConnection, statusOf, taskOf } from "../../support/mcp_results.ts";

const NOW_MS = Date.parse("2026-11-20T12:00:00Z");

function tokens(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length / 4;
}

/** Of the answer to `tools/call`. */
function answerTokens({ structured, text, isFailure }: Brief): number {
  return tokens({
    content: [{ type: "text", text }],
    structuredContent: structured,
    ...isFailure ? { isError: true } : {},
  });
}

Deno.test("the list of all tools costs at most 1 500 tokens", () => {
  for (const pin of [null, "shop"]) {
    const tools = offeredTools([])(fakeConnection({ pin }))
      .map(({ declaration }) => declaration);
    assert.equal(tools.length, 13);
    const cost = tokens({ tools });
    assert.ok(cost <= 1_500, `${cost} tokens, pinned to ${pin}`);
    for (const { name, outputSchema, description, annotations } of tools) {
      assert.ok(outputSchema && description && annotations, name);
    }
  }
});

/** A shop of twenty tasks: most are well, some have a name, and some are in trouble. */
function twentyTasks(): Result<"task.status"> {
  const names = [
    "web api worker auth billing search mailer admin docs storybook",
    "postgres redis minio kafka scheduler migrate seed gateway metrics flags",
  ].join(" ").split(" ");
  const trouble: Readonly<Record<string, Parameters<typeof taskOf>[0]>> = {
    billing: {
      state: "failed",
      running: false,
      exit_code: 1,
      reason: 'Task "billing" exited with code 1 and reached max_restarts (5)',
    },
    search: {
      state: "unhealthy",
      reason: "http://localhost:26005/health answered 503 (expected 200)",
    },
    mailer: {
      state: "waiting",
      running: false,
      waiting_for: [{
        task: "search",
        condition: "healthy",
        state: "unhealthy",
      }],
    },
    kafka: {
      state: "backoff",
      running: false,
      restart_in: 8,
      restart_count: 4,
      reason: 'Task "kafka" exited with code 137',
    },
    migrate: { state: "completed", running: false, exit_code: 0 },
    seed: { state: "stopped", running: false, manual: true },
  };
  const hosts = new Set(["web", "api", "auth", "billing", "admin", "docs"]);
  return statusOf(names.map((name, index) => {
    const port = 26_000 + index;
    const host = hosts.has(name) ? name : null;
    const url = host === null
      ? `http://localhost:${port}`
      : `https://${host}.shop.localhost:8443`;
    return taskOf({
      name,
      port,
      host,
      url,
      depends_on: index < 10 ? ["postgres", "redis"] : [],
      ...trouble[name],
    });
  }));
}

Deno.test("a status of twenty tasks costs at most 400 tokens, and explains all that is not well", () => {
  const brief = statusBrief(twentyTasks());
  const cost = answerTokens(brief);
  assert.ok(cost <= 400, `${cost} tokens`);
  const tasks = brief.structured["tasks"] as Record<string, string>;
  assert.equal(Object.keys(tasks).length, 20);
  assert.equal(tasks["web"], "healthy :26000 @");
  assert.equal(tasks["redis"], "healthy :26011");
  assert.equal(brief.structured["@"], "https://TASK.shop.localhost:8443");
  const explained = {
    billing: "failed: exit 1 and reached max_restarts (5)",
    search:
      "unhealthy :26005: http://localhost:26005/health answered 503 (expected 200)",
    mailer: "waiting: for search healthy (unhealthy)",
    kafka: "backoff: exit 137, restart in 8s (4 restarts)",
    migrate: "completed",
    seed: "stopped",
  };
  for (const [name, text] of Object.entries(explained)) {
    assert.equal(tasks[name], text);
  }
  // A client that gives its model the text alone hides nothing either.
  for (const [name, text] of Object.entries(tasks)) {
    const [state = "", ...place] = text.split(" ");
    const isShort = /^(?:healthy|completed|stopped)$/.test(state);
    const said = isShort ? [name, ...place].join(" ") : `${name} ${text}`;
    assert.ok(brief.text.includes(said), `${said} in ${brief.text}`);
  }
  assert.match(brief.text, /@ = https:\/\/TASK\.shop\.localhost:8443/);
});

Deno.test("a status with long reasons and many warnings stays small", () => {
  const long = "x".repeat(5_000);
  const status = {
    ...statusOf([taskOf({ name: "api", state: "failed", reason: long })]),
    warnings: Array.from({ length: 50 }, () => long),
    config_error: {
      error_code: "E101",
      error: `Cannot parse\n${long}`,
      line: 1,
      column: 1,
    },
  };
  const brief = statusBrief(status);
  assert.ok(answerTokens(brief) < 700, `${answerTokens(brief)} tokens`);
  const notes = brief.structured["notes"] as string[];
  assert.match(notes[0] ?? "", /^taskmux\.toml is broken.*E101 Cannot parse/);
  assert.equal(notes.at(-1), "and 47 more");
});

Deno.test("inspect costs at most 400 tokens whatever a task has", () => {
  const long = "y".repeat(3_000);
  const result = {
    ok: true as const,
    ...taskOf({
      name: "api",
      command: `npm run dev -- ${long}`,
      cwd: `/home/ada/work/shop/${"deep/".repeat(12)}`,
      reason: long,
      started_at: NOW_MS / 1000 - 3_700,
      last_health: {
        ok: false,
        method: "http",
        reason: long,
        at: NOW_MS / 1000 - 3,
      },
    }),
    env: Object.fromEntries(
      Array.from({ length: 80 }, (_, index) => [`NAME_${index}`, long]),
    ),
    hooks: { before_start: long },
    log_file: "/home/ada/.taskmux/projects/shop/logs/api.log",
    pids: [1, 2, 3],
    runs: Array.from({ length: 10 }, (_, index) => ({
      started_at: NOW_MS / 1000 - 1_000 - index,
      ended_at: NOW_MS / 1000 - 900 - index,
      exit_code: 1,
    })),
  };
  const brief = inspectBrief(result, { now: NOW_MS });
  assert.ok(answerTokens(brief) <= 400, `${answerTokens(brief)} tokens`);
  const { structured } = brief;
  assert.equal(structured["up"], "61m");
  assert.match(
    String(structured["omitted"]),
    /\benv\b/,
    "says what is missing",
  );
  assert.match(String(structured["health"]), /^failed by http 3s ago: y+…$/);
});

Deno.test("why costs at most 300 tokens however much was printed", () => {
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index} ✗`);
  const brief = whyBrief({
    ok: true,
    task: "api",
    state: "failed",
    url: "https://api.shop.localhost:8443",
    summary: "",
    chain: Array.from({ length: 12 }, (_, index) => ({
      kind: "exit",
      text: `reason ${index} ${"z".repeat(120)}`,
      lines,
    })),
    next: { taskmux: "starts it again in 4 s", you: "taskmux logs api" },
  });
  assert.ok(answerTokens(brief) <= 300, `${answerTokens(brief)} tokens`);
  const because = brief.structured["because"] as string[];
  assert.match(because[0] ?? "", /^reason 0 .*line 39 ✗$/, "the last line");
  assert.equal(brief.structured["omitted"], 12 - because.length);
});

const EVENT = {
  seq: 1,
  ts: "2026-11-20T11:59:57.000Z",
  event: "task_exited",
  severity: "info" as const,
  session: "shop",
  task: "billing",
  exit_code: 137,
  run_id: "91c0cdac10c0",
  ended_at: 1_795_197_224.084,
};

Deno.test("events stay below 2 500 tokens in both forms, and say what they leave out", () => {
  const all = Array.from({ length: 2_000 }, (_, index) => ({
    ...EVENT,
    seq: index + 1,
  }));
  const result = {
    ok: true as const,
    events: all,
    count: all.length,
    cursor: "2000",
    has_more: false,
  };
  const context = { session: "shop", isPinned: true, now: NOW_MS };
  const newest = eventsBrief(result, { ...context, args: { cursor: null } });
  assert.ok(answerTokens(newest) < 2_500, `${answerTokens(newest)} tokens`);
  const kept = newest.structured["events"] as { seq: number }[];
  assert.equal(kept.at(-1)?.seq, 2_000);
  assert.equal(newest.structured["omitted"], 2_000 - kept.length);
  assert.deepEqual(kept.at(-1), {
    seq: 2_000,
    event: "task_exited",
    task: "billing",
    exit_code: 137,
    age_s: 3,
  });
  const oldest = eventsBrief(result, { ...context, args: { cursor: "0" } });
  const first = oldest.structured["events"] as { seq: number }[];
  assert.equal(first[0]?.seq, 1);
  assert.equal(oldest.structured["cursor"], String(first.at(-1)?.seq));
  assert.equal(oldest.structured["has_more"], true);
  const few = eventsBrief(
    { ...result, events: all.slice(0, 50) },
    { ...context, args: { cursor: null } },
  );
  assert.equal((few.structured["events"] as []).length, 50, "by default all");
});

Deno.test("what is new comes with the worst and newest of it, and a count of the rest", () => {
  const events = Array.from({ length: 20 }, (_, index) => ({
    ...EVENT,
    seq: index + 1,
    ...index === 2 ? { event: "task_failed", reason: "exit 137" } : {},
    ...index === 4 ? { event: "auto_restart", attempt: 2 } : {},
  }));
  const { structured, lines } = newsOf(
    { ok: true, recent_events: events, recent_events_omitted: 5 },
    { isPinned: false, now: NOW_MS },
  );
  const seqs = structured.recent_events?.map(({ seq }) => seq);
  assert.deepEqual(seqs, [3, 5, 13, 14, 15, 16, 17, 18, 19, 20]);
  assert.equal(structured.recent_events_omitted, 25 - MAX_NEWS);
  assert.equal(structured.recent_events?.[0]?.["session"], "shop");
  const [line = ""] = lines;
  assert.match(line, /^new: #3 3s ago shop\/billing task_failed exit_code=137/);
  assert.match(line, /; and 15 more, see taskmux_events$/);
  assert.ok(tokens(structured) + tokens(lines) < 600);
  const none = newsOf({ ok: true }, { isPinned: true, now: NOW_MS });
  assert.deepEqual(none, { structured: {}, lines: [] });
});

Deno.test("an action of twenty tasks costs at most 700 tokens and tells each", () => {
  const brief = actionBrief({
    ok: false,
    error_code: "E403",
    session: "shop",
    action: "started",
    tasks: [],
    results: twentyTasks().tasks.map(({ name, port, url, state }) => ({
      ok: state !== "failed",
      task: name,
      action: "started" as const,
      state,
      port,
      url,
      pid: 1,
      ...state === "failed"
        ? {
          error_code: "E403",
          error: `Task "${name}" exited with code 1`,
          hint: `taskmux logs ${name}`,
        }
        : {},
    })),
    warnings: [],
  });
  assert.equal(brief.isFailure, true);
  assert.ok(answerTokens(brief) <= 700, `${answerTokens(brief)} tokens`);
  assert.match(
    brief.text,
    /billing: failed: E403 exit 1; taskmux logs billing/,
  );
});

Deno.test("a status of 500 tasks names those that are not well, and counts the rest", () => {
  const tasks = Array.from({ length: 500 }, (_, index) =>
    taskOf({
      name: `task-${index}`,
      port: 20_000 + index,
      url: `http://localhost:${20_000 + index}`,
      ...index % 50 === 0 ? { state: "failed", reason: "exit 1" } : {},
      ...index % 50 === 1 ? { state: "stopped", running: false } : {},
    }));
  const brief = statusBrief(statusOf(tasks));
  assert.ok(answerTokens(brief) < 1_000, `${answerTokens(brief)} tokens`);
  const shown = brief.structured["tasks"] as Record<string, string>;
  const failed = Object.values(shown).filter((text) => /^failed/.test(text));
  assert.equal(failed.length, 10);
  const counted = [...String(brief.structured["omitted"]).matchAll(/\d+/g)]
    .reduce((sum, [count]) => sum + Number(count), 0);
  assert.equal(counted + Object.keys(shown).length, 500);
  assert.match(brief.text, /^shop: 500 tasks, 10 not well$/m);
  assert.ok(brief.text.includes(`omitted: ${brief.structured["omitted"]}`));
});

Deno.test("a refusal with much to say is bounded, and says what it leaves out", () => {
  const known = Array.from({ length: 400 }, (_, index) => `session-${index}`);
  const sessions = Object.fromEntries(known.map((name) => [name, "1/1"]));
  const brief = errorBrief(
    new TaskmuxError("E403", "Cannot start", {
      hint: "taskmux status",
      details: {
        known,
        sessions,
        output_tail: "x".repeat(9_000),
        tasks: known.map((task) => ({ task, output_tail: "y".repeat(900) })),
      },
    }),
  );
  assert.ok(answerTokens(brief) < 1_200, `${answerTokens(brief)} tokens`);
  const structured = brief.structured["details"] as Json;
  assert.equal((structured["known"] as string[]).at(-1), "and 370 more");
  assert.equal((structured["sessions"] as Json)["…"], "and 370 more");
  assert.match(String(structured["output_tail"]), /^…x+$/);
  assert.deepEqual(structured["omitted"], ["tasks"]);
  assert.match(brief.text, /hint: taskmux status$/);
});

Deno.test("half of twenty tasks in trouble still cost at most 400 tokens", () => {
  const { tasks } = twentyTasks();
  const ill = tasks.map((task, index) => {
    if (index % 2 === 0) return task;
    return taskOf({
      name: task.name,
      state: "backoff",
      running: false,
      reason: `Task "${task.name}" exited with code 1`,
      restart_in: 14,
      restart_count: 5,
    });
  });
  const brief = statusBrief(statusOf(ill));
  const cost = answerTokens(brief);
  assert.ok(cost <= 400, `${cost} tokens`);
  assert.match(
    brief.text,
    /^api, auth, .*, flags backoff: exit 1, restart in 14s \(5 restarts\)$/m,
  );
});
