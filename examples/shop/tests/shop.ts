/**
 * The shop with a data folder of its own, its tasks run by hand as `taskmux.toml` says.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";
import { type Program, startProgram } from "./program.ts";

/** Folder of `taskmux.toml`, without a slash at the end. */
export const SHOP_ROOT = fileURLToPath(new URL("..", import.meta.url))
  .replace(/\/$/, "");

interface Task {
  readonly command: string;
  readonly cwd?: string;
}

const CONFIG = parse(
  await Deno.readTextFile(`${SHOP_ROOT}/taskmux.toml`),
) as unknown as { readonly tasks: Readonly<Record<string, Task>> };

type Environment = Readonly<Record<string, string>>;

/** An answer of the API whose body is taken to be a `T`. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** The part of an order the tests look at. */
export interface OrderBody {
  readonly order: {
    readonly id: number;
    readonly status: string;
    readonly total_cents: number;
    readonly items: readonly { product_id: number; quantity: number }[];
  };
}

/** The body of a refusal. */
export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly fields?: Readonly<Record<string, string>>;
  };
}

/** A shop in a temporary folder, which is removed at the end of the scope. */
export class TestShop implements AsyncDisposable {
  /** `SHOP_DATA` of its tasks. */
  readonly data: string;
  readonly #root: string;

  private constructor(root: string, data: string) {
    this.#root = root;
    this.data = data;
  }

  /** A shop without a database. `root` is the folder its programs are run from. */
  static async create(root = SHOP_ROOT): Promise<TestShop> {
    return new TestShop(root, await Deno.makeTempDir({ prefix: "shop-" }));
  }

  /** A shop whose migrations have run. */
  static async migrated(): Promise<TestShop> {
    const shop = await TestShop.create();
    const { code, lines } = await shop.run("migrate");
    if (code !== 0) throw new Error(lines.join("\n"));
    return shop;
  }

  /** Starts a task; `env` is added to its environment. */
  start(name: string, env: Environment = {}): Program {
    const task = CONFIG.tasks[name];
    if (task === undefined) throw new Error(`There is no task "${name}"`);
    return startProgram(task.command, {
      cwd: task.cwd === undefined ? this.#root : `${this.#root}/${task.cwd}`,
      env: { SHOP_DATA: this.data, PORT: "0", ...env },
    });
  }

  /** Runs a one-shot task to its end. */
  async run(
    name: string,
    env: Environment = {},
  ): Promise<{ code: number; lines: readonly string[] }> {
    await using program = this.start(name, env);
    const code = await program.exited;
    return { code, lines: program.lines };
  }

  /** Starts the API on a free port; it listens when this returns. */
  async startApi(): Promise<TestApi> {
    const program = this.start("api");
    const [, url = ""] = await program.line(/^api ready on (\S+)$/);
    return new TestApi(program, url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.data, { recursive: true });
  }
}

/** An API that listens, ended at the end of the scope. */
export class TestApi implements AsyncDisposable {
  readonly program: Program;
  /** `http://127.0.0.1:port` */
  readonly url: string;

  constructor(program: Program, url: string) {
    this.program = program;
    this.url = url;
  }

  /** Sends a request and parses the JSON that comes back. */
  async fetch<T>(path: string, init: RequestInit = {}): Promise<Answer<T>> {
    const response = await fetch(`${this.url}${path}`, init);
    const { status, headers } = response;
    return { status, headers, body: await response.json() as T };
  }

  /** Posts `draft` as an order. */
  order<T = OrderBody>(
    draft: unknown,
    headers: Environment = {},
  ): Promise<Answer<T>> {
    return this.fetch("/api/orders", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(draft),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}
