/**
 * Where a request goes: exact host, own name, catch-all; what is held, what is refused, and what a refusal says.
 */

import assert from "node:assert/strict";
import https from "node:https";
import { PROGRAMS } from "../support/keeper.ts";
import {
  askSession,
  type ProxyClient,
  proxyClient,
} from "../support/proxy_client.ts";
import type { TestProject } from "../support/project.ts";
import { Strangers } from "../support/strangers.ts";
import { killIfThere, PROXY_CONFIG, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const SERVER = `exec python3 ${PROGRAMS}/named_server.py`;

/** Until the test makes the file `go`, which only then lets the program begin. */
const gated = (file: string, command: string): string =>
  `until [ -e ${file} ]; do sleep 0.02; done; ${command}`;

const SHOP = `
name = "shop"

[tasks.api]
command = "${SERVER} api"
host = "api"

[tasks.web]
command = "${SERVER} web ::1"
host = "@"

[tasks.any]
command = "${SERVER} any"
host = "*"

[tasks.slow]
command = "${gated("go-slow", `${SERVER} slow`)}"
host = "slow"
auto_start = false

[tasks.held]
command = "${
  gated("go-held", `${SERVER} held & echo $! > held.pid; sleep 999`)
}"
host = "held"
auto_start = false

[tasks.never]
command = "echo still thinking; exec sleep 1000"
host = "never"
auto_start = false
boot_grace = 60

[tasks.crashing]
command = "echo no paper; exit 7"
host = "crashing"
auto_start = false
max_restarts = 0
restart_backoff = 1.0

[tasks.bare]
command = "exec sleep 1000"
auto_start = false

[tasks.doomed]
command = "${
  gated(
    "go-doomed",
    "echo 'no database <here>'; echo with $DB_TOKEN; exit 3",
  )
}"
host = "doomed"
auto_start = false
restart_policy = "no"
env = { DB_TOKEN = "Zq9fKe7dWc5bVa4h3g21" }
`;

const OTHER = `
name = "other"
[tasks.a]
command = "${SERVER} other"
host = "a"
`;

async function refused(
  proxy: ProxyClient,
  address: string,
  status = 503,
): Promise<Record<string, unknown>> {
  const { status: found, body } = await proxy.json(address);
  assert.equal(found, status, JSON.stringify(body));
  assert.equal(body["ok"], false);
  return body;
}

Deno.test("requests go to the task of their name, and nowhere else", async (t) => {
  await using taskmux = await testTaskmux({ hostConfig: PROXY_CONFIG });
  const shop = await taskmux.project(SHOP);
  await shop.ok(["start", "--wait"]);
  const proxy = await proxyClient(taskmux);
  const says = async (address: string): Promise<string> =>
    (await proxy.ask(address)).text;

  const slowly = await slowRefusals({ shop, proxy });
  await t.step("exact host, own name, and every other one", async () => {
    assert.equal(
      await says("api.shop.localhost/a%2Fb?c=/../"),
      "api /a%2Fb?c=/../",
    );
    assert.equal(await says("API.Shop.localhost/"), "api /");
    assert.equal(await says("shop.localhost/"), "web /");
    assert.equal(await says("x.shop.localhost/"), "any /");
    assert.equal(await says("a.b.shop.localhost/"), "any /");
  });

  await t.step("names that lead nowhere", async () => {
    const foreign = await proxy.ask("example.com/<script>", {
      headers: { accept: "text/html" },
    }).catch((error) => error.code);
    // Its certificate is not for that name; the answer is looked at below.
    assert.equal(foreign, "ERR_TLS_CERT_ALTNAME_INVALID");
    const { status, text } = await proxy.ask("shop.localhost/", {
      headers: { host: "example.com" },
    });
    assert.equal(status, 400);
    assert.doesNotMatch(text, /example/);
    const headers = { host: "api.nobody.localhost" };
    const unknown = await proxy.json("shop.localhost/", { headers });
    assert.equal(unknown.status, 503);
    assert.equal(unknown.body["reason"], "unknown_project");
    assert.equal(unknown.body["error_code"], "E303");
  });

  await headOf(t, proxy);
  await downSteps(t, { shop, proxy, says });
  await hotSteps(t, {
    shop,
    proxy,
    other: await taskmux.project(OTHER, "other"),
  });
  await holdSteps(t, { shop, proxy });
  await strangerSteps(t, { shop, proxy });
  await t.step("no request waits for ever", slowly);
});

async function headOf(t: Deno.TestContext, proxy: ProxyClient): Promise<void> {
  await t.step(
    "a HEAD is refused without a body, by both protocols",
    async () => {
      const { status, headers, text } = await proxy.ask(
        "doomed.shop.localhost",
        {
          method: "HEAD",
        },
      );
      assert.equal(status, 503);
      assert.equal(text, "");
      assert(Number(headers["content-length"]) > 0);
      const session = proxy.session("doomed.shop.localhost");
      const ask = (method: string) =>
        askSession(session, { ":method": method, accept: "text/html" });
      const page = await ask("GET");
      assert.equal(page.status, 503);
      assert.match(page.text, /start doomed/);
      const head = await ask("HEAD");
      assert.equal(head.status, 503);
      assert.equal(head.text, "");
      assert.equal(
        head.headers["content-length"],
        page.headers["content-length"],
      );
      session.close();
    },
  );
}

/** Begins what takes its time while other things are tried. @returns What looks at it. */
async function slowRefusals(
  { shop, proxy }: Around,
): Promise<() => Promise<void>> {
  // The first returns when all there is to know is that they run.
  await shop.run(["start", "never", "bare", "--timeout", "1"]);
  await shop.run(["start", "crashing"]);
  const begunAt = performance.now();
  const late = proxy.ask("never.shop.localhost", {
    headers: { accept: "application/json" },
  });
  const crashing = proxy.ask("crashing.shop.localhost", {
    headers: { accept: "application/json" },
  });
  const lateAfter = late.then(() => performance.now() - begunAt);
  return async () => {
    const crash = await crashing;
    const said = JSON.parse(crash.text);
    assert.equal(said.reason, "failed", crash.text);
    assert.deepEqual(said.lines, ["no paper"]);
    assert.equal(crash.headers["retry-after"], "2");
    await shop.ok(["stop", "crashing"]);
    const { status, headers, text } = await late;
    assert(await lateAfter >= 10_000, `after ${await lateAfter} ms`);
    assert.equal(status, 503);
    assert.equal(headers["retry-after"], "2");
    const body = JSON.parse(text);
    assert.equal(body.reason, "starting", text);
    assert.equal(body.state, "starting");
    assert.equal(body.transient, true);
  };
}

interface Around {
  readonly shop: TestProject;
  readonly proxy: ProxyClient;
}

async function downSteps(
  t: Deno.TestContext,
  { shop, proxy, says }: Around & {
    says(address: string): Promise<string>;
  },
): Promise<void> {
  await t.step(
    "a task that is down is not replaced by the catch-all",
    async () => {
      await shop.ok(["stop", "api", "web"]);
      const body = await refused(proxy, "api.shop.localhost");
      assert.equal(body["reason"], "stopped_by_hand");
      assert.equal(body["task"], "api");
      assert.equal(body["state"], "stopped");
      assert.match(String(body["error"]), /stopped by hand/);
      assert.equal(body["hint"], `taskmux -C ${shop.folder} start api`);
      assert.equal((await refused(proxy, "shop.localhost"))["task"], "web");
      assert.equal(await says("x.shop.localhost"), "any /");
    },
  );

  await t.step("what a refusal says is what its command heals", async () => {
    await shop.ok(["start", "api"]);
    assert.equal(await says("api.shop.localhost"), "api /");
  });
}

async function hotSteps(
  t: Deno.TestContext,
  { shop, proxy, other }: Around & { readonly other: TestProject },
): Promise<void> {
  await t.step(
    "hosts and projects come and go without touching a connection",
    async () => {
      using agent = new HeldConnection();
      const session = proxy.session("api.shop.localhost");
      let isClosed = false;
      session.on("close", () => isClosed = true);
      const both = async (): Promise<void> => {
        const one = await proxy.ask("api.shop.localhost/1", {
          agent: agent.agent,
        });
        assert.equal(one.text, "api /1");
        const two = await askSession(session, { ":path": "/2" });
        assert.equal(two.text, "api /2");
      };
      await both();
      await other.ok(["start"]);
      assert.equal((await proxy.ask("a.other.localhost")).text, "other /");
      await both();
      const more =
        `\n[tasks.more]\ncommand = "${SERVER} more"\nhost = "more"\n`;
      await shop.replace(SHOP + more);
      await shop.ok(["start", "more"]);
      assert.equal((await proxy.ask("more.shop.localhost")).text, "more /");
      await both();
      await shop.replace(
        SHOP.replace("[tasks.bare]", '[tasks.bare]\nhost = "bare"'),
      );
      await until(async () => (await shop.task("bare")).config_changed);
      const { body } = await proxy.json("bare.shop.localhost");
      assert.equal(body["reason"], "no_port");
      assert.equal(body["hint"], `taskmux -C ${shop.folder} restart bare`);
      await shop.replace(SHOP);
      await until(async () =>
        (await proxy.ask("more.shop.localhost")).text === "any /"
      );
      await other.ok(["stop"]);
      await other.ok(["daemon", "unregister", "other"]);
      const gone = await proxy.json("a.other.localhost").catch(() => null);
      if (gone !== null) assert.equal(gone.body["reason"], "unknown_project");
      await both();
      assert.equal(isClosed, false);
      assert.equal(agent.connections, 1);
      session.close();
    },
  );
}

/** One connection of HTTP/1.1, kept from request to request. */
class HeldConnection implements Disposable {
  readonly agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  connections = 0;

  constructor() {
    const { agent } = this;
    const create = agent.createConnection.bind(agent);
    agent.createConnection = (...words) => {
      this.connections++;
      return create(...words);
    };
  }

  [Symbol.dispose](): void {
    this.agent.destroy();
  }
}

async function holdSteps(
  t: Deno.TestContext,
  { shop, proxy }: Around,
): Promise<void> {
  await t.step("requests wait for a task that is on its way up", async () => {
    await shop.ok(["start", "slow"]);
    const held = Array.from(
      { length: 20 },
      (_, n) => proxy.ask(`slow.shop.localhost/${n}`),
    );
    const posted = proxy.ask("slow.shop.localhost/post", {
      method: "POST",
      body: "x".repeat(200_000),
    });
    await shop.file("go-slow", "");
    const answers = await Promise.all(held);
    assert.deepEqual(
      answers.map(({ text }) => text),
      answers.map((_, n) => `slow /${n}`),
    );
    assert.equal((await posted).text, "slow /post");
  });

  await t.step(
    "when the task fails they are told at once, with its last words",
    async () => {
      await shop.ok(["start", "doomed"]);
      const held = proxy.json("doomed.shop.localhost");
      const page = proxy.ask("doomed.shop.localhost", {
        headers: { accept: "text/html" },
      });
      await shop.file("go-doomed", "");
      const { status, body } = await held;
      assert.equal(status, 503);
      assert.equal(body["reason"], "failed");
      assert.deepEqual(body["lines"], ["no database <here>", "with ***"]);
      assert.match(String(body["error"]), /exited with (code )?3/);
      assert.match((await page).text, /no database &#60;here&#62;/);
    },
  );

  await t.step("who goes away waits no more", async () => {
    await Deno.remove(`${shop.folder}/go-doomed`);
    await shop.ok(["start", "doomed"]);
    const gone = new AbortController();
    const held = proxy.ask("doomed.shop.localhost", { signal: gone.signal });
    const failed = assert.rejects(held);
    gone.abort();
    await failed;
    await shop.ok(["stop", "doomed"]);
    await until(async () =>
      (await refused(proxy, "doomed.shop.localhost"))["state"] === "stopped"
    );
  });
}

async function strangerSteps(
  t: Deno.TestContext,
  { shop, proxy }: Around,
): Promise<void> {
  await using strangers = new Strangers();
  const port = async (): Promise<string> =>
    String((await shop.task("held")).port);
  const squat = async (): Promise<number> => {
    const env = { ...Deno.env.toObject(), PORT: await port() };
    const words = ["python3", `${PROGRAMS}/named_server.py`, "evil"] as const;
    const pid = await strangers.add("squatter", [...words], { env });
    await until(() => isOpen(Number(env.PORT)), { what: "the squatter" });
    return pid;
  };
  const accused = async (pid: number): Promise<void> => {
    const body = await refused(proxy, "held.shop.localhost");
    assert.equal(body["reason"], "stranger", JSON.stringify(body));
    assert.match(String(body["error"]), new RegExp(`\\(pid ${pid}\\)`));
    const [, ...words] = String(body["hint"]).split(" ");
    assert.deepEqual(words.slice(2, 4), ["alias", "add"]);
    await shop.ok(words);
    await shop.ok(["alias", "remove", words[4] ?? ""]);
  };

  await t.step("whoever took the port of a task gets no request", async () => {
    await shop.ok(["start", "held"]);
    const pid = await squat();
    await accused(pid);
    killIfThere(pid);
    await until(async () => !await isOpen(Number(await port())));
    await shop.file("go-held", "");
    assert.equal((await proxy.ask("held.shop.localhost")).text, "held /");
  });

  await t.step(
    "nor who takes it when the task's own server is gone",
    async () => {
      killIfThere(Number(await shop.read("held.pid")));
      await until(async () => !await isOpen(Number(await port())));
      const { status, text } = await proxy.ask("held.shop.localhost");
      assert.equal(status, 503, text);
      await accused(await squat());
    },
  );
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
