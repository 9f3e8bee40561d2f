/**
 * The example shop exactly as `deno task dev` runs it: one command, a stack that works, and nothing left after Ctrl-C.
 */

import assert from "node:assert/strict";
import { isRunning } from "../support/process_state.ts";
import { REPOSITORY } from "../support/deno_flags.ts";
import { TestProject } from "../support/project.ts";
import { ProxyClient } from "../support/proxy_client.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

/** On a fresh machine the packages of the front end are installed first. */
const UP_TIMEOUT_MS = 180_000;

/** Steps of the worker, restarts of flaky, and a slow machine. */
const STEP_TIMEOUT_MS = 60_000;

/** What flaky says when it stays up. */
const CARRIER_UP = "carrier link up after 2 crashes";

const TASKS = [
  "install",
  "migrate",
  "api",
  "web",
  "worker",
  "flaky",
  "report",
];

/** `deno task dev` while it runs. Disposing ends it. */
class DevCommand implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<unknown>;
  stdout = "";
  stderr = "";

  constructor(taskmux: Taskmux, data: string) {
    const { TASKMUX_HOME: _own, ...env } = taskmux.home.env;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["task", "dev"],
      cwd: REPOSITORY,
      env: {
        ...env,
        ...npmSettings(),
        TASKMUX_DEV_HOME: taskmux.home.home,
        SHOP_DATA: data,
      },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#read = Promise.all([
      collect(this.#child.stdout, (text) => this.stdout += text),
      collect(this.#child.stderr, (text) => this.stderr += text),
    ]);
  }

  /** What was printed once it matches. */
  async prints(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    try {
      return await until(() => pattern.exec(this.stdout), { timeoutMs });
    } catch (error) {
      throw new Error(
        `Cannot see ${pattern}:\n${this.stdout}\n${this.stderr}`,
        { cause: error },
      );
    }
  }

  /** What Ctrl-C does; then its exit code, when all of its output was read. */
  async interrupt(): Promise<number> {
    this.#signal("SIGINT");
    const { code } = await this.#child.status;
    await this.#read;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal("SIGTERM");
    await this.#child.status;
    await this.#read;
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It has ended.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    take(text);
  }
}

/** The test has a home of its own; where npm gets packages from, and keeps them, stays as it is on this machine. */
function npmSettings(): Record<string, string> {
  const home = Deno.env.get("HOME") ?? "/";
  const { npm_config_cache, npm_config_userconfig } = Deno.env.toObject();
  return {
    npm_config_cache: npm_config_cache ?? `${home}/.npm`,
    npm_config_userconfig: npm_config_userconfig ?? `${home}/.npmrc`,
  };
}

/** The address that the status table tells for a task. */
async function addressOf(dev: DevCommand, task: string): Promise<string> {
  const row = new RegExp(
    `^ +Healthy +${task} +(https://[a-z0-9.-]+\\.localhost:\\d+) `,
    "m",
  );
  return (await dev.prints(row, STEP_TIMEOUT_MS))[1]!;
}

async function isOpen(port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    return false;
  }
}

/** The page, the API behind it, and an order that the worker ships. */
async function useShop(proxy: ProxyClient, web: string): Promise<void> {
  const page = await proxy.ask(web);
  assert.equal(page.status, 200);
  assert.match(page.text, /<title>Corner Shop<\/title>/);
  const products = await proxy.json(`${web}/api/products`);
  assert.equal(products.status, 200);
  assert.equal(products.body["currency"], "EUR");
  // The API has a name of its own.
  const health = await proxy.json(`api.${web}/health`);
  assert.equal(health.body["ok"], true);

  const shipped = proxy.told(`${web}/api/orders/events`, /"status":"shipped"/);
  const placed = await proxy.json(`${web}/api/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      customer: "Ada",
      email: "ada@example.org",
      items: [{ product_id: 2, quantity: 3 }],
    }),
  });
  assert.equal(placed.status, 201);
  const order = placed.body["order"] as { id: number; status: string };
  assert.equal(order.status, "pending");
  await shipped;
  const { body } = await proxy.json(`${web}/api/orders/${order.id}`);
  assert.equal((body["order"] as { status: string }).status, "shipped");
}

/** What taskmux tells of the order in which things happened. */
async function checkHistory(shop: TestProject): Promise<void> {
  const restarts = await until(async () => {
    const found = await shop.events("flaky", "auto_restart");
    return found.length >= 2 ? found : null;
  }, { what: "two restarts of flaky", timeoutMs: STEP_TIMEOUT_MS });
  assert.equal(restarts.length, 2);
  await until(
    async () => (await shop.log("flaky")).includes(CARRIER_UP),
    { what: CARRIER_UP, timeoutMs: STEP_TIMEOUT_MS },
  );

  const seqOf = async (type: string, task: string): Promise<number> => {
    const [first, ...others] = await shop.events(task, type);
    assert(first, `${type} of ${task}`);
    assert.deepEqual(others, []);
    return first.seq;
  };
  const migrated = await seqOf("task_completed", "migrate");
  assert(migrated < await seqOf("task_started", "api"));
  assert(migrated < await seqOf("task_started", "worker"));
  const installed = await seqOf("task_completed", "install");
  const web = await seqOf("task_started", "web");
  assert(installed < web);
  assert(await seqOf("task_healthy", "api") < web);
}

Deno.test("deno task dev brings the whole shop up, and Ctrl-C takes all of it down", async () => {
  await using taskmux = await testTaskmux({ hostConfig: null });
  const shop = new TestProject(taskmux, `${REPOSITORY}/examples/shop`);
  const data = `${taskmux.home.work}/data`;
  await using dev = new DevCommand(taskmux, data);

  // A linked worktree of the repository has a name of its own.
  const [, id] = await dev.prints(
    /^Session "(shop[a-z0-9-]*)": running/m,
    UP_TIMEOUT_MS,
  );
  const web = await addressOf(dev, "web");
  const api = await addressOf(dev, "api");
  for (const task of TASKS) assert.match(dev.stdout, new RegExp(` ${task} `));
  assert.match(dev.stdout, /^ +Completed +migrate /m);
  assert.match(dev.stdout, /^ +Stopped +report /m);

  assert.equal(new URL(web).hostname, `${id}.localhost`);
  assert.equal(new URL(api).hostname, `api.${id}.localhost`);
  const ca = await Deno.readTextFile(`${taskmux.home.paths.ca}/rootCA.pem`);
  const proxy = new ProxyClient(Number(new URL(web).port), ca);
  await useShop(proxy, `${id}.localhost`);
  await checkHistory(shop);
  // The logs are followed.
  await dev.prints(/\[worker\] .* paid -> shipped/, STEP_TIMEOUT_MS);
  const processes = await taskmux.processes();
  for (const program of ["daemon", "keeper"]) {
    const entry = `src/${program}/main.ts`;
    const count = processes.filter(({ command }) => command.includes(entry));
    assert.equal(count.length, 1, program);
  }
  const { api_port } = JSON.parse(
    await Deno.readTextFile(taskmux.home.paths.daemonInfo),
  );
  const { tasks } = await shop.status();
  const ports = [
    Number(new URL(web).port),
    ...tasks.flatMap(({ port, running }) => running && port ? [port] : []),
  ];
  assert.equal(ports.length, 3);
  for (const port of [...ports, api_port]) assert(await isOpen(port));

  assert.equal(await dev.interrupt(), 0, dev.stderr);
  assert.match(dev.stdout, /^Stopped daemon \(pid \d+\)\n$/m);
  assert.deepEqual(await taskmux.processes(), []);
  for (const { pid } of processes) assert.equal(await isRunning(pid), false);
  for (const port of [...ports, api_port]) {
    assert.equal(await isOpen(port), false, `port ${port}`);
  }
  assert.match(
    await Deno.readTextFile(`${data}/hooks.log`),
    /worker started\n.*worker stopped\n$/,
  );
});
