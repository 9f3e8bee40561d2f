/**
 * What tools make of results: the shapes are those of real answers.
 *
 * @module
 */

import assert from "node:assert/strict";
import { asJson } from "../../../src/api/original_shapes.ts";
import { actionBrief } from "../../../src/mcp/tools/act.ts";
import { readArguments } from "../../../src/mcp/tools/arguments.ts";
import { errorsBrief } from "../../../src/mcp/tools/errors.ts";
import { healthBrief } from "../../../src/mcp/tools/health.ts";
import { listProjectsBrief } from "../../../src/mcp/tools/list_projects.ts";
import { logsBrief } from "../../../src/mcp/tools/logs.ts";
import { TOOLS } from "../../../src/mcp/tools/offered_tools.ts";
import { statusBrief } from "../../../src/mcp/tools/status.ts";
import { waitBrief } from "../../../src/mcp/tools/wait.ts";
import { statusOf, taskOf } from "../../support/mcp_results.ts";

const TUNNEL: NonNullable<Parameters<typeof taskOf>[0]["tunnel"]> = {
  backend: "cloudflare-quick",
  state: "open",
  public: true,
  public_url: "https://x.example",
  public_hostname: null,
  access: "link",
  reach: "public",
  standing: false,
  opened_at: 1,
  expires_at: null,
  origin: null,
  process: "tunnel-api",
  reason: null,
  requests: 0,
  refused: 0,
};

const NOW_MS = Date.parse("2026-11-20T12:00:00Z");

Deno.test("a status says of each task what is not as usual", () => {
  const words = (facts: Parameters<typeof taskOf>[0]): string => {
    const { structured } = statusBrief(statusOf([taskOf(facts)]));
    return (structured["tasks"] as Record<string, string>)["api"] ?? "";
  };
  assert.equal(words({}), "healthy");
  assert.equal(words({ state: "running", port: 3000 }), "running :3000");
  const down = { running: false, port: 3000 } as const;
  assert.equal(words({ state: "stopped", ...down }), "stopped", "nobody there");
  assert.equal(
    words({ state: "failed", exit_code: 7, ...down }),
    "failed: exit 7",
  );
  assert.equal(
    words({ host: "admin", port: 1, url: "https://admin.shop.localhost/x" }),
    "healthy :1 https://admin.shop.localhost/x",
  );
  assert.equal(
    words({ port: 1, url: "http://localhost:1/admin" }),
    "healthy http://localhost:1/admin",
  );
  assert.equal(words({ shared_from: "shop-main" }), "healthy in shop-main");
  assert.equal(
    words({ config_changed: true, restart_count: 2 }),
    "healthy (2 restarts, config changed: restart)",
  );
  assert.equal(
    words({ state: "starting", port: 3000, reason: "not ready yet" }),
    "starting :3000: not ready yet",
  );
  assert.equal(
    words({ port: 1, public_url: "https://x.example", tunnel: TUNNEL }),
    "healthy :1 public: https://x.example (link)",
  );
  const failing = { ...TUNNEL, state: "failing" } as const;
  assert.equal(
    words({ public_url: "https://x.example", tunnel: failing }),
    "healthy public: https://x.example (link, failing)",
  );
  const brief = statusBrief(statusOf([]));
  assert.deepEqual(brief.structured, { session: "shop", tasks: {} });
  assert.equal(brief.text, "shop: 0 tasks");
});

Deno.test("the program of a tunnel is told of when it is not well, or asked for", () => {
  const program = { name: "tunnel-api", role: "tunnel" } as const;
  const told = (
    facts: Parameters<typeof taskOf>[0],
    task?: string,
  ): string[] => {
    const status = statusOf([taskOf({}), taskOf({ ...program, ...facts })]);
    const { structured } = TOOLS.status.brief(asJson(status), {
      args: task === undefined ? {} : { task },
      session: null,
      isPinned: false,
      now: NOW_MS,
    });
    return Object.keys(structured["tasks"] as object);
  };
  assert.deepEqual(told({}), ["api"]);
  assert.deepEqual(told({ state: "backoff" }), ["api", "tunnel-api"]);
  assert.deepEqual(told({}, "tunnel-api"), ["tunnel-api"]);
});

Deno.test("logs show what stands for lines, in both forms", () => {
  const brief = logsBrief({
    ok: true,
    task: "api",
    lines: [
      { redrawn: 4 },
      "2026-11-20T12:00:00.000 ready",
      { repeated: 3 },
      { repeated: 2, similar: true },
      { omitted: { lines: 90, bytes: 5_000 } },
      "2026-11-20T12:00:09.000 Error: boom",
    ],
    cursor: "c1",
    dropped: 7,
    has_more: true,
    omitted: { lines: 90, bytes: 5_000 },
    files: ["/logs/api.log"],
  });
  const lines = [
    "[4 drawn over]",
    "2026-11-20T12:00:00.000 ready",
    "[3 more said the same]",
    "[2 more said much the same]",
    "[90 lines omitted]",
    "2026-11-20T12:00:09.000 Error: boom",
  ];
  assert.deepEqual(brief.structured, {
    lines,
    omitted: { lines: 90, bytes: 5_000 },
    files: ["/logs/api.log"],
    dropped: 7,
    has_more: true,
    cursor: "c1",
  });
  assert.equal(
    brief.text,
    [
      ...lines,
      "90 lines (5000 bytes) omitted of /logs/api.log; 7 bytes lost to rotation; there is more; cursor c1",
    ].join("\n"),
  );
  const two = logsBrief({
    ok: true,
    lines: [
      { ts: "T1", task: "api", text: "one", repeated: 2 },
      { ts: "T2", task: "web", text: "two" },
    ],
    cursor: "c2",
    dropped: 0,
    has_more: false,
  });
  assert.equal(
    two.text,
    "T1 api | one [2 more said the same]\nT2 web | two\ncursor c2",
  );
});

Deno.test("errors are told with their place and what was left out", () => {
  const group = {
    fingerprint: "f",
    kind: "node",
    task: "api",
    message: "TypeError: x is undefined",
    count: 3,
    first: "T0",
    last: "T9",
    frame: { file: "src/db.ts", line: 12, column: 3, function: "open" },
    sample: ["TypeError: x is undefined", "    at open (src/db.ts:12:3)"],
  };
  const scanned = { lines: 9, bytes: 900, skipped_bytes: 5, since: null };
  const brief = errorsBrief({
    ok: true,
    groups: [group, { ...group, frame: null, sample: [] }],
    omitted_groups: 2,
    cursor: "c",
    dropped: 0,
    scanned,
  });
  const [first, second] = brief.structured["errors"] as object[];
  assert.deepEqual(first, {
    task: "api",
    message: "TypeError: x is undefined",
    count: 3,
    last: "T9",
    at: "src/db.ts:12",
    sample: group.sample,
  });
  assert.ok(!("at" in (second ?? {})) && !("sample" in (second ?? {})));
  assert.match(
    brief.text,
    /^api: TypeError: x is undefined \(3x, last T9, src\/db\.ts:12\)\n {2}Type/,
  );
  assert.match(
    brief.text,
    /2 more errors omitted; 5 older bytes not read; cursor c$/,
  );
});

Deno.test("a wait tells what it has met: a state, a line, an event", () => {
  const base = { ok: true, pid: 1, port: 3000, state: "running" } as const;
  const event = {
    seq: 9,
    ts: "2026-11-20T11:59:58.000Z",
    event: "task_exited",
    session: "shop",
    task: "api",
    exit_code: 1,
  };
  const context = { isPinned: true, now: NOW_MS };
  const brief = waitBrief({
    ok: true,
    for: "log:/x/",
    waited: 1.5,
    met: ["api"],
    tasks: [
      { ...base, task: "api", met: true, line: "T1 x" },
      { ...base, task: "web", met: false },
      { ...base, task: "db", met: true, event },
    ],
    event,
  }, context);
  assert.deepEqual(brief.structured, {
    waited: 1.5,
    tasks: {
      api: "running :3000; line: T1 x",
      web: "running :3000 (not met)",
      db: "running :3000; #9 2s ago api task_exited exit_code=1",
    },
    event: {
      seq: 9,
      event: "task_exited",
      task: "api",
      exit_code: 1,
      age_s: 2,
    },
  });
  assert.match(brief.text, /^log:\/x\/ after 1\.5 s\napi: running :3000; line/);
});

Deno.test("health and projects in few words", () => {
  const health = healthBrief({
    ok: true,
    healthy_count: 1,
    total_count: 2,
    completed_count: 1,
    tasks: [
      { name: "api", healthy: true, method: "http", reason: null },
      { name: "db", healthy: false, method: "tcp", reason: "refused" },
      { name: "seed", healthy: null, method: "none", reason: "completed" },
    ],
  });
  assert.deepEqual(health.structured["tasks"], {
    api: "healthy by http",
    db: "unhealthy by tcp: refused",
    seed: "completed",
  });
  const project = {
    session: "shop",
    config_path: "/w/shop/taskmux.toml",
    registered_at: "",
    state: "ok" as const,
    session_exists: true,
    task_count: 5,
    running_count: 2,
  };
  const list = listProjectsBrief({
    ok: true,
    projects: [
      project,
      {
        ...project,
        session: "gone",
        state: "config_missing",
        task_count: null,
        running_count: null,
      },
      ...Array.from({ length: 200 }, (_, at) => ({
        ...project,
        session: `p${at}`,
      })),
    ],
    count: 202,
    daemon_pid: 1,
  });
  const { projects, omitted } = list.structured;
  assert.equal(
    (projects as Record<string, string>)["shop"],
    "2/5 running /w/shop/taskmux.toml",
  );
  assert.equal(
    (projects as Record<string, string>)["gone"],
    "config_missing /w/shop/taskmux.toml",
  );
  assert.equal(omitted, 102);
  assert.match(list.text, /and 102 more$/);
});

Deno.test("an action with nothing to do says so", () => {
  const brief = actionBrief({
    ok: true,
    session: "shop",
    action: "noop",
    tasks: [],
    results: [],
    warnings: ["No task has auto_start = true"],
  });
  assert.equal(brief.text, "nothing to do\nNo task has auto_start = true");
  assert.equal(brief.isFailure, false);
});

Deno.test("arguments are read as models write them", () => {
  const read = (args: Record<string, unknown>) =>
    readArguments(TOOLS.logs, args);
  const { task, max_tokens: tokens } = read({ task: ["a", "b"], grep: null });
  assert.deepEqual([task, tokens], ["a,b", 1_000]);
  assert.throws(() => read({ task: [1] }), { code: "E500", message: /task: / });
  assert.throws(() => read({ lines: -1 }), { message: /lines: .*>=0/ });
  assert.throws(() => read({ lnies: 1, gerp: "x" }), {
    message: /"lnies", did you mean "lines"\?; .*"gerp", did you mean "grep"\?/,
  });
});
