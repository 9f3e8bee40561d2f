/**
 * Names for ports that no task listens on, and what tells addresses.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { killDaemon } from "../support/crashes.ts";
import { freePort } from "../support/free_port.ts";
import type { TestProject } from "../support/project.ts";
import {
  type Json,
  PROXY_CONFIG,
  type Taskmux,
  TEST_CONFIG,
  testTaskmux,
} from "../support/taskmux.ts";
import { ProxyClient } from "../support/proxy_client.ts";
import { until } from "../support/until.ts";

type AliasList = Result<"alias.list">;

/** A server that nothing of taskmux started, such as one in a container. */
function foreign(text: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(text),
  );
}

/** Status and text of the answer to a request of a client that trusts the CA; the name need not resolve here. */
async function ask(
  { home }: Taskmux,
  url: string,
): Promise<readonly [status: number, text: string]> {
  const { hostname, port, pathname } = new URL(url);
  const ca = await Deno.readTextFile(`${home.paths.ca}/rootCA.pem`);
  const client = new ProxyClient(Number(port), ca);
  const { status, text } = await client.ask(hostname + pathname);
  return [status, text];
}

async function urlOf(project: TestProject, name: string): Promise<string> {
  const { stdout, stderr, code } = await project.run(["url", name]);
  assert.equal(code, 0, stderr);
  return stdout.trimEnd();
}

Deno.test("an alias is served at once, survives what kills the daemon, and goes with its project", async () => {
  await using taskmux = await testTaskmux({ hostConfig: PROXY_CONFIG });
  await using first = foreign("first");
  await using second = foreign("second");
  const project = await taskmux.project(
    'name = "shop"\n[tasks]\nidle = "echo db is $TASKMUX_URL_DB; exec sleep 1000"\n',
  );
  const none = await project.ok<AliasList>(["alias", "list"]);
  assert.deepEqual(none.aliases, []);
  assert.equal(await taskmux.daemonPid(), null, "only a look");

  // No task has a host: the alias is what the proxy is there for.
  const added = await project.ok(["alias", "add", "db", `${first.addr.port}`]);
  assert.equal(added["action"], "added");
  assert.deepEqual(added["warnings"], []);
  const url = String(added["url"]);
  assert.match(url, /^https:\/\/db\.shop\.localhost:\d+$/);
  assert.deepEqual(await ask(taskmux, url), [200, "first"]);
  await project.ok(["alias", "add", "db", `${second.addr.port}`]);
  assert.deepEqual(await ask(taskmux, url), [200, "second"]);
  const moved = String(
    (await project.ok([
      "alias",
      "add",
      "db",
      `${second.addr.port}`,
      "--host",
      "data",
    ]))["url"],
  );
  assert.deepEqual(await ask(taskmux, moved), [200, "second"]);
  const [status, refusal] = await ask(taskmux, url);
  assert.equal(status, 503);
  assert.match(refusal, /has the host "db": its hosts are data/);
  const alias = { name: "db", host: "data", port: second.addr.port };
  const { aliases } = await project.status();
  assert.deepEqual(aliases, [{ ...alias, url: moved }]);
  const { env } = await project.ok<{ readonly env: Json }>(["env"]);
  assert.equal(env["TASKMUX_URL_DB"], moved);

  await killDaemon(taskmux);
  const left = await project.ok<AliasList>(["alias", "list"]);
  assert.deepEqual(left.aliases, [{ ...alias, url: moved }]);
  assert.equal(await urlOf(project, "db"), moved);
  await project.ok(["start"]);
  const later = await urlOf(project, "db");
  assert.deepEqual(await ask(taskmux, later), [200, "second"]);
  await until(async () =>
    (await project.log("idle")).includes(`db is ${later}`)
  );

  // What events tell outlives the database.
  await project.ok(["daemon", "stop"]);
  for (const suffix of ["", "-wal", "-shm"]) {
    await Deno.remove(taskmux.home.paths.database + suffix).catch(ifThere);
  }
  await project.ok(["start"]);
  assert.deepEqual(
    await ask(taskmux, await urlOf(project, "db")),
    [200, "second"],
  );
  await withoutProxy(taskmux, project, second.addr.port);
  await project.ok(["daemon", "unregister", "shop"]);
  await project.ok(["start"]);
  assert.equal((await project.ok<AliasList>(["alias", "list"])).count, 0);
  await project.fails("E703", ["alias", "remove", "db"]);
});

/** An alias is told to be no more than its port. */
async function withoutProxy(
  taskmux: Taskmux,
  project: TestProject,
  port: number,
): Promise<void> {
  await Deno.writeTextFile(taskmux.home.paths.hostConfig, TEST_CONFIG);
  await project.ok(["daemon", "restart"]);
  const bare = await project.ok(["alias", "add", "bare", `${port}`]);
  assert.equal(bare["url"], `http://localhost:${port}`);
  assert.match(String(bare["warnings"]), /proxy_enabled is false/);
}

function ifThere(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

const CONFIG = `name = "shop"
[tasks.web]
command = "exec sleep 1000"
host = "web"
host_path = "/a?b=c&d='e'"
[tasks.any]
command = "exec sleep 1000"
host = "*"
[tasks.silent]
command = "exec sleep 1000"
`;

Deno.test("aliases and tasks never share a name or host, and the page of each can be opened", async (t) => {
  await using taskmux = await testTaskmux({ hostConfig: PROXY_CONFIG });
  await using server = foreign("foreign");
  const { port } = server.addr;
  const project = await taskmux.project(CONFIG);
  await t.step("what cannot be an alias is refused", async () => {
    await refuses(taskmux, project, port);
  });

  await t.step(
    "a task that comes later wins, and the alias tells",
    async () => {
      const url = await urlOf(project, "db");
      assert.deepEqual(await ask(taskmux, url), [200, "foreign"]);
      const task = ["late", "exec sleep 1000", "--host", "data"];
      const answer = await project.ok(["add", ...task]);
      assert.equal(answer["url"], url);
      assert.match(String(answer["warnings"]), /task "late" has its host/);
      await until(async () => (await project.status()).tasks.length === 4);
      const { aliases, warnings } = await project.status();
      assert.equal(aliases[0]?.url, null);
      assert(
        warnings.some((text) => text.includes('task "late" has its host')),
      );
      await project.fails("E702", ["url", "db"]);
      const [status] = await ask(taskmux, url);
      assert.equal(status, 503, "the task that does not run");
      await project.ok(["remove", "late"]);
      await until(async () => (await project.status()).tasks.length === 3);
      assert.deepEqual(await ask(taskmux, url), [200, "foreign"]);
    },
  );

  await t.step("one address for url, env and status", async () => {
    const web = await urlOf(project, "web");
    assert.match(web, /^https:\/\/web\.shop\.localhost:\d+\/a\?b=c&d='e'$/);
    const { env } = await project.ok<{ readonly env: Json }>(["env"]);
    assert.equal(env["TASKMUX_URL_WEB"], web);
    assert.equal((await project.task("web")).url, web);
    const { urls } = await project.ok<Result<"address.list">>(["url"]);
    assert.deepEqual(urls.map(({ task }) => task), ["web", "any", "db"]);
    assert.equal(urls[0]?.url, web);
    await project.fails("E700", ["url", "silent"]);
    await project.fails("E200", ["url", "ghost"]);
    assert.match(await urlOf(project, "any"), /^https:\/\/\*\.shop\.localhost/);
  });

  await t.step("open", () => opens(taskmux, project));
});

/** Leaves an alias "db" for the port, with the host "data". */
async function refuses(
  taskmux: Taskmux,
  project: TestProject,
  port: number,
): Promise<void> {
  const add = (...words: string[]) => ["alias", "add", ...words];
  for (
    const words of [
      ["Db", "1"],
      ["a.b", "1"],
      ["a", "0"],
      ["a", "65536"],
      ["a", "x"],
      ["a", "1", "--host", "@"],
      ["a", "1", "--host", "*"],
      ["a", "1", "--host", "a/b"],
    ]
  ) await project.fails("E500", add(...words));
  await project.fails("E702", add("web", "1", "--host", "free"));
  await project.fails("E702", add("other", "1", "--host", "web"));
  await project.ok(add("db", `${port}`, "--host", "data"));
  await project.fails("E702", add("other", "1", "--host", "data"));
  const { port: own } = new URL(await urlOf(project, "db"));
  const loop = await project.fails("E500", add("loop", own));
  assert.match(loop.error, /taskmux itself listens there/);
  const early = await project.ok(add("early", `${freePort()}`));
  assert.match(String(early["warnings"]), /Nothing listens on port/);
  assert.equal((await ask(taskmux, String(early["url"])))[0], 503);
  await project.ok(["alias", "remove", "early"]);
  await project.fails("E703", ["alias", "remove", "dbx"]);
}

/** With browsers that write down what they are given. */
async function opens(taskmux: Taskmux, project: TestProject): Promise<void> {
  const { root } = taskmux.home;
  const browser = async (name: string, script: string): Promise<string> => {
    const path = `${root}/${name}`;
    await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return path;
  };
  const seen = `${root}/seen`;
  const good = await browser(
    "good",
    `printf '%s|%s|%s' "$1" "$2" "$CALLER" > '${seen}'`,
  );
  const bad = await browser("bad", "exit 3");
  const patient = await browser(
    "patient",
    `printf %s "$1" > '${seen}'; exec sleep 2.5`,
  );
  const url = await urlOf(project, "web");
  const shell = { CALLER: "me", DISPLAY: "", WAYLAND_DISPLAY: "" };
  const open = (BROWSER: string, name = "web") =>
    project.run(["--json", "open", name], { env: { ...shell, BROWSER } });

  const opened = await open(`${root}/none:${bad}:${good} --new %s`);
  const { warnings, ...answer } = opened.json();
  assert.deepEqual(answer, { ok: true, task: "web", url });
  assert.match(String(warnings), /do not trust .*: taskmux ca install$/);
  assert.equal(opened.code, 0);
  assert.equal(await Deno.readTextFile(seen), `--new|${url}|me`);
  // A browser that stays is not waited for.
  assert.equal((await open(patient, "db")).code, 0);
  assert.equal(await Deno.readTextFile(seen), await urlOf(project, "db"));

  const failed = await open(bad);
  assert.equal(failed.code, 1);
  assert.deepEqual(
    [failed.json()["ok"], failed.json()["url"], failed.json()["error_code"]],
    [false, url, "E704"],
  );
  const human = await project.run(["open", "web"], {
    env: { ...shell, BROWSER: bad },
  });
  assert.equal(human.stdout, `${url}\n`);
  assert.match(human.stderr, /E704.*exited with 3/);
  await project.fails("E701", ["open", "any"]);
  await project.fails("E200", ["open", "ghost"]);

  await project.fails("E500", ["open"]);
  const solo = await taskmux.project(
    'name = "solo"\n[tasks]\napi = { command = "true", host = "api" }\n' +
      'site = { command = "true", host = "@" }\n',
  );
  const own = await solo.run(["--json", "open"], {
    env: { ...shell, BROWSER: good },
  });
  assert.equal(own.json()["task"], "site");
}
