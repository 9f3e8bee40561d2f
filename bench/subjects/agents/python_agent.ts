/**
 * The Python original: ten tools of MCP over HTTP.
 *
 * @module
 */

import { freePort } from "../../../tests/support/free_port.ts";
import { until } from "../../../tests/support/until.ts";
import { HttpConnection } from "../../harness/http_connection.ts";
import { connectHttp } from "../../harness/mcp_client.ts";
import { Sandbox } from "../../harness/sandbox.ts";
import {
  type AgentSubject,
  type AgentTask,
  pidsOf,
  type Ways,
} from "./agent_subject.ts";

/** As many lines as the log of the project has. */
const WHOLE_LOG = 10_020;

/** The subject. @param path Its program. */
export function pythonAgent(path: string, version: string): AgentSubject {
  return {
    name: "Python taskmux",
    version,
    offers: "MCP over HTTP, `/mcp/?session=bench`",
    statusTool: "taskmux_status",
    async open(tasks, signal) {
      const sandbox = await Sandbox.create(signal);
      const port = freePort();
      await sandbox.write(
        ".taskmux/config.toml",
        `api_port = ${port}\nproxy_enabled = false\n` +
          "health_check_interval = 1\nauto_inject_agents = false\n",
      );
      await sandbox.write(
        "project/taskmux.toml",
        'name = "bench"\nauto_inject_agents = false\n' +
          tasks.map(taskText).join(""),
      );
      const command = (args: readonly string[]) => ({
        program: path,
        args,
        cwd: `${sandbox.root}/project`,
        env: { TASKMUX_DISABLE_PROXY: "1" },
      });
      return {
        sandbox,
        start: async () => {
          await sandbox.act(command(["start"]));
          // It leaves those out that are not to be started again.
          for (const { name } of tasks.filter(({ isOnce }) => isOnce)) {
            await sandbox.act(command(["start", name]));
          }
          await until(() => answers(port), { what: "MCP answers" });
        },
        connect: () =>
          connectHttp({ at: { port }, target: "/mcp/?session=bench" }),
        command,
        pids: () => pidsOf(sandbox, "taskmux", "daemon"),
        ways: () => ways(tasks),
        [Symbol.asyncDispose]: async () => {
          await using _sandbox = sandbox;
          await sandbox.ask(command(["daemon", "stop"]));
        },
      };
    },
  };
}

function taskText(
  { name, command, isOnce = false, isManual = false, ...task }: AgentTask,
): string {
  return `[tasks.${name}]\ncommand = ${JSON.stringify(command)}\n` +
    (isOnce ? 'restart_policy = "no"\n' : "") +
    (isManual ? "auto_start = false\n" : "") +
    (task.check === undefined
      ? ""
      : `health_check = ${JSON.stringify(task.check)}\nhealth_interval = 1\n`) +
    // It gives a port to whoever has a host, and takes none.
    (task.port === undefined ? "" : `host = ${JSON.stringify(name)}\n`);
}

async function answers(port: number): Promise<boolean> {
  try {
    using connection = await HttpConnection.open({ port });
    await connection.ask({ method: "GET", target: "/" });
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    return false;
  }
}

function ways(tasks: readonly AgentTask[]): Ways {
  const inspect = { task: "web" };
  return {
    runs: async ({ tool }) => void await tool("taskmux_status"),
    where: async ({ tool }) =>
      void await tool("taskmux_inspect", { task: "api" }),
    broke: async ({ tool }) => {
      await tool("taskmux_events", { limit: 10 });
      await tool("taskmux_logs", { task: "billing", lines: 30 });
    },
    errors: async ({ tool }) =>
      void await tool("taskmux_logs", {
        task: "worker",
        grep: "ERROR",
        since: "1m",
        lines: WHOLE_LOG,
      }),
    look: async ({ tool }) =>
      void await tool("taskmux_logs", { task: "worker" }),
    fresh: async ({ tool }) =>
      void await tool("taskmux_logs", { task: "worker" }),
    // It has no state "ready"; only the log says it.
    start: async ({ tool, repeat }) => {
      await tool("taskmux_start", { task: "web" });
      await repeat(
        () => tool("taskmux_logs", { task: "web", grep: "ready", lines: 1 }),
        (text) => text.includes("web is ready"),
      );
    },
    restart: async ({ tool }) => void await tool("taskmux_restart", inspect),
    unhealthy: async ({ tool }) => {
      await tool("taskmux_inspect", { task: "search" });
      await tool("taskmux_health", { task: "search" });
    },
    happened: async ({ tool }) =>
      void await tool("taskmux_events", { since: "10s" }),
    // No tool stops more than one task.
    stop: async ({ tool }) => {
      for (const { name } of tasks) await tool("taskmux_stop", { task: name });
    },
  };
}
