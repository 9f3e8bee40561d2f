/**
 * The same for every provider of tunnels, each against its far side and its program as they are from outside.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TASK_NAME_REGEXP } from "../../src/config/task_rule.ts";
import { TUNNEL_BACKENDS } from "../../src/domain/tunnel.ts";
import { TaskmuxError } from "../../src/domain/error.ts";
import type {
  TunnelProcess,
  TunnelTarget,
} from "../../src/tunnels/tunnel_provider.ts";
import { askPublic } from "../support/fake_edge/public_client.ts";
import { HAS_PROC, procFiles } from "../support/processes.ts";
import { type BenchProject, ProviderBench } from "../support/provider_bench.ts";
import { running } from "../support/provider_world.ts";
import { TunnelProgram } from "../support/tunnel_program.ts";
import { until } from "../support/until.ts";

const NEVER = new AbortController().signal;

type Case = (bench: ProviderBench) => Promise<void>;

const CASES: Readonly<Record<string, Case>> = {
  "its check passes and changes nothing": async (bench) => {
    const project = bench.project("shop");
    const targets = [project.target()];
    const before = await bench.traces();
    const checks = await bench.provider.check(targets, project.context, NEVER);
    const failed = checks.filter(({ ok }) => !ok);
    assert.deepEqual(failed, []);
    assert.ok(checks.length > 0, "it looks at something");
    const again = await bench.provider.check(targets, project.context, NEVER);
    const names = checks.map(({ name }) => name);
    assert.deepEqual(again.map(({ name }) => name), names, "a fixed order");
    assert.equal(new Set(names).size, names.length, "each name once");
    assert.equal(await bench.traces(), before);
    assert.equal(project.saves, 0);
    assertSilent(bench, JSON.stringify(checks));
  },

  "its check names the program that is missing, and how to get it": async (
    bench,
  ) => {
    const { program, programCheck } = bench.kind;
    const project = bench.project("shop");
    if (program !== null) {
      await Deno.remove(`${bench.world.root}/bin/${program}`);
    }
    const checks = await bench.provider.check(
      [project.target()],
      project.context,
      NEVER,
    );
    const [failed, ...more] = checks.filter(({ ok }) => !ok);
    assert.equal(failed?.name ?? null, programCheck);
    assert.deepEqual(more, [], "what cannot be told is left out");
    if (failed !== undefined) assert.ok(failed.fix !== null);
  },

  "what is asked in vain ends with the caller's reason": async (bench) => {
    const project = bench.project("shop");
    const target = project.target();
    const { provider } = bench;
    const isWaiting = await bench.stall();
    const gone = AbortSignal.abort(new Error("gone before it began"));
    const calls = callsOf(bench, project, target);
    for (const [name, call] of Object.entries(calls)) {
      const outcome = await outcomeOf(name, call(gone));
      const isFine = outcome === "done" || outcome === gone.reason;
      assert.ok(isFine, `${name}: ${Deno.inspect(outcome)}`);
    }
    const ended: string[] = [];
    for (const name of Object.keys(calls)) {
      const abort = new AbortController();
      const reason = new Error("enough");
      const call = follow(calls[name]!(abort.signal));
      await until(() => call.outcome !== null || isWaiting(), {
        what: `${provider.backend}.${name} waits`,
      });
      abort.abort(reason);
      const outcome = await until(() => call.outcome, {
        what: `${provider.backend}.${name} ends`,
      });
      if (outcome === reason) ended.push(name);
      else assert.equal(outcome, "done", name);
    }
    if (bench.kind.program !== null) assert.ok(ended.includes("check"));
  },

  "opening twice is opening once": async (bench) => {
    const project = bench.project("shop");
    const first = await open(bench, project);
    const before = bench.cloudflare.changes.length;
    assert.deepEqual(await open(bench, project), first);
    assert.equal(bench.cloudflare.changes.length, before);
  },

  "what was closed is opened again": async (bench) => {
    const project = bench.project("shop");
    await open(bench, project);
    await close(bench, project, { prune: false });
    await open(bench, project);
    await close(bench, project, { prune: true });
    const process = await open(bench, project);
    if (process !== null) await assertTravels(bench, project, process);
  },

  "while it runs it is checked, and opened again for another origin": async (
    bench,
  ) => {
    const project = bench.project("shop");
    const { provider, cloudflare: { edge } } = bench;
    let process = await open(bench, project);
    if (process === null) return;
    await using stack = new AsyncDisposableStack();
    let program: TunnelProgram | null = null;
    for (const text of ["one", "two"]) {
      const origin = stack.use(Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        () => new Response(text),
      ));
      const target = project.target({
        origin: `http://127.0.0.1:${origin.addr.port}`,
      });
      const checks = await provider.check([target], project.context, NEVER);
      assert.deepEqual(checks.filter(({ ok }) => !ok), []);
      const next = await provider.open([target], project.context, NEVER);
      assert.ok(next !== null);
      // As the daemon does: a program that is another one now takes the place of the one that runs.
      if (program !== null && next.command !== process.command) {
        await program[Symbol.asyncDispose]();
        program = null;
      }
      process = next;
      program ??= stack.use(TunnelProgram.start(process, project.context));
      await program.ready();
      const address = await addressOf(bench, project, target, program);
      await until(async () => (await askPublic(edge, address)).text === text, {
        what: `${address} to lead to the origin "${text}"`,
      });
    }
  },

  "closing twice takes nothing more away": async (bench) => {
    const project = bench.project("shop");
    await open(bench, project);
    for (const prune of [false, true]) {
      await close(bench, project, { prune });
      const { removed } = await close(bench, project, { prune });
      assert.deepEqual(removed, []);
    }
    await close(bench, bench.project("new"), { prune: true });
  },

  "a project that ends leaves another one alone": async (bench) => {
    const [shop, blog] = [bench.project("shop"), bench.project("blog")];
    await open(bench, shop);
    const process = await open(bench, blog);
    await close(bench, shop, { prune: true });
    if (process !== null) await assertTravels(bench, blog, process);
    assert.deepEqual(await open(bench, blog), process);
  },

  "a request travels by its program to the origin": async (bench) => {
    for (const reach of bench.provider.reaches) {
      const project = bench.project(reach);
      const process = await open(bench, project, { reach });
      if (process === null) {
        assert.equal(bench.kind.program, null, "a program carries it");
        const target = project.target({ reach });
        const address = await addressOf(bench, project, target);
        assert.equal(address, `https://${target.hostname}`);
      } else await assertTravels(bench, project, process, reach);
    }
  },

  "tasks of a project are told apart": async (bench) => {
    const project = bench.project("shop");
    const { provider, cloudflare: { edge }, kind } = bench;
    if (kind.program === null) return;
    await using stack = new AsyncDisposableStack();
    const targets = ["web", "api"].map((task) => {
      const origin = stack.use(Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        () => new Response(task),
      ));
      return project.target({
        task,
        origin: `http://127.0.0.1:${origin.addr.port}`,
      });
    });
    const groups = provider.carries === "project"
      ? [targets]
      : targets.map((target) => [target]);
    const answers = new Map<string, string>();
    for (const group of groups) {
      const process = await provider.open(group, project.context, NEVER);
      assert.ok(process !== null);
      const program = stack.use(TunnelProgram.start(process, project.context));
      await program.ready();
      for (const target of group) {
        const address = await addressOf(bench, project, target, program);
        answers.set(target.task, (await askPublic(edge, address)).text);
      }
    }
    assert.deepEqual(
      [...answers],
      targets.map(({ task }) => [task, task]),
    );
  },

  "no secret is where others see it": async (bench) => {
    const project = bench.project("shop");
    const process = await open(bench, project);
    if (process === null) return;
    assertSilent(bench, JSON.stringify(process));
    assert.match(process.name, TASK_NAME_REGEXP);
    await using program = TunnelProgram.start(process, project.context);
    await program.ready();
    if (HAS_PROC) {
      const words = procFiles().text(`/proc/${program.pid}/cmdline`) ?? "";
      assert.ok(words.includes("fixtures"), "it is the program itself");
      assertSilent(bench, words);
    }
    const told = JSON.stringify(project.context.memory.load());
    assertSilent(bench, told);
    await assertFilesAreClosed(bench, project.context.folder);
  },

  "what is refused has a code and a way out, and tells no secret": async (
    bench,
  ) => {
    const project = bench.project("shop");
    await bench.kind.refuse(bench);
    const target = project.target(
      bench.kind.program === null ? { hostname: null } : {},
    );
    const checks = await bench.provider.check(
      [target],
      project.context,
      NEVER,
    );
    const failed = checks.filter(({ ok }) => !ok);
    for (const { name, fix } of failed) assert.ok(fix !== null, name);
    assertSilent(bench, JSON.stringify(checks));
    const told = await refusalOf(bench, project, target);
    assert.notEqual(told, "");
    assertSilent(bench, told);
  },
};

for (const backend of TUNNEL_BACKENDS) {
  for (const [name, run] of Object.entries(CASES)) {
    Deno.test(`${backend}: ${name}`, async () => {
      await using bench = await ProviderBench.open(backend);
      await run(bench);
    });
  }
}

/** How it is refused: by an error of E741, or by its program, which the provider explains. */
async function refusalOf(
  bench: ProviderBench,
  project: BenchProject,
  target: TunnelTarget,
): Promise<string> {
  const { provider } = bench;
  const { context } = project;
  let process: TunnelProcess | null;
  try {
    process = await provider.open([target], context, NEVER);
    if (process === null) {
      await provider.addressOf(target, null, context, NEVER);
    }
  } catch (error) {
    assert.ok(error instanceof TaskmuxError, Deno.inspect(error));
    assert.equal(error.code, "E741");
    assert.ok(error.hint);
    return `${Deno.inspect(error, { depth: 10 })}\n${error.hint}`;
  }
  assert.ok(process !== null, "a program is refused, or the call");
  await using program = TunnelProgram.start(process, context);
  assert.notEqual(await program.ended(), 0);
  const told = program.lines.map((line) => provider.explain(line));
  const explained = told.find((sentence) => sentence !== null);
  assert.ok(
    explained,
    `nothing of it is explained:\n${program.lines.join("\n")}`,
  );
  return explained;
}

/** Each call of a provider, on a program that tells nothing. */
function callsOf(
  { provider }: ProviderBench,
  { context }: BenchProject,
  target: TunnelTarget,
): Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> {
  return {
    check: (signal) => provider.check([target], context, signal),
    open: (signal) => provider.open([target], context, signal),
    addressOf: (signal) =>
      provider.addressOf(target, running([]), context, signal),
    close: (signal) => provider.close(context, { prune: true }, signal),
  };
}

/** How a call ends: with the word `done`, or with its error. Null until then. */
function follow(call: Promise<unknown>): { readonly outcome: unknown } {
  let outcome: unknown = null;
  call.then(() => outcome = "done", (error) => outcome = error);
  return {
    get outcome() {
      return outcome;
    },
  };
}

async function outcomeOf(
  name: string,
  call: Promise<unknown>,
): Promise<unknown> {
  const followed = follow(call);
  return await until(() => followed.outcome, { what: `${name} ends` });
}

async function open(
  { provider }: ProviderBench,
  project: BenchProject,
  facts: Partial<TunnelTarget> = {},
): Promise<TunnelProcess | null> {
  return await provider.open([project.target(facts)], project.context, NEVER);
}

async function close(
  { provider }: ProviderBench,
  { context }: BenchProject,
  options: { readonly prune: boolean },
): ReturnType<ProviderBench["provider"]["close"]> {
  return await provider.close(context, options, NEVER);
}

async function addressOf(
  { provider }: ProviderBench,
  { context }: BenchProject,
  target: TunnelTarget,
  program: TunnelProgram | null = null,
): Promise<string> {
  return await provider.addressOf(
    target,
    program?.running ?? null,
    context,
    NEVER,
  );
}

/** Runs the program, twice, as after a crash, and asks each time from outside for what the provider says is the name. */
async function assertTravels(
  bench: ProviderBench,
  project: BenchProject,
  opened: TunnelProcess,
  reach: TunnelTarget["reach"] = "public",
): Promise<void> {
  await using origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) =>
      Response.json({
        path: new URL(request.url).pathname,
        host: request.headers.get("host"),
        proto: request.headers.get("x-forwarded-proto"),
        body: await request.text(),
      }),
  );
  const { provider, cloudflare: { edge } } = bench;
  const target = project.target({
    reach,
    origin: `http://127.0.0.1:${origin.addr.port}`,
  });
  const process = await provider.open([target], project.context, NEVER);
  assert.equal(process?.name, opened.name);
  for (const body of ["first", "after a restart"]) {
    await using program = TunnelProgram.start(process, project.context);
    await program.ready();
    const address = await addressOf(bench, project, target, program);
    assert.match(address, /^https:\/\/[a-z0-9.-]+(:\d+)?$/);
    const answer = await askPublic(edge, `${address}/hello`, {
      method: "POST",
      body,
      tailnet: reach === "tailnet",
    });
    assert.deepEqual(
      [answer.status, JSON.parse(answer.text)],
      [200, {
        path: "/hello",
        host: new URL(address).host,
        proto: "https",
        body,
      }],
    );
    if (reach === "tailnet") {
      const fromOutside = await askPublic(edge, `${address}/hello`);
      assert.equal(fromOutside.status, 530);
    }
  }
}

function assertSilent(bench: ProviderBench, text: string): void {
  for (const secret of bench.secrets) {
    assert.ok(!text.includes(secret), `a secret is in: ${text}`);
  }
}

/** Files that hold a secret are for their owner alone. */
async function assertFilesAreClosed(
  bench: ProviderBench,
  folder: string,
): Promise<void> {
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  assert.equal(modeOf(folder), "700");
  for (const { name } of entries) {
    const path = `${folder}/${name}`;
    const text = await Deno.readTextFile(path);
    const held = bench.secrets.filter((secret) => text.includes(secret));
    if (held.length === 0) continue;
    assert.equal(modeOf(path), "600", path);
    for (const secret of held) {
      assert.ok(bench.world.secrets.includes(secret), "it is noted first");
    }
  }
}

function modeOf(path: string): string {
  return ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);
}
