/**
 * taskmux of this checkout: MCP over HTTP.
 *
 * @module
 */

import { VERSION } from "../../../src/contract/wire.ts";
import { connectHttp } from "../../harness/mcp_client.ts";
import { Sandbox } from "../../harness/sandbox.ts";
import { taskmuxCommand, taskmuxHome, taskmuxPids } from "../taskmux.ts";
import type { AgentSubject, AgentTask, Ways } from "./agent_subject.ts";

/** Where MCP is, for the project of the bench. */
export const MCP_TARGET = "/mcp?session=bench";

/** The subject. */
export function taskmuxAgent(): AgentSubject {
  return {
    name: "taskmux",
    version: VERSION,
    offers: `MCP over HTTP, \`${MCP_TARGET}\``,
    statusTool: "taskmux_status",
    async open(tasks, signal) {
      const sandbox = await Sandbox.create(signal);
      const { paths } = taskmuxHome(sandbox);
      await sandbox.write(
        "home/config.toml",
        'api_port = 0\nproxy_enabled = false\nhost_resolver = "noop"\n' +
          "auto_inject_agents = false\n",
      );
      await Deno.chmod(paths.home, 0o700);
      await sandbox.write(
        "project/taskmux.toml",
        'name = "bench"\n' + tasks.map(taskText).join(""),
      );
      const command = (args: readonly string[]) =>
        taskmuxCommand(sandbox, args);
      return {
        sandbox,
        start: async () => void await sandbox.ask(command(["start"])),
        connect: async () =>
          await connectHttp({
            at: { port: await apiPort(paths.daemonInfo) },
            target: MCP_TARGET,
          }),
        command,
        pids: async () => Object.values(await taskmuxPids(sandbox)),
        ways,
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
    (task.readyLine === undefined
      ? ""
      : `ready_log = ${JSON.stringify(task.readyLine)}\n`) +
    (task.port === undefined ? "" : `port = ${task.port}\n`);
}

/** The port of the API of a daemon that runs. */
export async function apiPort(daemonInfo: string): Promise<number> {
  const text = await Deno.readTextFile(daemonInfo);
  return (JSON.parse(text) as { readonly api_port: number }).api_port;
}

function ways(): Ways {
  let cursor: string | undefined;
  const look = (text: string): void => {
    cursor = /cursor\W+([^\s",]+)/.exec(text)?.[1] ?? cursor;
  };
  return {
    runs: async ({ tool }) => void await tool("taskmux_status"),
    where: async ({ tool }) =>
      void await tool("taskmux_inspect", { task: "api" }),
    broke: async ({ tool }) =>
      void await tool("taskmux_why", { task: "billing" }),
    errors: async ({ tool }) =>
      void await tool("taskmux_errors", { since: "1m", task: "worker" }),
    look: async ({ tool }) =>
      look(await tool("taskmux_logs", { task: "worker" })),
    fresh: async ({ tool }) =>
      void await tool("taskmux_logs", { task: "worker", cursor }),
    start: async ({ tool }) =>
      void await tool("taskmux_start", { task: "web", wait: true }),
    restart: async ({ tool }) =>
      void await tool("taskmux_restart", { task: "web" }),
    unhealthy: async ({ tool }) =>
      void await tool("taskmux_why", { task: "search" }),
    // Every answer has it.
    happened: async ({ tool }) => void await tool("taskmux_status"),
    stop: async ({ tool }) => void await tool("taskmux_stop"),
  };
}
