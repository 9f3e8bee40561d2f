/**
 * A manager as an agent meets it: what it offers agents, and how its everyday questions are asked there.
 *
 * @module
 */

import type { Json, McpSession } from "../../harness/mcp_client.ts";
import type { Program, Sandbox } from "../../harness/sandbox.ts";

/** A task in terms that every manager has. */
export interface AgentTask {
  readonly name: string;
  /** Shell text. */
  readonly command: string;
  /** The port it listens on. */
  readonly port?: number;
  /** Shell text: healthy when it exits with 0. */
  readonly check?: string;
  /** It is ready when it prints this. */
  readonly readyLine?: string;
  /** It is not started with the others. */
  readonly isManual?: boolean;
  /** It is not to be started again when it ends. */
  readonly isOnce?: boolean;
}

/** What an agent wants to know or done, every day. */
export const QUESTIONS = {
  runs: "What runs?",
  where: "Is api up, and where?",
  broke: "What broke? (the last failure with its lines)",
  errors: "Last errors since a minute",
  fresh: "New log lines since I last looked",
  start: "Start web and tell when it is ready",
  restart: "Restart web",
  unhealthy: "Why is search not healthy?",
  happened: "What happened since my last call?",
  stop: "Stop everything",
} as const;

/** One of the questions. */
export type QuestionName = keyof typeof QUESTIONS;

/** What an agent can do. Everything that comes back is counted. */
export interface Asking {
  /** Calls a tool. @returns What the model reads. */
  tool(name: string, args?: Json): Promise<string>;
  /** Runs the manager's command. @returns What it prints. */
  command(...args: string[]): Promise<string>;
  /** Calls again, each second, until this is true; not for ever. */
  repeat(
    call: () => Promise<string>,
    isDone: (text: string) => boolean,
  ): Promise<void>;
}

/** The cheapest way known to an answer; it may take several calls. */
export type Way = (asking: Asking) => Promise<void>;

/** A way for each question, and one to look at the log of the worker before it is asked what is new there. */
export type Ways = Readonly<Record<QuestionName | "look", Way>>;

/** A manager that runs a project. Disposal stops it and removes the files. */
export interface AgentSession extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** Runs the manager's start command for all tasks that are not manual. */
  start(): Promise<void>;
  /** Null = it offers no MCP. */
  readonly connect: (() => Promise<McpSession>) | null;
  /** The manager's command. */
  command(args: readonly string[]): Program;
  /** The processes of the manager itself. */
  pids(): Promise<number[]>;
  /** Made once for a session: an agent remembers what it was told. */
  ways(): Ways;
}

/** A manager. */
export interface AgentSubject {
  readonly name: string;
  readonly version: string;
  /** What it offers agents. */
  readonly offers: string;
  /** The tool that tells the state of all tasks; null = it offers no MCP. */
  readonly statusTool: string | null;
  open(
    tasks: readonly AgentTask[],
    signal: AbortSignal,
  ): Promise<AgentSession>;
}

/** The processes of a sandbox in whose command line all of these words are. */
export async function pidsOf(
  sandbox: Sandbox,
  ...words: readonly string[]
): Promise<number[]> {
  const processes = await sandbox.processes();
  return processes.filter(({ args }) => words.every((w) => args.includes(w)))
    .map(({ pid }) => pid);
}
