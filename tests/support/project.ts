/**
 * One project of a test: its folder, its file, and what the daemon tells about it.
 *
 * @module
 */

import type { Result } from "../../src/contract/mod.ts";
import type { ErrorCode } from "../../src/domain/error_codes.ts";
import { printedText } from "./answer_lines.ts";
import type { CliOptions, CliRun } from "./cli.ts";
import { PROGRAMS } from "./keeper.ts";
import type { ErrorAnswer, Json, Taskmux } from "./taskmux.ts";
import { until } from "./until.ts";

/** The answer of `status`. */
export type Status = Result<"task.status">;

/** A task as `status` tells it. */
export type Task = Status["tasks"][number];

/** The answer of `start`, `stop`, `restart` and `kill`. */
export type Action = Result<"task.start">;

/** An event. */
export type Event = Result<"event.list">["events"][number];

/** A folder with a `taskmux.toml`. Made by {@linkcode Taskmux.project}. */
export class TestProject {
  readonly folder: string;
  readonly config: string;
  readonly #taskmux: Taskmux;

  constructor(taskmux: Taskmux, folder: string) {
    this.#taskmux = taskmux;
    this.folder = folder;
    this.config = `${folder}/taskmux.toml`;
  }

  /** Writes the file in place. */
  async write(toml: string): Promise<void> {
    await Deno.writeTextFile(this.config, toml);
  }

  /** Puts a new file in its place, as editors do. */
  async replace(toml: string): Promise<void> {
    await Deno.writeTextFile(`${this.config}.new`, toml);
    await Deno.rename(`${this.config}.new`, this.config);
  }

  /** Writes another file of the folder. */
  async file(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.folder}/${name}`, text);
  }

  /** Writes another file of the folder so that nobody sees a part of it. */
  async replaceFile(name: string, text: string): Promise<void> {
    await this.file(`${name}.new`, text);
    await Deno.rename(`${this.folder}/${name}.new`, `${this.folder}/${name}`);
  }

  /** The text of a file of the folder; null if there is none. */
  async read(name: string): Promise<string | null> {
    try {
      return await Deno.readTextFile(`${this.folder}/${name}`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Lines of a file of the folder, to which tasks and hooks append. */
  async lines(name: string): Promise<string[]> {
    return ((await this.read(name)) ?? "").split("\n").filter((line) =>
      line !== ""
    );
  }

  /** The same, once there are so many: a task counts as running before its shell has written anything. */
  async linesOf(name: string, count: number): Promise<string[]> {
    return await until(async () => {
      const lines = await this.lines(name);
      return lines.length >= count && lines;
    }, { what: `${count} lines in ${name}` });
  }

  /** A command line in this folder, to its end. */
  run(args: readonly string[], options?: CliOptions): Promise<CliRun> {
    return this.#taskmux.run(args, { cwd: this.folder, ...options });
  }

  /** A command line in this folder that the test ends itself. */
  spawn(args: readonly string[], options?: CliOptions): Deno.ChildProcess {
    return this.#taskmux.spawn(args, { cwd: this.folder, ...options });
  }

  /** See {@linkcode Taskmux.ok}. */
  ok<T extends object = Json>(
    args: readonly string[],
    options?: CliOptions,
  ): Promise<T> {
    return this.#taskmux.ok<T>(args, { cwd: this.folder, ...options });
  }

  /** See {@linkcode Taskmux.fails}. */
  fails<T extends object = Json>(
    code: ErrorCode,
    args: readonly string[],
    options?: CliOptions,
  ): Promise<T & ErrorAnswer> {
    return this.#taskmux.fails<T>(code, args, {
      cwd: this.folder,
      ...options,
    });
  }

  /** `status`, asked over the socket. */
  async status(): Promise<Status> {
    return await this.#taskmux.call("task.status", {
      scope: { config: this.config },
    });
  }

  /** One task of `status`. */
  async task(name: string): Promise<Task> {
    const { tasks } = await this.status();
    const task = tasks.find((each) => each.name === name);
    if (task === undefined) throw new Error(`Cannot find task "${name}"`);
    return task;
  }

  /** The task once it is in that state, or as the condition says. */
  async when(
    name: string,
    condition: Task["state"] | ((task: Task) => boolean),
  ): Promise<Task> {
    const holds = typeof condition === "string"
      ? (task: Task) => task.state === condition
      : condition;
    let last: Task | null = null;
    try {
      return await until(async () => {
        last = await this.task(name);
        return holds(last) ? last : null;
      });
    } catch (error) {
      const what = typeof condition === "string" ? condition : `${condition}`;
      throw new Error(
        `Cannot see task "${name}" as ${what}: ${JSON.stringify(last)}`,
        { cause: error },
      );
    }
  }

  /** Pid of the task, which must run. */
  async pid(name: string): Promise<number> {
    const { pid } = await this.task(name);
    if (pid === null) throw new Error(`Cannot tell pid: "${name}" is down`);
    return pid;
  }

  /** Events of the project, oldest first, asked over the socket; not those of taskmux itself. */
  async events(task?: string, ...types: string[]): Promise<Event[]> {
    const found: Event[] = [];
    let cursor = "0";
    while (true) {
      const page = await this.#taskmux.call("event.list", {
        scope: { config: this.config },
        ...(task === undefined ? {} : { tasks: [task] }),
        types,
        limit: 0,
        cursor,
      });
      found.push(...page.events.filter(({ session }) => session !== null));
      if (!page.has_more) return found;
      cursor = page.cursor;
    }
  }

  /** Types of the events of a task, in order. */
  async history(task: string): Promise<string[]> {
    return (await this.events(task)).map(({ event }) => event);
  }

  /** The first event of that type, of a task or of the project, once there is one. */
  async whenEvent(type: string, task?: string): Promise<Event> {
    return await until(
      async () => (await this.events(task, type))[0],
      { what: `event ${type} of ${task ?? "the project"}` },
    );
  }

  /** Text of the log lines of a task, without their stamps. */
  async log(task: string): Promise<string[]> {
    const { lines } = await this.#taskmux.call("log.read", {
      scope: { config: this.config },
      tasks: [task],
      lines: 1_000,
    });
    return lines.map(printedText);
  }
}

/** Shell command of a program of `tests/fixtures/programs`, under the permissions that such servers need. */
export function program(name: string, ...args: string[]): string {
  return [
    "exec deno run --quiet --no-prompt --no-config",
    "--allow-net=127.0.0.1 --allow-read --allow-env",
    `${PROGRAMS}/${name}`,
    ...args,
  ].join(" ");
}

/** Sequence numbers of the only event of that type of each task, by task. */
export function seqOf(
  events: readonly Event[],
  type: string,
): Record<string, number> {
  return Object.fromEntries(
    events.filter((event) => event.event === type)
      .map((event) => [event.task ?? "", event.seq]),
  );
}
