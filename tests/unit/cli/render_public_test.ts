import assert from "node:assert/strict";
import { daemonLines, projectLines } from "../../../src/cli/render/daemon.ts";
import { eventLine, type EventRecord } from "../../../src/cli/render/events.ts";
import { makePaint } from "../../../src/cli/render/paint.ts";
import { publicNote } from "../../../src/cli/render/public_mark.ts";
import { statusLines } from "../../../src/cli/render/status.ts";
import { urlLines } from "../../../src/cli/render/worktree.ts";
import { PLAIN, statusOf, STOPPED_TASK, TASK, TUNNEL } from "./_samples.ts";

const NOW = 1_763_640_000_000;

const WIDE = { width: Infinity, paint: PLAIN, now: NOW };

const URL = "https://quiet-river.trycloudflare.com";

const PUBLIC = { ...TASK, command: "serve", public_url: URL, tunnel: TUNNEL };

const PROGRAM = {
  ...TASK,
  name: "tunnel-api",
  command:
    "unset TUNNEL_TOKEN; exec cloudflared tunnel --metrics 127.0.0.1:$PORT run",
  url: null,
  port: null,
  auto_start: false,
  restart_policy: "always" as const,
  max_restarts: 0,
  role: "tunnel" as const,
};

Deno.test("statusLines() marks what is public, and tells tunnels apart from tasks", () => {
  const tasks = [PUBLIC, { ...STOPPED_TASK, command: "postgres" }, PROGRAM];
  const status = statusOf(tasks, { active_tasks: 1 });
  assert.deepEqual(statusLines(status, WIDE), [
    'Session "shop": running, 1 of 2 tasks active, daemon pid 99',
    "",
    "  Status   Task        URL                     Public                                 Command      Notes",
    "  Healthy  api         http://localhost:40001  https://quiet-river.trycloudflare.com  serve        PUBLIC: everybody",
    "  Stopped  db                                  —                                      postgres",
    "  Healthy  tunnel-api                          —                                      cloudflared  tunnel of api",
  ]);
});

Deno.test("statusLines() has no column for public names where nobody has a tunnel", () => {
  const lines = statusLines(statusOf([TASK]), WIDE);
  assert.doesNotMatch(lines.join("\n"), /public|—/i);
});

Deno.test("statusLines() colours what is public, and what fails in another way", () => {
  const colours = { ...WIDE, paint: makePaint(true) };
  const [, , , open] = statusLines(statusOf([PUBLIC]), colours);
  assert.ok(open?.includes("\x1b[33mhttps:"), open);
  assert.ok(open?.includes("\x1b[33mPUBLIC: everybody"), open);
  const tunnel = {
    ...TUNNEL,
    state: "failing" as const,
    reason: "connection\x1b[2J refused",
  };
  const failing = statusLines(statusOf([{ ...PUBLIC, tunnel }]), colours);
  assert.ok(failing[3]?.includes("\x1b[31mhttps:"), failing[3]);
  assert.equal(
    failing.at(-1)?.includes("api tunnel fails: connection refused"),
    true,
  );
});

Deno.test("publicNote() says who is let in and for how long", () => {
  const cases = [
    [{ expires_at: NOW / 1000 + 4_800 }, "PUBLIC: everybody, for 1h 20m"],
    [{ access: "basic" }, "PUBLIC: password"],
    [{ access: "link" }, "PUBLIC: link"],
    [{ reach: "tailnet" }, "PUBLIC: everybody in the tailnet"],
    [{ state: "waiting", public: false }, "public when it runs"],
    [{ state: "opening", public: false }, "tunnel opening"],
    [{ state: "off", public: false, backend: "noop" }, "tunnel=noop"],
  ] as const;
  for (const [change, expected] of cases) {
    assert.equal(publicNote({ ...TUNNEL, ...change }, NOW), expected);
  }
});

Deno.test("statusLines() tells why a standing tunnel is closed", () => {
  const tunnel = {
    ...TUNNEL,
    state: "off" as const,
    public: false,
    standing: true,
    reason: "it was closed by hand",
  };
  const task = { ...TASK, tunnel };
  assert.equal(
    statusLines(statusOf([task]), WIDE).at(-1),
    "  api tunnel is off: it was closed by hand",
  );
  // What a cloned file says is no news with every status.
  const named = { ...task, tunnel: { ...tunnel, standing: false } };
  assert.doesNotMatch(
    statusLines(statusOf([named]), WIDE).join("\n"),
    /closed by hand/,
  );
});

Deno.test("events of tunnels are told in words, by how bad they are", () => {
  const told = (event: Partial<EventRecord> & { event: string }): string =>
    eventLine(
      {
        seq: 1,
        ts: "2026-11-21T01:10:02.318Z",
        session: "shop",
        task: "api",
        severity: "info",
        ...event,
      } as EventRecord,
      { paint: makePaint(true), withSession: false },
    ).replaceAll("\x1b", "").replace(/^.*?\[api\]\[0m /, "");
  const opened = told({
    event: "tunnel_opened",
    severity: "warning",
    backend: "cloudflare-quick",
    public_url: URL,
    access: "open",
    expires_at: 1_795_230_602,
  });
  assert.equal(
    opened,
    `[33mtunnel_opened[0m [2m(by cloudflare-quick, ${URL}, everybody is let in, until 2026-11-21T03:10:02.000Z)[0m`,
  );
  const closed = told({ event: "tunnel_closed", reason: "expired" });
  assert.equal(closed, "[32mtunnel_closed[0m [2m(its time is over)[0m");
});

Deno.test("listings of projects and addresses tell what is public", () => {
  const project = {
    session: "shop",
    config_path: "/work/shop/taskmux.toml",
    registered_at: "2026-11-21T00:00:00Z",
    state: "ok" as const,
    session_exists: true,
    task_count: 3,
    running_count: 2,
  };
  const list = (public_count?: number) =>
    projectLines({
      ok: true,
      projects: [{
        ...project,
        ...public_count === undefined ? {} : { public_count },
      }],
      count: 1,
      daemon_pid: 9,
    }, WIDE);
  assert.doesNotMatch(list()[0]!, /Public/);
  assert.match(list(1)[0]!, /Running {2}Tasks {2}Public/);
  const daemon = {
    ok: true as const,
    running: true,
    pid: 9,
    version: "0.1.0",
    started_at: null,
    api_port: null,
    registered_projects: 1,
    running_tasks: 2,
    public_tasks: 1,
    keeper: { pid: null },
    service: { managed: false, units: [] },
    proxy: { enabled: false },
    dns: { resolver: "noop", active: false },
    warnings: [],
  };
  assert.ok(
    daemonLines(daemon, PLAIN).includes(
      'PUBLIC: 1 task; "taskmux tunnel status" tells which',
    ),
  );
  const urls = [{ task: "api", host: "api", url: "u", public_url: URL }];
  assert.deepEqual(
    urlLines({ ok: true, session: "s", project_id: "s", urls })
      .map((line) => line.trim().replaceAll(/ +/g, " ")),
    ["api u", `${URL} (public)`],
  );
});
