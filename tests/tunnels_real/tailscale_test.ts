/**
 * The real `tailscale` takes the arguments of our provider, and tells what the one of our tests tells. With the `tailscaled`
 * that lies beside it, logged in nowhere. There is no network beyond loopback: see the task `test:tunnels`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { ProviderBench } from "../support/provider_bench.ts";
import { TunnelProgram } from "../support/tunnel_program.ts";
import { until } from "../support/until.ts";
import { realBench, realProgram, tell } from "./real_program.ts";

const NEVER = new AbortController().signal;
const path = realProgram("tailscale");
const daemon = path === null ? "" : `${dirname(path)}/tailscaled`;
const hasDaemon = existsSync(daemon);
if (path !== null && !hasDaemon) {
  console.error(
    `MISSING: no real tailscaled is tried: it is not beside ${path}`,
  );
}

/** What both programs are asked. */
const CALLS = [
  ["status", "--json", "--peers=false", "--nope"],
  ["status"],
  ["serve", "status", "--json"],
  ["funnel", "--https=8443", "http://127.0.0.1:3000"],
  ["serve", "--https=443", "http://127.0.0.1:3000"],
  ["funnel", "--nope", "3000"],
  ["serve", "one", "two", "three"],
];

/** A provider with the real program, and its service where it runs. */
class RealTailnet implements AsyncDisposable {
  readonly bench: ProviderBench;
  readonly #child: Deno.ChildProcess | null;
  readonly #folder: string;

  private constructor(
    bench: ProviderBench,
    child: Deno.ChildProcess | null,
    folder: string,
  ) {
    this.bench = bench;
    this.#child = child;
    this.#folder = folder;
  }

  static async open(options: { readonly runs: boolean }): Promise<RealTailnet> {
    const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "tmx-" });
    const socket = `${folder}/s.sock`;
    const bench = await realBench("tailscale", "tailscale", [
      `--socket=${socket}`,
    ]);
    const child = options.runs
      ? new Deno.Command(daemon, {
        args: [
          "--tun=userspace-networking",
          "--state=mem:",
          `--statedir=${folder}`,
          `--socket=${socket}`,
          "--port=0",
          "--no-logs-no-support",
        ],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn()
      : null;
    const tailnet = new RealTailnet(bench, child, folder);
    if (options.runs) {
      await until(async () =>
        (await tell(bench, ["tailscale", "status", "--json"])).code === 0
      );
    }
    return tailnet;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill("SIGTERM");
    await this.#child?.status;
    await this.bench[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

Deno.test({
  name: "tailscale without its service is told from one that is logged out",
  ignore: path === null,
  fn: async () => {
    await using tailnet = await RealTailnet.open({ runs: false });
    const { bench } = tailnet;
    const { context, target } = bench.project("shop");
    const checks = await bench.provider.check([target()], context, NEVER);
    assert.deepEqual(
      checks.map(({ name, ok }) => [name, ok]),
      [["tailscale_binary", true], ["tailscale_up", false]],
    );
    assert.match(checks[1]!.detail, /does not run/);
    await assert.rejects(
      bench.provider.open([target()], context, NEVER),
      { code: "E741" },
    );
  },
});

Deno.test({
  name:
    "tailscale that is logged out says so to the provider, and so does what it runs",
  ignore: !hasDaemon,
  fn: async () => {
    await using tailnet = await RealTailnet.open({ runs: true });
    const { bench } = tailnet;
    const { context, target } = bench.project("shop");
    const checks = await bench.provider.check([target()], context, NEVER);
    assert.deepEqual(
      checks.map(({ name, ok }) => [name, ok]),
      [["tailscale_binary", true], ["tailscale_up", false]],
    );
    assert.match(checks[1]!.detail, /not logged in/);
    for (const reach of bench.provider.reaches) {
      const targets = [target({ reach })];
      const process = await bench.provider.open(targets, context, NEVER);
      assert.ok(process !== null);
      await using program = TunnelProgram.start(process, context);
      assert.equal(await program.ended(), 1);
      assert.deepEqual(program.lines, ["Logged out."]);
    }
  },
});

Deno.test({
  name: "tailscale answers as the one of our tests does",
  ignore: !hasDaemon,
  fn: async () => {
    await using fake = await ProviderBench.open("tailscale");
    for (const backend of ["down", "NeedsLogin"] as const) {
      await using real = await RealTailnet.open({ runs: backend !== "down" });
      await fake.setTailscale({ backend });
      for (const args of CALLS) {
        const [one, other] = [
          await tell(real.bench, ["tailscale", ...args]),
          await tell(fake, ["tailscale", ...args]),
        ];
        const line = `${backend}: ${args.join(" ")}`;
        assert.equal(other.code, one.code, line);
        assert.equal(
          withoutPath(other.lines[0]),
          withoutPath(one.lines[0]),
          line,
        );
      }
      if (backend === "down") continue;
      const [theirs, ours] = [
        await statusOf(real.bench),
        await statusOf(fake),
      ];
      assert.deepEqual(unknownKeys(ours, theirs), []);
    }
  },
});

/** Sockets lie elsewhere. */
function withoutPath(line = ""): string {
  return line.replace(/dial unix \S+:/, "dial unix PATH:");
}

async function statusOf(bench: ProviderBench): Promise<unknown> {
  const { lines } = await tell(bench, ["tailscale", "status", "--json"]);
  return JSON.parse(lines.join("\n"));
}

/** Keys that only the first has, and values of another kind. Null goes with everything. */
function unknownKeys(ours: unknown, theirs: unknown, at = ""): string[] {
  if (ours === null || theirs === null) return [];
  if (typeof ours !== typeof theirs) return [`${at}: ${typeof theirs}`];
  if (typeof ours !== "object" || Array.isArray(ours)) return [];
  const real = theirs as Readonly<Record<string, unknown>>;
  return Object.entries(ours as object).flatMap(([key, value]) =>
    key in real
      ? unknownKeys(value, real[key], `${at}.${key}`)
      // What is not so is left out.
      : value === false
      ? []
      : [`${at}.${key}`]
  );
}
