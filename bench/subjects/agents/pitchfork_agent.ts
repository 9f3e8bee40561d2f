/**
 * pitchfork: five tools of MCP, over a program's input and output.
 *
 * @module
 */

import { connectStdio } from "../../harness/mcp_client.ts";
import { Sandbox } from "../../harness/sandbox.ts";
import { type AgentSubject, pidsOf, type Ways } from "./agent_subject.ts";

/** As many lines as the log of the project has. */
const WHOLE_LOG = 10_020;

/** The subject. @param path Its program. */
export function pitchforkAgent(path: string, version: string): AgentSubject {
  return {
    name: "pitchfork",
    version,
    offers: "MCP over stdio, `pitchfork mcp --local`",
    statusTool: "pitchfork_status",
    async open(tasks, signal) {
      const sandbox = await Sandbox.create(signal);
      await sandbox.write(
        "project/pitchfork.toml",
        tasks.map(({ name, command, isOnce = false, ...task }) =>
          `[daemons.${name}]\nrun = ${JSON.stringify(command)}\n` +
          `retry = ${isOnce ? 0 : 5}\n` +
          (task.check === undefined
            ? ""
            : `health_cmd = ${JSON.stringify(task.check)}\n`) +
          (task.readyLine === undefined
            ? "ready_delay = 0\n"
            : `ready_output = ${JSON.stringify(task.readyLine)}\n`) +
          (task.port === undefined ? "" : `expected_port = [${task.port}]\n`)
        ).join(""),
      );
      const command = (args: readonly string[]) => ({
        program: path,
        args,
        cwd: `${sandbox.root}/project`,
        env: {
          PITCHFORK_STATE_DIR: `${sandbox.root}/state`,
          PITCHFORK_INTERVAL: "1s",
          PITCHFORK_HEALTH_CHECK_INTERVAL: "1s",
        },
      });
      const names = tasks.filter(({ isManual = false }) => !isManual)
        .map(({ name }) => name);
      return {
        sandbox,
        // One of them dies, which it calls a failure.
        start: async () => void await sandbox.ask(command(["start", ...names])),
        connect: () => connectStdio(sandbox, command(["mcp", "--local"])),
        command,
        pids: () => pidsOf(sandbox, path),
        ways: () => ways(tasks.map(({ name }) => name)),
        [Symbol.asyncDispose]: async () => {
          await using _sandbox = sandbox;
          await sandbox.ask(command(["supervisor", "stop"]));
        },
      };
    },
  };
}

function ways(names: readonly string[]): Ways {
  return {
    runs: async ({ tool }) => void await tool("pitchfork_status"),
    // The state names no port; the log may.
    where: async ({ tool }) => {
      await tool("pitchfork_status");
      await tool("pitchfork_logs", { id: ["api"], n: 5 });
    },
    broke: async ({ tool }) => {
      await tool("pitchfork_status");
      await tool("pitchfork_logs", { id: ["billing"] });
    },
    errors: async ({ tool }) =>
      void await tool("pitchfork_logs", { id: ["worker"], n: WHOLE_LOG }),
    look: async ({ tool }) =>
      void await tool("pitchfork_logs", { id: ["worker"] }),
    fresh: async ({ tool }) =>
      void await tool("pitchfork_logs", { id: ["worker"] }),
    start: async ({ tool }) =>
      void await tool("pitchfork_start", { id: ["web"] }),
    restart: async ({ tool }) =>
      void await tool("pitchfork_restart", { id: ["web"] }),
    unhealthy: async ({ tool }) => {
      await tool("pitchfork_status");
      await tool("pitchfork_logs", { id: ["search"] });
    },
    happened: async ({ tool }) => void await tool("pitchfork_status"),
    stop: async ({ tool }) => void await tool("pitchfork_stop", { id: names }),
  };
}
