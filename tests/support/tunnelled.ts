/**
 * Tasks that are public, as tests of that need them: a product whose daemon finds the fake programs of a fake edge, and
 * visitors of that edge.
 *
 * @module
 */

import type { ParamsInput, Result } from "../../src/contract/mod.ts";
import type { FakeEdge } from "./fake_edge.ts";
import {
  askPublic,
  type PublicAnswer,
  type PublicOptions,
} from "./fake_edge/public_client.ts";
import { type FakeProgram, writeFakePrograms } from "./fake_programs.ts";
import { PROGRAMS } from "./keeper.ts";
import type { TestProject } from "./project.ts";
import { PROXY_CONFIG, type Taskmux, testTaskmux } from "./taskmux.ts";
import { until } from "./until.ts";

/** Shell text of the task that tells what it was asked, see `public_server.ts`. */
export const PUBLIC_SERVER =
  `exec ${Deno.execPath()} run --quiet --no-config --no-prompt --allow-all ${PROGRAMS}/public_server.ts`;

/** What that task answers. */
export interface Told {
  readonly task: string;
  readonly pid: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A tunnel as `tunnel status` tells it. */
export type TunnelRow = Result<"tunnel.status">["tunnels"][number];

/** A product whose shells have the programs of this edge at the head of their `PATH`. */
export async function tunnelledTaskmux(
  { edge, programs, env = {}, ...rest }: {
    readonly edge: FakeEdge;
    readonly programs?: readonly FakeProgram[];
    readonly env?: Readonly<Record<string, string>>;
    readonly hostConfig?: string;
    readonly expectedErrors?: RegExp;
  },
): Promise<TunnelledTaskmux> {
  const folder = await Deno.makeTempDir({ prefix: "tmx-bin-" });
  await writeFakePrograms(
    folder,
    edge,
    programs === undefined ? {} : { programs },
  );
  const path = `${folder}:${Deno.env.get("PATH") ?? "/usr/bin:/bin"}`;
  const taskmux = await testTaskmux({
    hostConfig: PROXY_CONFIG,
    ...rest,
    env: { PATH: path, ...env },
  });
  return {
    taskmux,
    folder,
    edge,
    [Symbol.asyncDispose]: async () => {
      try {
        await taskmux[Symbol.asyncDispose]();
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  };
}

/** See {@linkcode tunnelledTaskmux}. */
export interface TunnelledTaskmux extends AsyncDisposable {
  readonly taskmux: Taskmux;
  /** Where the programs are. */
  readonly folder: string;
  readonly edge: FakeEdge;
}

/** One project, and what becomes public of it. */
export class TunnelledProject {
  readonly project: TestProject;
  readonly #taskmux: Taskmux;
  readonly #edge: FakeEdge;

  private constructor(
    project: TestProject,
    { taskmux, edge }: TunnelledTaskmux,
  ) {
    this.project = project;
    this.#taskmux = taskmux;
    this.#edge = edge;
  }

  /** Writes one, and starts its tasks. */
  static async start(
    of: TunnelledTaskmux,
    toml: string,
    { folder = "project", tasks = [] }: {
      readonly folder?: string;
      /** Which to start; by default those that start by themselves. */
      readonly tasks?: readonly string[];
    } = {},
  ): Promise<TunnelledProject> {
    const project = await of.taskmux.project(toml, folder);
    await project.ok(["start", ...tasks]);
    return new TunnelledProject(project, of);
  }

  /** Asks for a tunnel with the environment of the test's shells. */
  up(
    params: Omit<ParamsInput<"tunnel.up">, "scope">,
  ): Promise<Result<"tunnel.up">> {
    return this.#taskmux.call("tunnel.up", {
      scope: { config: this.project.config },
      env: { ...this.#taskmux.home.env },
      ...params,
    });
  }

  /** Closes tunnels; by default all. */
  down(...tasks: string[]): Promise<Result<"tunnel.down">> {
    return this.#taskmux.call("tunnel.down", {
      scope: { config: this.project.config },
      tasks,
    });
  }

  /** What is public, by task. */
  async tunnels(): Promise<ReadonlyMap<string, TunnelRow>> {
    const { tunnels } = await this.#taskmux.call("tunnel.status", {
      scope: { config: this.project.config },
    });
    return new Map(tunnels.map((row) => [row.task, row]));
  }

  /** The tunnel of a task once it is as the condition says. */
  async when(
    task: string,
    condition: (row: TunnelRow) => boolean,
  ): Promise<TunnelRow> {
    let last: TunnelRow | undefined;
    const what = `the tunnel of ${task} as ${condition}`;
    try {
      return await until(async () => {
        last = (await this.tunnels()).get(task);
        return last !== undefined && condition(last) && last;
      }, { what });
    } catch (error) {
      throw new Error(`Cannot see ${what}: ${JSON.stringify(last)}`, {
        cause: error,
      });
    }
  }

  /** Waits until no tunnel of a task is known any more. */
  async whenGone(task: string): Promise<void> {
    await until(async () => !(await this.tunnels()).has(task), {
      what: `no tunnel of ${task}`,
    });
  }

  /** One request to a public address. What is cut off amid the answer has status 0. */
  async ask(address: string, options?: PublicOptions): Promise<PublicAnswer> {
    try {
      return await askPublic(this.#edge, address, options);
    } catch (error) {
      const isCut = error instanceof Error && "code" in error &&
        error.code === "ECONNRESET";
      if (!isCut) throw error;
      return { status: 0, headers: {}, text: "" };
    }
  }

  /** What the task was asked with. */
  async told(address: string, options?: PublicOptions): Promise<Told> {
    const { status, text } = await this.ask(address, options);
    if (status !== 203) throw new Error(`Cannot ask: ${status} ${text}`);
    return JSON.parse(text) as Told;
  }

  /** Names of the events on tunnels of a task, oldest first. */
  async events(task: string): Promise<string[]> {
    const { events } = await this.#taskmux.call("event.list", {
      scope: { config: this.project.config },
      limit: 0,
    });
    return events.filter((event) =>
      event.event.startsWith("tunnel_") && event["task"] === task
    ).map((event) => {
      const { reason } = event as { reason?: string };
      return event.event === "tunnel_closed"
        ? `${event.event} ${reason}`
        : event.event;
    });
  }
}
