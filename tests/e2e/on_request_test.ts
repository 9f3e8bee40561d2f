/**
 * Tasks that their first request starts: `auto_start = "on-request"`.
 */

import assert from "node:assert/strict";
import { PROGRAMS } from "../support/keeper.ts";
import { type ProxyClient, proxyClient } from "../support/proxy_client.ts";
import type { TestProject } from "../support/project.ts";
import { PROXY_CONFIG, testTaskmux } from "../support/taskmux.ts";

const SERVER = `exec python3 ${PROGRAMS}/named_server.py`;

const SHOP = `
name = "shop"

[tasks.db]
command = "echo db >> starts; exec sleep 1000"
auto_start = false

[tasks.docs]
command = "echo docs $SHELL_WORD >> starts; ${SERVER} docs"
host = "docs"
auto_start = "on-request"
depends_on = ["db"]

[tasks.brief]
command = "until test -e enough; do sleep 0.1; done"
host = "brief"
auto_start = "on-request"
restart_policy = "no"

[tasks.broken]
command = "echo out of paper; exit 4"
host = "broken"
auto_start = "on-request"
restart_policy = "no"

[tasks.hooked]
command = "${SERVER} hooked"
host = "hooked"
env = { API_TOKEN = "sesame-4711-open" }
auto_start = "on-request"
[tasks.hooked.hooks]
before_start = "echo $API_TOKEN is no ink; exit 1"
`;

/** An image in a page of another site. */
const FOREIGN = {
  "sec-fetch-site": "cross-site",
  "sec-fetch-mode": "no-cors",
  "sec-fetch-dest": "image",
};

Deno.test("the first request starts a task, with what it needs, once", async (t) => {
  await using taskmux = await testTaskmux({ hostConfig: PROXY_CONFIG });
  const shop = await taskmux.project(SHOP);
  const env = { SHELL_WORD: "from-the-shell" };

  await t.step("start starts it not, and status says so", async () => {
    const { tasks } = await shop.ok<{ tasks: string[] }>(["start", "--json"], {
      env,
    });
    assert.deepEqual(tasks, []);
    const docs = await shop.task("docs");
    assert.equal(docs.auto_start, false);
    assert.equal(docs.start_on_request, true);
    assert.equal(docs.state, "stopped");
    assert.match((await shop.run(["status"])).stdout, /docs .*on-request/);
    const { stdout } = await shop.run(["why", "docs"]);
    assert.match(stdout, /starts it with the next request/);
  });

  const proxy = await proxyClient(taskmux);
  await t.step("a page of another site does not start it", async () => {
    const { status, text } = await proxy.ask("docs.shop.localhost/a.png", {
      headers: FOREIGN,
    });
    assert.equal(status, 503);
    assert.match(text, /pages of other sites do not start it/);
    assert.equal((await shop.task("docs")).state, "stopped");
  });
  await t.step("twenty requests are one start", async () => {
    const answers = await Promise.all(
      Array.from(
        { length: 20 },
        (_, n) => proxy.ask(`docs.shop.localhost/${n}`),
      ),
    );
    assert.deepEqual(
      answers.map(({ text }) => text),
      answers.map((_, n) => `docs /${n}`),
    );
    const [first, second, ...more] = await shop.lines("starts");
    assert.equal(first, "db");
    assert.match(second ?? "", /^docs/);
    assert.deepEqual(more, []);
  });

  await foreignStep(t, { shop, proxy });
  await failureSteps(t, { shop, proxy });
  await manualSteps(t, { shop, proxy });
  await t.step(
    "it has the environment of the project's last start",
    async () => {
      await shop.ok(["start", "db"]);
      await shop.ok(["start"], { env });
      assert.equal((await proxy.ask("docs.shop.localhost")).text, "docs /");
      assert.equal((await shop.lines("starts")).at(-1), "docs from-the-shell");
    },
  );
});

interface Around {
  readonly shop: TestProject;
  readonly proxy: ProxyClient;
}

async function foreignStep(
  t: Deno.TestContext,
  { shop, proxy }: Around,
): Promise<void> {
  await t.step(
    "one that ends while a page of another site waits for it is not started",
    async () => {
      await shop.ok(["start", "brief"]);
      const waiting = proxy.ask("brief.shop.localhost/a.png", {
        headers: FOREIGN,
      });
      // What was asked later is answered: the page waits by now.
      await proxy.ask("docs.shop.localhost");
      await Deno.writeTextFile(`${shop.folder}/enough`, "");
      const { status, text } = await waiting;
      assert.equal(status, 503);
      assert.match(text, /pages of other sites do not start it/);
      assert.equal((await shop.events("brief", "task_started")).length, 1);
    },
  );
}

async function failureSteps(
  t: Deno.TestContext,
  { shop, proxy }: Around,
): Promise<void> {
  await t.step(
    "one that fails is told, and not started again by each request",
    async () => {
      for (let n = 0; n < 2; n++) {
        const { status, body } = await proxy.json("broken.shop.localhost");
        assert.equal(status, 503);
        assert.equal(body["reason"], "failed");
        assert.deepEqual(body["lines"], ["out of paper"]);
      }
      assert.equal((await shop.events("broken", "task_started")).length, 1);
      const { text } = await proxy.ask("hooked.shop.localhost");
      assert.match(text, /before_start/);
      assert.match(text, /is no ink/);
      assert.doesNotMatch(text, /sesame/);
      // A start of everything lets the next request try again.
      await shop.ok(["start"]);
      assert.equal((await shop.task("broken")).state, "stopped");
      await proxy.json("broken.shop.localhost");
      assert.equal((await shop.events("broken", "task_started")).length, 2);
    },
  );
}

async function manualSteps(
  t: Deno.TestContext,
  { shop, proxy }: Around,
): Promise<void> {
  const refused = async (): Promise<Record<string, unknown>> => {
    const { status, body } = await proxy.json("docs.shop.localhost");
    assert.equal(status, 503, JSON.stringify(body));
    return body;
  };
  await t.step(
    "what was stopped by hand stays down until it is started",
    async () => {
      for (const words of [["stop", "docs"], ["kill", "docs"], ["stop"]]) {
        await shop.ok(words);
        const body = await refused();
        assert.equal(body["reason"], "stopped_by_hand", words.join(" "));
        assert.equal(body["hint"], `taskmux -C ${shop.folder} start docs`);
        await shop.ok(["start", "docs"]);
        assert.equal((await proxy.ask("docs.shop.localhost")).text, "docs /");
      }
    },
  );
  await t.step(
    "nor does it bring back what it needs and was stopped",
    async () => {
      await shop.ok(["stop"]);
      await shop.ok(["start"]);
      // It is down already; what counts is that somebody has said so.
      await shop.fails("E202", ["stop", "db"]);
      const body = await refused();
      assert.match(
        String(body["error"]),
        /"db", on which it depends, was stopped by hand/,
      );
    },
  );
}
