/**
 * A hostile page in Chromium, on this machine and so nearer than any on the internet, tries what pages can try: on the
 * daemon in vain. The same page on a server that trusts pages gets everything, so that its failing means something.
 *
 * @module
 */

import assert from "node:assert/strict";
import { HAS_CHROMIUM, openPage } from "../../support/chromium.ts";
import { openRelay } from "../../support/relay.ts";
import { testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

/** Longest time the page may need. */
const PAGE_MS = 60_000;

const PAGE = new URL("../../fixtures/hostile_page.html", import.meta.url);

/** What the page reported, and what the target answered it. */
interface Attacked {
  /** Attack → outcome. */
  readonly outcomes: Readonly<Record<string, string>>;
  /** Of every answer of the target. */
  readonly statuses: readonly number[];
}

/** How the page gets at its target. */
type Way = "127.0.0.1" | "localhost" | "rebinding";

/** Lets the page loose on a port. */
async function attack(port: number, way: Way): Promise<Attacked> {
  await using stack = new AsyncDisposableStack();
  let reported: Attacked["outcomes"] | null = null;
  const page = await Deno.readTextFile(PAGE);
  const evil = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/report") reported = await request.json();
      if (pathname === "/rebind") relay.leadTo(port);
      return new Response(pathname === "/" ? page : "", {
        headers: { "content-type": "text/html" },
      });
    },
  );
  stack.defer(() => evil.shutdown());
  const isRebinding = way === "rebinding";
  const relay = stack.use(openRelay(isRebinding ? evil.addr.port : port));
  const query = new URLSearchParams({
    target: isRebinding
      ? "http://rebind.example"
      : `http://${way}:${relay.port}`,
    report: "http://evil.example/report",
    ...isRebinding ? { rebind: "http://evil.example/rebind" } : {},
  });
  const name = isRebinding ? "rebind.example" : "evil.example";
  stack.use(
    await openPage(`http://${name}/?${query}`, {
      "evil.example:80": evil.addr.port,
      "rebind.example:80": relay.port,
    }),
  );
  const outcomes = await until(() => reported, {
    what: "report of the page",
    timeoutMs: PAGE_MS,
  });
  return { outcomes, statuses: [...relay.statuses] };
}

/** What a server gives that does not ask who asks. @returns Its port. */
function serveTrusting(
  stack: AsyncDisposableStack,
  called: string[],
): number {
  // By what is accepted: what it is for is told to names of this machine only.
  const bodies: readonly (readonly [RegExp, string, string])[] = [
    [
      /^image/,
      "image/svg+xml",
      '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
    ],
    [/^text\/css/, "text/css", "body { color: red }"],
    [/^text\/event/, "text/event-stream", "data: secret\n\n"],
    [
      /^text\/html/,
      "text/html",
      '<script>parent.postMessage("secret", "*")</script>',
    ],
    [/^/, "text/javascript", 'window.stolen = "read secret"'],
  ];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      if (request.headers.get("upgrade") === "websocket") {
        const protocol = request.headers.get("sec-websocket-protocol");
        const { socket, response } = Deno.upgradeWebSocket(
          request,
          protocol === null ? {} : { protocol },
        );
        socket.onmessage = ({ data }) => {
          called.push(String(data));
          socket.send("secret");
        };
        return response;
      }
      called.push(await request.text());
      const { headers } = request;
      const accepted = headers.get("accept") ?? "";
      const [, type, body] = bodies.find(([what]) => what.test(accepted))!;
      return new Response(body, {
        headers: {
          "content-type": type,
          "access-control-allow-origin": headers.get("origin") ?? "*",
          "access-control-allow-credentials": "true",
          "access-control-allow-headers": "content-type",
          "access-control-allow-methods": "PUT, POST, DELETE",
        },
      });
    },
  );
  stack.defer(() => server.shutdown());
  return server.addr.port;
}

const BLIND = ["opaque", "true", "loaded"];

Deno.test({
  name: "control: a server that trusts pages is at the mercy of the page",
  ignore: !HAS_CHROMIUM,
  fn: async () => {
    for (const way of ["127.0.0.1", "rebinding"] as const) {
      await using stack = new AsyncDisposableStack();
      const called: string[] = [];
      const { outcomes, statuses } = await attack(
        serveTrusting(stack, called),
        way,
      );
      for (const [what, outcome] of Object.entries(outcomes)) {
        const isDone = outcome.includes("secret") || BLIND.includes(outcome);
        assert(isDone, `${what} by ${way}: ${outcome}`);
      }
      for (const what of ["daemon.stop", "initialize", "taskmux_stop"]) {
        const operations = called.filter((text) => text.includes(what));
        assert(operations.length >= 8, `${operations.length} of ${what}`);
      }
      assert(statuses.includes(101), "a WebSocket was opened");
    }
  },
});

for (const way of ["127.0.0.1", "localhost", "rebinding"] as const) {
  Deno.test({
    name: `a hostile page gets nothing of the daemon by ${way}`,
    ignore: !HAS_CHROMIUM,
    fn: async () => {
      await using taskmux = await testTaskmux();
      const project = await taskmux.project(
        'name = "prey"\n[tasks.web]\ncommand = "exec sleep 1000"\n',
      );
      await project.ok(["start"]);
      const pid = await project.pid("web");
      const { api_port: port, pid: daemon } = await taskmux.ok<
        { api_port: number; pid: number }
      >(["daemon", "status"]);
      const { outcomes, statuses } = await attack(port, way);
      assert(Object.keys(outcomes).length >= 50, "it tried");
      for (const [what, outcome] of Object.entries(outcomes)) {
        assert.match(
          outcome,
          /^(?:failed|silent|opaque|true|read failed|read 403 \{"ok":false,.*)$/,
          what,
        );
      }
      for (const what of ["WebSocket", "EventSource", "script", "image"]) {
        for (const path of ["/", "/mcp", "/mcp?session=prey"]) {
          assert.equal(outcomes[`${what} ${path}`], "failed", what + path);
        }
      }
      // Each attack reached the daemon, and none of them anything in it.
      assert(statuses.length >= 50, `${statuses.length} answers`);
      assert.deepEqual([...new Set(statuses)], [403]);
      assert.equal(await taskmux.daemonPid(), daemon);
      assert.equal(await project.pid("web"), pid);
      const log = await Deno.readTextFile(taskmux.home.paths.daemonLog);
      const told = log.split("\n").filter((line) => line.includes("refused"));
      assert.match(told[0] ?? "", /forbidden_(?:origin|host|site)/);
      assert(told.length <= 30, `${told.length} lines about refusals`);
    },
  });
}
