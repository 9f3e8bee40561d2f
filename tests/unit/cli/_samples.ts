/**
 * Answers of the daemon for tests of what is printed of them.
 *
 * @module
 */

import type { Status, StatusTask } from "../../../src/cli/render/status.ts";
import { makePaint, type Paint } from "../../../src/cli/render/paint.ts";

/** No colours. */
export const PLAIN: Paint = makePaint(false);

/** A task that runs and is healthy. */
export const TASK: StatusTask = {
  name: "api",
  running: true,
  healthy: true,
  state: "healthy",
  command: "uv run api --port $PORT",
  auto_start: true,
  start_on_request: false,
  pid: 4711,
  port: 40001,
  host: "api",
  url: "http://localhost:40001",
  public_url: null,
  tunnel: null,
  restart_policy: "on-failure",
  restart_count: 0,
  cwd: "/work/shop",
  depends_on: [],
  started_at: 1_763_636_400,
  exit_code: null,
  last_health: { ok: true, method: "http", reason: null, at: 1_763_636_401 },
  events: {},
  reason: null,
  waiting_for: [],
  manual: false,
  config_changed: false,
  restart_in: null,
  scope: "project",
  shared_from: null,
};

/** The tunnel of a task that everybody can reach. */
export const TUNNEL: NonNullable<StatusTask["tunnel"]> = {
  backend: "cloudflare-quick",
  state: "open",
  public: true,
  public_url: "https://quiet-river.trycloudflare.com",
  public_hostname: null,
  access: "open",
  reach: "public",
  standing: false,
  opened_at: 1_763_636_400,
  expires_at: null,
  origin: "http://127.0.0.1:41001",
  process: "tunnel-api",
  reason: null,
  requests: 3,
  refused: 0,
};

/** A task that does not run. */
export const STOPPED_TASK: StatusTask = {
  ...TASK,
  name: "db",
  running: false,
  healthy: false,
  state: "stopped",
  pid: null,
  port: null,
  host: null,
  url: null,
  started_at: null,
  last_health: null,
};

/** A project of these tasks. */
export function statusOf(
  tasks: readonly StatusTask[],
  more: Partial<Status> = {},
): Status {
  const active = tasks.filter((task) => task.running).length;
  return {
    ok: true,
    session: "shop",
    project_id: "shop",
    config_path: "/work/shop/taskmux.toml",
    running: active > 0,
    active_tasks: active,
    tasks: [...tasks],
    aliases: [],
    proxy: { enabled: false, bound: false, port: null, reason: null },
    config_error: null,
    warnings: [],
    daemon_pid: 99,
    ...more,
  };
}
