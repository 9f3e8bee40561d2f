import assert from "node:assert/strict";
import { makePaint } from "../../../src/cli/render/paint.ts";
import { portLines } from "../../../src/cli/render/port.ts";

type Who = Parameters<typeof portLines>[0];
type Holder = NonNullable<Who["holders"]>[number];

const OPTIONS = { paint: makePaint(false), width: Infinity };
const NOBODY: Holder = {
  pid: null,
  command: null,
  addresses: ["0.0.0.0"],
  uid: 33,
  ours: false,
  session: null,
  task: null,
  run_id: null,
};
const WEB: Holder = {
  ...NOBODY,
  pid: 5,
  command: "node server.js",
  uid: null,
  ours: true,
  session: "shop",
  task: "web",
  run_id: "00000000000a",
};

function check(who: Partial<Who>, ...lines: string[]): void {
  const whole: Who = {
    ok: true,
    port: 3000,
    listening: true,
    holders: [],
    lease: null,
    ...who,
  };
  assert.deepEqual(portLines(whole, OPTIONS), lines);
}

Deno.test("who tells holders and the lease that is not theirs", () => {
  const web = { session: "shop", task: "web", fixed: false };
  check({}, "port 3000: free");
  check({ lease: web }, "port 3000: free; leased to web of shop");
  check(
    { lease: { ...web, fixed: true } },
    "port 3000: free; fixed port of web of shop",
  );
  const held = "port 3000: web of shop (pid 5, node server.js) on 0.0.0.0";
  check({ holders: [WEB], lease: web }, held);
  check(
    { holders: [WEB], lease: { ...web, task: "api" } },
    `${held}; leased to api of shop`,
  );
  check(
    { holders: [{ ...NOBODY, pid: 9, command: "nc -l" }, NOBODY], lease: web },
    "port 3000: pid 9 nc -l (no task of this taskmux) on 0.0.0.0",
    "port 3000: a process that cannot be seen on 0.0.0.0: another user's " +
      "(user id 33), or in a container; leased to web of shop",
  );
  check(
    { holders: null, reason: "nobody knows" },
    "port 3000: who listens is not known, because nobody knows",
  );
});

Deno.test("what a process calls itself does nothing to the terminal", () => {
  const command = `\x1b[2J${"x".repeat(300)}`;
  const [line = ""] = portLines({
    ok: true,
    port: 1,
    listening: true,
    holders: [{ ...WEB, command }],
    lease: null,
  }, OPTIONS);
  assert(!line.includes("\x1b"));
  assert.match(line, /x{99}…\) on 0\.0\.0\.0$/);
});
