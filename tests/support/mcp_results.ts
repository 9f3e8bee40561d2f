/**
 * Results of operations in the shape of the contract, and connections, for tests of what tools make of them.
 *
 * @module
 */

import type { Result } from "../../src/contract/mod.ts";
import type { Connection } from "../../src/mcp/connection.ts";

type Status = Result<"task.status">;
type Task = Status["tasks"][number];

/** A healthy task, but for what is given. */
export function taskOf(facts: Partial<Task>): Task {
  return {
    name: "api",
    running: true,
    healthy: true,
    state: "healthy",
    command: "npm run dev",
    auto_start: true,
    start_on_request: false,
    pid: 4242,
    port: null,
    host: null,
    url: null,
    public_url: null,
    tunnel: null,
    restart_policy: "on-failure",
    restart_count: 0,
    cwd: "/home/ada/work/shop",
    depends_on: [],
    started_at: 1_795_000_000,
    exit_code: null,
    last_health: null,
    events: { task_started: 1, task_healthy: 1 },
    reason: null,
    waiting_for: [],
    manual: false,
    config_changed: false,
    restart_in: null,
    scope: "project",
    shared_from: null,
    ...facts,
  };
}

/** The status of a project `shop` with these tasks. */
export function statusOf(tasks: readonly Task[]): Status {
  return {
    ok: true,
    session: "shop",
    project_id: "shop",
    config_path: "/home/ada/work/shop/taskmux.toml",
    running: true,
    active_tasks: tasks.filter(({ running }) => running).length,
    tasks: [...tasks],
    aliases: [],
    proxy: { enabled: true, bound: true, port: 8443, reason: null },
    config_error: null,
    warnings: [],
    daemon_pid: 1,
  };
}

/** A connection that asks nobody. */
export function fakeConnection(
  { pin = null, isReadOnly = false }: {
    readonly pin?: string | null;
    readonly isReadOnly?: boolean;
  },
): Connection {
  const { signal } = new AbortController();
  const unasked = (): never => {
    throw new Error("Cannot ask: this connection is for looking at tools");
  };
  return {
    caller: "mcp-00000000-0000",
    access: { pin, isReadOnly },
    dispatcher: { kindOf: unasked, call: unasked, stream: unasked },
    signal,
    lifetime: signal,
    clientName: () => null,
  };
}
