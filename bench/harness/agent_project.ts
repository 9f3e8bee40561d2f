/**
 * The project that agents are asked about: 20 tasks, one of which crashed, one is not healthy, and one is noisy.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { until } from "../../tests/support/until.ts";
import type { AgentTask } from "../subjects/agents/agent_subject.ts";
import { idleTasks } from "../subjects/subject.ts";
import type { Sandbox } from "./sandbox.ts";

const PROGRAM = fileURLToPath(
  new URL("../programs/agent_project.py", import.meta.url),
);

/** What the probe of the task that is not healthy says. */
export const PROBE_WORDS = "index is locked";

/** Lines that the noisy task is made to print once the agent has looked. */
export const FRESH_LINES: readonly string[] = [
  "cache warmed in 12 ms",
  "connected to the ledger at 127.0.0.1:5432",
  "queue holds 3 jobs, the oldest of them from 08:14",
  "retrying the mail to ada@example.com",
  "mail to ada@example.com was sent",
  "schema is at version 42",
  "GET /metrics answered with 200",
  "config file changed, reading it again",
  "two workers joined, one left",
  "checkpoint written to disk",
];

/** How long something may take that a person would not wait for either. */
const PATIENCE_MS = 30_000;

/** Probes that fail until a manager calls a task unhealthy. */
const PROBES = 3;

/** The slowest of the managers writes its log every half second. */
const SHOWN_MS = 1_000;

/** The tasks. Paths are relative to the folder of the project. */
export function agentTasks(apiPort: number): AgentTask[] {
  const run = (role: string, argument = ""): string =>
    `exec python3 ${PROGRAM} ${role} ${argument}`.trimEnd();
  return [
    {
      name: "api",
      command: run("api", `\${PORT:-${apiPort}}`),
      port: apiPort,
    },
    { name: "billing", command: run("billing"), isOnce: true },
    {
      name: "search",
      command: "echo search is up; exec sleep 86399",
      // What it says stands nowhere in the settings.
      check: `echo >> probes; echo ${
        PROBE_WORDS.replace(" is ", " 'is' ")
      } >&2; exit 1`,
    },
    { name: "worker", command: run("worker"), isOnce: true },
    {
      name: "web",
      command: run("web"),
      readyLine: "web is ready",
      isManual: true,
    },
    ...idleTasks(15),
  ];
}

/** What a person sees of the project beside the manager. */
export class AgentProject {
  /** Where the web service listens. */
  readonly apiPort: number;
  readonly #sandbox: Sandbox;

  constructor(sandbox: Sandbox, apiPort: number) {
    this.#sandbox = sandbox;
    this.apiPort = apiPort;
  }

  /** Everything has happened: the crash, the noise, and enough probes for a verdict. */
  async settled(): Promise<void> {
    await until(
      async () =>
        await this.#read("worker.ready") !== null &&
        (await this.#read("probes") ?? "").length >= PROBES &&
        (await this.#pids("billing")).length === 0,
      { what: "everything has happened", timeoutMs: PATIENCE_MS },
    );
    await this.#shown();
  }

  /** What was printed just now has had the time to get into a log. */
  async #shown(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, SHOWN_MS));
  }

  /** The noisy task prints them, and they had the time to get into a log. */
  async print(lines: readonly string[]): Promise<void> {
    await Deno.writeTextFile(
      this.#path("worker.ready"),
      `${lines.join("\n")}\n`,
      { append: true },
    );
    await until(
      async () => {
        const printed = await this.#read("worker.printed") ?? "";
        return lines.every((line) => printed.includes(`${line}\n`));
      },
      { what: "the worker has printed them", timeoutMs: PATIENCE_MS },
    );
    await this.#shown();
  }

  /** How often web was started. */
  async webStarts(): Promise<number> {
    const text = await this.#read("web.starts");
    return text?.split("\n").filter(Boolean).length ?? 0;
  }

  /** Whether web is ready, in its latest run. */
  async isWebReady(): Promise<boolean> {
    return await this.#read("web.ready") !== null;
  }

  /** Kills a service and waits until it runs again. */
  async kill(role: string): Promise<void> {
    const old = await this.#pids(role);
    for (const pid of old) Deno.kill(pid, "SIGKILL");
    await until(
      async () => {
        const pids = await this.#pids(role);
        return pids.length > 0 && !pids.some((pid) => old.includes(pid));
      },
      { what: `${role} runs again`, timeoutMs: PATIENCE_MS },
    );
  }

  /** How many processes of the tasks live. */
  async living(): Promise<number> {
    const processes = await this.#sandbox.processes();
    return processes.filter(({ args }) =>
      args === "sleep 86399" || isService(args)
    ).length;
  }

  async #pids(role: string): Promise<number[]> {
    const processes = await this.#sandbox.processes();
    return processes
      .filter(({ args }) =>
        isService(args) && args.includes(`${PROGRAM} ${role}`)
      )
      .map(({ pid }) => pid);
  }

  async #read(name: string): Promise<string | null> {
    try {
      return await Deno.readTextFile(this.#path(name));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return null;
    }
  }

  #path(name: string): string {
    return `${this.#sandbox.root}/project/${name}`;
  }
}

/** Whether a command line is that of a service itself, by whatever name of Python, not of a shell around it. */
function isService(args: string): boolean {
  return /^\S*python\S* /.test(args) && args.includes(PROGRAM);
}
