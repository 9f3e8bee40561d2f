/**
 * Five checkouts of the example shop at once, each with its whole stack, each open in one browser: what is to be
 * separate is, and what is saved in one shows in that one.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type DrivenBrowser,
  HAS_TRUSTING_CHROMIUM,
  openBrowser,
} from "../support/chromium.ts";
import { REPOSITORY } from "../support/deno_flags.ts";
import type { Page } from "../support/dev_tools.ts";
import { TestProject } from "../support/project.ts";
import { HAS_SHOP_PACKAGES, linkPackages } from "../support/shop_packages.ts";
import { PROXY_CONFIG, type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const SHOP = "examples/shop";
const BRANCHES = ["cart", "fix/checkout", "dark-mode", "i18n"];

/** A stack of five on a slow machine. */
const UP_MS = 60_000;

/** A checkout with its shop up and its page open. */
interface Tree {
  readonly shop: TestProject;
  readonly session: string;
  readonly url: string;
  readonly page: Page;
}

async function run(
  cwd: string,
  ...[program, ...args]: [string, ...string[]]
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
  }).output();
  assert(success, `${program} ${args}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** A repository with the shop, checked out five times. @returns The folders. */
async function checkOut(work: string): Promise<string[]> {
  const files = await run(REPOSITORY, "git", "ls-files", SHOP);
  const main = `${work}/main`;
  for (const file of files.trim().split("\n")) {
    const path = `${main}${file.slice(SHOP.length)}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(`${REPOSITORY}/${file}`, path);
  }
  const git = (...args: string[]) =>
    run(main, "git", "-c", "user.name=T", "-c", "user.email=t@t.test", ...args);
  await git("init", "-q", "-b", "main");
  await git("add", ".");
  await git("commit", "-q", "-m", "The shop");
  const folders = [main];
  for (const branch of BRANCHES) {
    const folder = `${work}/${branch.replace("/", "-")}`;
    await git("worktree", "add", "-q", "-b", branch, folder);
    folders.push(folder);
  }
  for (const folder of folders) await linkPackages(`${folder}/web`);
  return folders;
}

async function openTree(
  shop: TestProject,
  browser: DrivenBrowser,
): Promise<Tree> {
  const { session, tasks } = await shop.status();
  const url = tasks.find(({ name }) => name === "web")?.url ?? "";
  assert.equal(new URL(url).hostname, `${session}.localhost`);
  const page = await browser.open(url);
  // Products came from the API, changes of orders are heard of, and so are saved files.
  await page.sees("document.querySelector('.card') !== null", UP_MS);
  await page.sees("document.querySelector('.connection.live') !== null", UP_MS);
  await page.sees("sockets.some(({ readyState }) => readyState === 1)");
  return { shop, session: session ?? "", url, page };
}

/** Saves a file in each, and sees it in each and nowhere else, without the page being loaded again. */
async function checkSaving(trees: readonly Tree[]): Promise<void> {
  for (const { page } of trees) await page.evaluate("window.mark = 1");
  await Promise.all(trees.map(async ({ shop, session, page }) => {
    const source = (await shop.read("web/src/app.tsx"))!;
    const changed = source.replace("{SHOP_NAME}</h1>", `of ${session}</h1>`);
    assert.notEqual(changed, source);
    await shop.replaceFile("web/src/app.tsx", changed);
    await page.sees(
      `document.querySelector("h1").textContent === "of ${session}"`,
    );
  }));
  for (const { session, page } of trees) {
    const text = await page.evaluate(
      "document.querySelector('h1').textContent",
    );
    assert.equal(text, `of ${session}`);
    assert.equal(await page.evaluate("window.mark"), 1, "loaded again");
  }
}

/** Cookies, storage and orders of one are none of the others'. */
async function checkSeparate(trees: readonly Tree[]): Promise<void> {
  for (const { session, page } of trees) {
    await page.evaluate(`{
      document.cookie = "tree=${session}";
      document.cookie = "wide=1; domain=localhost";
      localStorage.tree = "${session}";
    }`);
  }
  const [first, ...others] = trees;
  const placed = await first!.page.evaluate<number>(
    `fetch("/api/orders", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        customer: "Ada",
        email: "ada@example.org",
        items: [{ product_id: 2, quantity: 3 }],
      }),
    }).then(({ status }) => status)`,
  );
  assert.equal(placed, 201);
  await first!.page.sees("document.querySelector('.orders li') !== null");
  for (const { session, page } of trees) {
    assert.equal(await page.evaluate("document.cookie"), `tree=${session}`);
    assert.equal(await page.evaluate("localStorage.tree"), session);
  }
  for (const { page } of others) {
    const orders = await page.evaluate<unknown[]>(
      "fetch('/api/orders').then((answer) => answer.json()).then(({ orders }) => orders)",
    );
    assert.deepEqual(orders, []);
  }
}

/** No port, address or log belongs to two of them. */
async function checkNoCollision(trees: readonly Tree[]): Promise<void> {
  const sessions = new Set(trees.map(({ session }) => session));
  assert.equal(sessions.size, trees.length, [...sessions].join());
  const seen = new Set<string>();
  for (const { shop } of trees) {
    const { tasks } = await shop.status();
    for (const { name, port, url } of tasks) {
      for (const each of [port, url]) {
        if (each === null || each === undefined) continue;
        assert(!seen.has(String(each)), `${name} of ${shop.folder}: ${each}`);
        seen.add(String(each));
      }
    }
    const { port } = await shop.task("web");
    const ports = (await shop.log("web")).join("\n").match(/127\.0\.0\.1:\d+/g);
    assert.deepEqual([...new Set(ports)], [`127.0.0.1:${port}`]);
  }
}

/** A removed worktree takes its tasks and its name with it, and leaves the others alone. */
async function checkRemoval(
  taskmux: Taskmux,
  { browser, trees }: {
    readonly browser: DrivenBrowser;
    readonly trees: readonly Tree[];
  },
): Promise<void> {
  const [main, removed] = [trees[0]!, trees[1]!];
  const folder = removed.shop.folder;
  await run(
    main.shop.folder,
    ...["git", "worktree", "remove", "--force", folder] as const,
  );
  await until(
    async () =>
      !(await taskmux.processes()).some(({ command }) =>
        command.includes(`TASKMUX_PROJECT_ID=${removed.session} `)
      ),
    { what: `tasks of ${removed.session} are gone` },
  );
  const page = await browser.open(removed.url);
  await page.sees(
    "performance.getEntriesByType('navigation')[0].responseStatus === 503",
  );
  for (const { page, shop } of trees.slice(2)) {
    await page.sees("fetch('/').then(({ status }) => status === 200)");
    assert.equal((await shop.task("web")).state, "healthy");
  }
}

async function start(taskmux: Taskmux): Promise<TestProject[]> {
  const shops = (await checkOut(taskmux.home.work))
    .map((folder) => new TestProject(taskmux, folder));
  await Promise.all(shops.map((shop) => shop.ok(["start"])));
  return shops;
}

Deno.test({
  name: "five worktrees of the shop run at once, each open in one browser",
  ignore: !HAS_TRUSTING_CHROMIUM || !HAS_SHOP_PACKAGES,
  fn: async () => {
    await using taskmux = await testTaskmux({ hostConfig: PROXY_CONFIG });
    const shops = await start(taskmux);
    await using browser = await openBrowser(
      `${taskmux.home.paths.ca}/rootCA.pem`,
    );
    const trees = await Promise.all(
      shops.map((shop) => openTree(shop, browser)),
    );
    await checkSaving(trees);
    await checkSeparate(trees);
    await checkNoCollision(trees);
    await checkRemoval(taskmux, { browser, trees });
  },
});
