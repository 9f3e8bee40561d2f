/**
 * The proxy is no way to the daemon: neither for a page of another site, nor for one of another project, nor for whoever
 * asks it for the daemon's own names.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type DrivenBrowser,
  HAS_TRUSTING_CHROMIUM,
  openBrowser,
} from "../../support/chromium.ts";
import { PROXY_CONFIG, testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";
import { Wire } from "../../support/wire.ts";

const PAGE = new URL("../../fixtures/hostile_page.html", import.meta.url);

const NOTHING_REGEXP = /^(?:failed|read failed|silent|opaque|true)$/;

/** Longest time the page may need. */
const PAGE_MS = 60_000;

/** Attack → what came of it. */
type Outcomes = Readonly<Record<string, string>>;

const CONFIG = (name: string) =>
  `name = "${name}"
[tasks.web]
command = "exec python3 -m http.server --bind 127.0.0.1 $PORT"
host = "@"
`;

/** The hostile page on a server of its own, which also takes its reports. */
class Attacker implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** Path → outcomes. */
  readonly #reports = new Map<string, Outcomes>();

  constructor(page: string) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        if (request.method === "POST") {
          this.#reports.set(pathname, await request.json());
        }
        return new Response(pathname === "/" ? page : "", {
          headers: { "content-type": "text/html" },
        });
      },
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** Opens the page, wherever it lies, and waits for what came of each of its attacks. */
  async attack(
    browser: DrivenBrowser,
    { page, target }: { readonly page: string; readonly target: string },
  ): Promise<Outcomes> {
    const path = `/${crypto.randomUUID()}`;
    const report = `http://127.0.0.1:${this.port}${path}`;
    await browser.open(`${page}?${new URLSearchParams({ target, report })}`);
    return await until(() => this.#reports.get(path), {
      what: `report of ${page} on ${target}`,
      timeoutMs: PAGE_MS,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Asks the proxy as a client that has a connection to one name, for another one. */
async function ask(
  url: URL,
  { host, ca }: { readonly host: string; readonly ca: string },
): Promise<string> {
  const plain = await Deno.connect({
    hostname: "127.0.0.1",
    port: Number(url.port),
  });
  using wire = new Wire(
    await Deno.startTls(plain, { hostname: url.hostname, caCerts: [ca] }),
  );
  await wire.write(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
      "Content-Length: 15\r\nConnection: close\r\n\r\n" +
      '{"op":"status"}',
  );
  return await wire.readAll();
}

Deno.test({
  name:
    "the proxy leads no page to the daemon, and no name but a task's anywhere",
  ignore: !HAS_TRUSTING_CHROMIUM,
  fn: async () => {
    await using taskmux = await testTaskmux({ hostConfig: PROXY_CONFIG });
    const prey = await taskmux.project(CONFIG("prey"), "prey");
    const evil = await taskmux.project(CONFIG("evil"), "evil");
    const hostile = await Deno.readTextFile(PAGE);
    await evil.file("index.html", hostile);
    for (const project of [prey, evil]) {
      await project.ok(["start"]);
      await project.ok(["wait", "web"]);
    }
    const pid = await prey.pid("web");
    const daemon = await taskmux.daemonPid();
    const url = new URL((await prey.task("web")).url ?? "");
    const caPath = `${taskmux.home.paths.ca}/rootCA.pem`;

    await using attacker = new Attacker(hostile);
    await using browser = await openBrowser(caPath, {
      "evil.example:80": attacker.port,
    });
    const site = "http://evil.example/";
    const neighbour = (await evil.task("web")).url ?? "";
    const attacks = ([
      [site, url.hostname],
      [site, "taskmux.localhost"],
      [neighbour, "taskmux.localhost"],
      [neighbour, "localhost"],
    ] as const)
      .map(async ([page, name]): Promise<void> => {
        const target = `https://${name}:${url.port}`;
        const outcomes = await attacker.attack(browser, { page, target });
        assert(Object.keys(outcomes).length >= 15, "it tried");
        if (name === url.hostname) {
          // Control: a task does answer this page, if not in a way that pages may read.
          return assert.equal(outcomes["read without CORS /"], "opaque");
        }
        for (const [what, outcome] of Object.entries(outcomes)) {
          const about = `${what} of ${page} on ${target}: ${outcome}`;
          assert.match(outcome, NOTHING_REGEXP, about);
        }
        assert.equal(outcomes["WebSocket /"], "failed");
      });
    await Promise.all(attacks);

    const ca = await Deno.readTextFile(caPath);
    const { api_port } = await taskmux.ok<{ api_port: number }>([
      "daemon",
      "status",
    ]);
    const foreign = [
      "localhost",
      "127.0.0.1",
      `127.0.0.1:${api_port}`,
      "[::1]",
      "rebind.example",
      `${url.hostname}.evil.example`,
    ];
    for (const host of foreign) {
      assert.match(await ask(url, { host, ca }), /^HTTP\/1\.1 400 /, host);
    }
    for (const host of ["taskmux.localhost", `taskmux.localhost:${api_port}`]) {
      assert.match(await ask(url, { host, ca }), /^HTTP\/1\.1 503 /, host);
    }
    assert.equal(await taskmux.daemonPid(), daemon);
    assert.equal(await prey.pid("web"), pid);
  },
});
