/**
 * What a fault is, and what it is tried with: a manager with tasks, and hands to do things to both.
 *
 * @module
 */

import { until } from "../../tests/support/until.ts";
import { type ProcessRow, processTable } from "../harness/process_facts.ts";
import {
  type Finished,
  type Program,
  SANDBOX_FOLDER,
} from "../harness/sandbox.ts";
import type { BenchTask, Session, Subject } from "../subjects/subject.ts";
import { CONTROLS, type Controls, type Verb } from "./controls.ts";

/** One row of the matrix. */
export interface FaultScenario {
  /** `F1`, `F2`, … */
  readonly name: string;
  /** What happens, in a few words. */
  readonly title: string;
  /** How it is done and what the cell tells, in a sentence or two. */
  readonly how: string;
  /** Does it to a manager. @returns The cell: what came of it, short. */
  run(subject: Subject, signal: AbortSignal): Promise<string>;
}

/** How long what must come may take. */
const WAIT_MS = 30_000;

/** A manager with its tasks. */
export class FaultSession implements AsyncDisposable {
  readonly session: Session;
  readonly controls: Controls;

  private constructor(session: Session, controls: Controls) {
    this.session = session;
    this.controls = controls;
  }

  /** Prepares a project and starts nothing. */
  static async open(
    subject: Subject,
    tasks: readonly BenchTask[],
    signal: AbortSignal,
  ): Promise<FaultSession> {
    const controls = CONTROLS[subject.name];
    if (controls === undefined) {
      throw new Error(`Cannot control ${subject.name}: it is unknown`);
    }
    return new FaultSession(await subject.open(tasks, { signal }), controls);
  }

  /** Folder of the sandbox. */
  get root(): string {
    return this.session.sandbox.root;
  }

  /** Acts on a task and waits for the command's end. It may fail. */
  act(verb: Verb, task: string): Promise<Finished> {
    return this.try(this.controls.act(this.session, verb, task));
  }

  /** Runs a command that may fail; what it printed is not asked for. */
  async try(program: Program): Promise<Finished> {
    const startedAt = performance.now();
    const { code } = await this.session.sandbox.command(program, {
      stdout: "null",
      stderr: "null",
    }).output();
    return { ms: performance.now() - startedAt, code, text: "" };
  }

  /** Brings a dead manager back. @returns What it says if that fails. */
  async revive(): Promise<string | null> {
    const { sandbox } = this.session;
    try {
      const program = this.controls.revive?.(this.session);
      if (program === undefined) await this.session.start();
      else await sandbox.act(program);
      return null;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return error.message;
    }
  }

  /** What the status command prints; empty if it fails. */
  async status(): Promise<string> {
    const { code, text } = await this.session.sandbox.ask(this.session.status);
    return code === 0 ? text : "";
  }

  /** The exit code that the manager tells of a task; null if it tells none. */
  async exitCode(task: string): Promise<number | null> {
    try {
      return this.controls.exitCode(await this.status(), task);
    } catch (error) {
      // Without a manager what is printed is no status.
      if (error instanceof SyntaxError || error instanceof TypeError) {
        return null;
      }
      throw error;
    }
  }

  /** The process that manages; null if there is none. */
  async manager(): Promise<ProcessRow | null> {
    const rows = await this.session.sandbox.processes();
    return rows.find(({ args }) => this.controls.manager.test(args)) ?? null;
  }

  /** The whole log of a task. */
  async log(task: string): Promise<string> {
    const path = this.session.logFile(task);
    if (path !== null) return await readIfThere(path);
    const program = this.controls.log?.(this.session, task);
    if (program === undefined) return "";
    return (await this.session.sandbox.ask(program)).text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]();
  }
}

/** Living processes whose whole command line is this. */
export async function running(args: string): Promise<number[]> {
  return (await processTable()).filter((row) => row.args === args)
    .map(({ pid }) => pid);
}

/** Waits for a condition; says what it was if it does not come. */
export async function see<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs: number = WAIT_MS,
): Promise<Exclude<T, false | null | undefined>> {
  return await until(condition, { what, timeoutMs });
}

/** Whether a condition comes within a time. */
export async function comes(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (true) {
    if (await condition()) return true;
    if (performance.now() >= deadline) return false;
    await pause(50);
  }
}

/** A folder for what the tasks and the script tell each other; it goes with the room. */
export async function scratchFolder(): Promise<string> {
  const dir = Deno.env.get(SANDBOX_FOLDER) ?? "/tmp";
  return await Deno.makeTempDir({ dir, prefix: "s-" });
}

/** Lets time pass, in which a manager does what it does. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Ends a process at once. */
export function killNow(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether a process lives. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await processTable()).some((row) => row.pid === pid);
}

/** The text of a file; empty if there is none. */
export async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "";
  }
}
