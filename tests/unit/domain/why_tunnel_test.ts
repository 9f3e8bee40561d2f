/**
 * What an explanation says of the outside world.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Redactor } from "../../../src/domain/redactor.ts";
import { NEW_MACHINE } from "../../../src/domain/task_machine.ts";
import { STOPPED_SNAPSHOT } from "../../../src/domain/task_view.ts";
import type { TunnelView } from "../../../src/domain/tunnel.ts";
import { explainTask } from "../../../src/domain/why.ts";
import type { WhyTunnel } from "../../../src/domain/why_facts.ts";
import { runInfo, taskSpec } from "./_samples.ts";

const PURE = { permissions: "none" } as const;

const NOW = 1_700_000_100_000;

const VIEW: TunnelView = {
  backend: "cloudflare-quick",
  state: "open",
  public: true,
  public_url: "https://quiet-river.trycloudflare.com",
  public_hostname: null,
  access: "basic",
  reach: "public",
  standing: false,
  opened_at: NOW / 1000 - 60,
  expires_at: null,
  origin: "http://127.0.0.1:41001",
  process: "tunnel-web",
  reason: null,
  requests: 0,
  refused: 0,
};

function explain(tunnel?: Partial<WhyTunnel>, role?: "tunnel") {
  const spec = taskSpec({ name: "web" });
  return explainTask({
    now: NOW,
    session: "shop",
    task: {
      spec: role === undefined ? spec : { ...spec, role },
      machine: NEW_MACHINE,
      snapshot: {
        ...STOPPED_SNAPSHOT,
        state: "healthy",
        healthy: true,
        run: runInfo("r1", { startedAt: NOW - 4_000 }),
      },
      lastEnd: null,
      redactor: new Redactor([]),
    },
    find: () => null,
    history: { wish: null, recent: [], hookFailure: null },
    lines: [],
    port: null,
    configError: null,
    watcher: "daemon",
    ...tunnel === undefined ? {} : {
      tunnel: {
        tasks: ["web"],
        view: VIEW,
        lines: [],
        meaning: null,
        ...tunnel,
      },
    },
  });
}

Deno.test("a task without a tunnel has no link about one", PURE, () => {
  assert.equal(explain().chain.some(({ kind }) => kind === "tunnel"), false);
});

Deno.test("a tunnel is told as it is", PURE, () => {
  const cases: readonly (readonly [Partial<TunnelView>, string])[] = [
    [{}, `PUBLIC at ${VIEW.public_url} (password)`],
    [
      { expires_at: NOW / 1000 + 90 },
      `PUBLIC at ${VIEW.public_url} (password), for another 1m 30s`,
    ],
    [
      { state: "opening", public: false },
      "its tunnel (cloudflare-quick) is being opened",
    ],
    [
      { state: "waiting", public: false, reason: 'task "web" does not run' },
      'its tunnel opens with it: task "web" does not run',
    ],
    [
      { state: "off", public: false, reason: "nobody has opened it" },
      "its tunnel (cloudflare-quick) is off: nobody has opened it",
    ],
  ];
  for (const [change, text] of cases) {
    const { chain, next } = explain({ view: { ...VIEW, ...change } });
    assert.equal(chain.find(({ kind }) => kind === "tunnel")?.text, text);
    assert.equal(next.you, null);
  }
});

Deno.test(
  "a tunnel that fails is explained by its program's words, with what to type",
  PURE,
  () => {
    const view = { ...VIEW, state: "failing", reason: "no answer" } as const;
    const lines = ["ERR failed to dial", "error code: 1015"];
    const meaning = "Cloudflare gives no more quick tunnels for now";
    const { chain, next } = explain({ view, lines, meaning });
    const link = chain.find(({ kind }) => kind === "tunnel");
    assert.equal(
      link?.text,
      `its tunnel (cloudflare-quick) does not work: no answer. ${meaning}`,
    );
    assert.deepEqual(link?.["lines"], lines);
    assert.equal(next.you, "taskmux logs tunnel-web");
    const bare = explain({ view: { ...view, process: null } });
    assert.equal(bare.next.you, "taskmux tunnel test");
  },
);

Deno.test("the program of a tunnel says whose it is", PURE, () => {
  const { chain, next } = explain({ tasks: ["web", "api"] }, "tunnel");
  assert.equal(
    chain.find(({ kind }) => kind === "tunnel")?.text,
    "the program of cloudflare-quick that makes web and api public; it ends with the tunnel",
  );
  assert.equal(next.you, null);
});
