/**
 * process-compose as it can be had here: commands that print JSON. Later releases offer MCP.
 *
 * @module
 */

import { Sandbox } from "../../harness/sandbox.ts";
import { type AgentSubject, pidsOf, type Ways } from "./agent_subject.ts";

/** The subject. @param path Its program. */
export function processComposeAgent(
  path: string,
  version: string,
): AgentSubject {
  return {
    name: "process-compose",
    version,
    offers: "commands, `-o json` where there is such a form",
    statusTool: null,
    async open(tasks, signal) {
      const sandbox = await Sandbox.create(signal);
      // YAML contains JSON.
      const file = await sandbox.write(
        "project/process-compose.yaml",
        JSON.stringify({
          version: "0.5",
          // Dollars are the shell's.
          disable_env_expansion: true,
          processes: Object.fromEntries(
            tasks.map(({ name, command, isOnce = false, ...task }) => [name, {
              command,
              availability: { restart: isOnce ? "no" : "always" },
              ...task.isManual ? { disabled: true } : {},
              ...task.readyLine === undefined
                ? {}
                : { ready_log_line: task.readyLine },
              ...task.check === undefined ? {} : {
                readiness_probe: {
                  exec: { command: task.check },
                  period_seconds: 1,
                },
              },
            }]),
          ),
        }),
      );
      const common = [
        "-U",
        "-u",
        `${sandbox.root}/pc.sock`,
        "-L",
        `${sandbox.root}/pc.log`,
      ];
      const command = (args: readonly string[]) => ({
        program: path,
        args: [...common, ...args],
        cwd: `${sandbox.root}/project`,
      });
      return {
        sandbox,
        start: async () =>
          void await sandbox.act(
            command(["-t=false", "-D", "--keep-project", "-f", file, "up"]),
          ),
        connect: null,
        command,
        pids: () => pidsOf(sandbox, path),
        ways: () => ways(tasks.map(({ name }) => name)),
        [Symbol.asyncDispose]: async () => {
          await using _sandbox = sandbox;
          await sandbox.ask(command(["down"]));
        },
      };
    },
  };
}

function ways(names: readonly string[]): Ways {
  const list = ["process", "list", "-o", "json"];
  return {
    runs: async ({ command }) => void await command(...list),
    // The state names no port.
    where: async ({ command }) => {
      await command("process", "get", "api", "-o", "json");
      await command("process", "ports", "api");
    },
    broke: async ({ command }) => {
      await command(...list);
      // All of it: what comes over stderr is not where it belongs in time, so not at the end.
      await command("process", "logs", "billing");
    },
    errors: async ({ command }) =>
      void await command("process", "logs", "worker"),
    look: async ({ command }) =>
      void await command("process", "logs", "worker", "-n", "50"),
    fresh: async ({ command }) =>
      void await command("process", "logs", "worker", "-n", "50"),
    start: async ({ command, repeat }) => {
      await command("process", "start", "web");
      await repeat(
        () => command("process", "get", "web", "-o", "json"),
        (text) => /"is_ready": *"Ready"/i.test(text),
      );
    },
    restart: async ({ command }) =>
      void await command("process", "restart", "web"),
    unhealthy: async ({ command }) => {
      await command("process", "get", "search", "-o", "json");
      await command("process", "logs", "search", "-n", "30");
    },
    happened: async ({ command }) => void await command(...list),
    stop: async ({ command }) =>
      void await command("process", "stop", ...names),
  };
}
