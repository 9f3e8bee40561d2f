/**
 * What happened since a caller's last call: in every answer, each event once, whoever is killed meanwhile.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Client, connect } from "../../src/client/client.ts";
import { NewsDesk } from "../../src/client/news_desk.ts";
import type { ServerFrame } from "../../src/contract/wire.ts";
import { TaskmuxError } from "../../src/domain/error.ts";
import type { EventRecord } from "../../src/domain/event.ts";
import type { RecentEvents } from "../../src/domain/recent_events.ts";
import { FrameConnection } from "../../src/kit/frames.ts";
import { wasTold } from "../../src/offline/caller_marks.ts";
import { bustle } from "../support/bustle.ts";
import { killDaemon } from "../support/crashes.ts";
import { LineReader } from "../support/line_reader.ts";
import type { TestProject } from "../support/project.ts";
import { killIfThere, type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

const PROJECT = `name = "news"
[tasks]
a = "exec sleep 1000"
b = "exec sleep 1000"
`;

/** Any answer with `--json`. */
interface Answer extends Partial<RecentEvents> {
  readonly ok: boolean;
}

const types = ({ recent_events: events }: Partial<RecentEvents>): string[] => {
  assert(events !== undefined, "the answer says what is new");
  return events.map(({ event, task }) =>
    task === undefined ? event : `${event} ${task}`
  );
};

const RESTARTED = ["task_exited a", "task_restarted a"];

Deno.test("every answer to a caller has the events since its last call, once", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  const as = (caller: string, ...args: string[]): Promise<Answer> =>
    project.ok<Answer>([...args, "--caller", caller]);

  const first = await as("one", "status");
  assert.deepEqual(first.recent_events, [], "from now on");
  assert(!("recent_events" in await project.status()), "nobody asked");
  await project.ok(["restart", "a"]);
  const next = await as("one", "status");
  assert.deepEqual(types(next), RESTARTED);
  assert.equal(next.recent_events?.[0]?.severity, "info");
  assert.deepEqual(types(await as("one", "status")), []);

  // What a call does itself is told at once, and by whichever answer comes next; a refusal is one, too.
  assert.deepEqual(types(await as("one", "restart", "a")), RESTARTED);
  await project.ok(["kill", "b"]);
  const refused = await project.fails<Answer>("E200", ["stop", "ghost"], {
    env: { TASKMUX_CALLER: "one" },
  });
  assert.deepEqual(types(refused), ["task_exited b", "task_killed b"]);
  assert.deepEqual(types(await as("two", "status")), [], "another caller");

  // The daemon's own events concern everybody.
  await project.ok(["daemon", "restart"]);
  const restarted = await until(async () => {
    const answer = await as("one", "health", "a");
    return (answer.recent_events ?? []).length === 0 ? null : answer;
  });
  assert.deepEqual(types(restarted).slice(0, 1), ["daemon_stopped"]);

  // Only what does not fit is left out, and it is counted.
  await using client = await connect(taskmux.home.paths.daemonSocket);
  for (let round = 0; round < 12; round++) {
    const scope = { config: project.config };
    await client?.call("task.restart", { scope, tasks: ["a"] });
  }
  const many = await as("two", "status");
  assert.equal(many.recent_events?.length, 20);
  const { count } = await project.ok<{ count: number }>(
    ["events", "--cursor", String(refused.recent_events?.at(-1)?.seq)],
  );
  assert.equal(many.recent_events_omitted, count - 20);
  assert.deepEqual(types(many).slice(-2), RESTARTED);
  assert.deepEqual(types(await as("two", "status")), []);
});

Deno.test("people get a note of it, streams nothing, and files answer with it", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  const env = { TASKMUX_CALLER: "ada" };
  await project.run(["status"], { env });
  const quiet = await project.run(["status"], { env });
  assert.equal(quiet.stderr, "");
  await project.ok(["restart", "a"]);
  await using followed = new LineReader(
    project.spawn(["events", "-f", "--json"], { env }),
  );
  await until(() => followed.lines.some((line) => /task_restarted/.test(line)));
  assert(!followed.lines.some((line) => line.includes("recent_events")));
  // Read from the files, however much there is; the daemon is asked for the rest.
  const logs = await project.run(["logs", "a", "-n", "all"], { env });
  assert.equal(
    logs.stderr,
    "(2 events since your last call: task_exited a, task_restarted a)\n",
  );
  await project.run(["restart", "a"], { env });
  await project.ok(["restart", "b"]);
  const failed = await project.run(["stop", "ghost"], { env });
  assert.match(
    failed.stderr,
    /E200.*\n.*\n\(2 events since .*restarted b\)\n$/,
  );
  await project.ok(["daemon", "stop"]);
  const offline = await project.ok<Answer>(["status"], { env });
  assert(!("recent_events" in offline), "nobody was there to ask");
  const error = await project.fails("E500", ["status", "--caller", "a b"]);
  assert.match(error.error, /"a b"/);
});

Deno.test("a caller in several projects gets each event with the answers that it concerns", async () => {
  await using taskmux = await testTaskmux();
  const one = await taskmux.project(PROJECT, "one");
  const other = await taskmux.project(
    PROJECT.replace("news", "other"),
    "other",
  );
  await Promise.all([one.ok(["start"]), other.ok(["start"])]);
  const ask = (project: TestProject): Promise<Answer> =>
    project.ok<Answer>(["status", "--caller", "ada"]);
  const everywhere = (): Promise<Answer> =>
    taskmux.ok<Answer>(["daemon", "list", "--caller", "ada"]);
  assert.deepEqual(types(await ask(one)), []);
  await one.ok(["restart", "a"]);
  await other.ok(["restart", "a"]);
  await other.ok(["restart", "b"]);
  assert.deepEqual(types(await ask(one)), RESTARTED);
  await one.ok(["kill", "b"]);
  assert.deepEqual(types(await ask(other)), [
    ...RESTARTED,
    "task_exited b",
    "task_restarted b",
  ]);
  await other.ok(["stop", "a"]);
  const rest = await everywhere();
  assert.deepEqual(
    rest.recent_events?.map(({ session, event }) => `${session} ${event}`),
    [
      "one task_exited",
      "one task_killed",
      "other task_exited",
      "other task_stopped",
    ].map((text) => text.replace("one", "news")),
  );
  for (const project of [one, other]) {
    assert.deepEqual(types(await ask(project)), []);
  }
  await taskmux.ok(["daemon", "restart"]);
  await until(async () =>
    (await taskmux.ok<{ events: EventRecord[] }>([
      "events",
      "--all",
      "--type",
      "daemon_started",
    ])).events.length === 2
  );
  assert.deepEqual(
    types(await ask(other)).filter((text) => !/_a|_b/.test(text)),
    [
      "daemon_stopped",
      "daemon_started",
    ],
  );
  assert.deepEqual(types(await ask(one)), [], "told already");
});

/** A named caller over one connection after the other, as a program would write it. */
class Asker implements AsyncDisposable {
  readonly told: EventRecord[] = [];
  omitted = 0;
  /** What is done around the next confirmation. */
  disturb: { before?: () => void; after?: () => void } = {};
  readonly #taskmux: Taskmux;
  readonly #desk: NewsDesk;
  #client: Client | null = null;

  constructor(taskmux: Taskmux, caller: string) {
    this.#taskmux = taskmux;
    const { paths } = taskmux.home;
    this.#desk = new NewsDesk((event) =>
      Promise.resolve(wasTold(paths, caller, event))
    );
    const { check } = NewsDesk.prototype;
    this.#desk.check = (frame: ServerFrame, confirm) =>
      check.call(this.#desk, frame, () => {
        const { before, after } = this.disturb;
        this.disturb = {};
        before?.();
        const confirmed = confirm();
        after?.();
        return confirmed;
      });
    this.caller = caller;
  }

  readonly caller: string;

  /** Asks once; a daemon that is gone is replaced before the next time. @returns How much was new. */
  async ask(project: TestProject): Promise<number | null> {
    const client = this.#client ??= await this.#connect();
    try {
      await client.call("task.status", { scope: { config: project.config } });
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      assert.equal(error.code, "E600");
      await client.close();
      this.#client = null;
    }
    const news = this.#desk.take();
    this.told.push(...news?.recent_events ?? []);
    this.omitted += news?.recent_events_omitted ?? 0;
    return news === null ? null : news.recent_events.length;
  }

  async #connect(): Promise<Client> {
    const { paths } = this.#taskmux.home;
    while (true) {
      const client = await connect(paths.daemonSocket, {
        manner: { caller: this.caller },
        news: this.#desk,
      });
      if (client !== null) return client;
      await this.#taskmux.run(["daemon", "start"]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.close();
  }
}

/** What the asker was told is what happened after `cursor`, each event once. */
async function assertToldOnce(
  { taskmux, project, asker, cursor }: {
    readonly taskmux: Taskmux;
    readonly project: TestProject;
    readonly asker: Asker;
    readonly cursor: string;
  },
): Promise<void> {
  await until(async () => await asker.ask(project) === 0, {
    what: "nothing new any more",
  });
  const { events } = await taskmux.call("event.list", {
    scope: { config: project.config },
    cursor,
    limit: 0,
  });
  assert.equal(asker.omitted, 0, "it asks often enough");
  const told = asker.told.map(({ seq }) => seq);
  assert.deepEqual(
    told.toSorted((one, other) => one - other),
    events.map(({ seq }) => seq),
  );
}

const CALLS = 300;
const KILLS = 8;

/** Told between two kills. */
const EVENTS_PER_KILL = 5;

Deno.test("kill -9 of the daemon around a confirmation loses no event and repeats none", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  await using asker = new Asker(taskmux, "survivor");
  const { cursor } = await taskmux.call("event.list", { limit: 1 });
  assert.equal(await asker.ask(project), 0);
  await using bustling = bustle(taskmux, project);
  let [killed, toldBefore] = [0, 0];
  for (let call = 0; call < CALLS || killed < KILLS; call++) {
    const pid = await taskmux.daemonPid();
    const isDue = asker.told.length >= toldBefore + EVENTS_PER_KILL;
    if (pid !== null && killed < KILLS && isDue) {
      toldBefore = asker.told.length;
      const kill = (): void => killIfThere(pid);
      // Before a confirmation is sent, right after, or when nobody knows what is under way.
      if (killed % 4 === 3) kill();
      else {asker.disturb = killed % 4 === 0
          ? { before: kill }
          : { after: kill };}
      killed++;
    }
    await asker.ask(project);
  }
  await bustling.end();
  await assertToldOnce({ taskmux, project, asker, cursor });
});

Deno.test("answers side by side share what is new", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  await using asker = new Asker(taskmux, "many");
  const { cursor } = await taskmux.call("event.list", { limit: 1 });
  await asker.ask(project);
  await using bustling = bustle(taskmux, project);
  await using second = new Asker(taskmux, "many");
  for (let round = 0; round < 20; round++) {
    await Promise.all(
      [asker, second, asker, second, asker].map((each) => each.ask(project)),
    );
  }
  await bustling.end();
  asker.told.push(...second.told);
  await assertToldOnce({ taskmux, project, asker, cursor });
});

Deno.test("an answer that did not arrive is told again", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(PROJECT);
  await project.ok(["start"]);
  const status = {
    id: 1,
    op: "task.status",
    params: { scope: { config: project.config } },
    caller: "deaf",
  };
  const converse = async (
    ...sent: readonly object[]
  ): Promise<readonly Record<string, unknown>[]> => {
    using connection = new FrameConnection(
      await Deno.connect({
        transport: "unix",
        path: taskmux.home.paths.daemonSocket,
      }),
    );
    const frames = connection.frames();
    const answers: Record<string, unknown>[] = [];
    await frames.next();
    for (const frame of sent) {
      connection.send(frame);
      const { value } = await frames.next();
      answers.push(value as Record<string, unknown>);
    }
    return answers;
  };
  const newsOf = (answer: Record<string, unknown> | undefined): string[] =>
    types(answer?.["result"] as Partial<RecentEvents>);
  await converse(status);
  await project.ok(["restart", "a"]);
  assert.deepEqual(newsOf((await converse(status))[0]), RESTARTED);
  assert.deepEqual(newsOf((await converse(status))[0]), RESTARTED, "again");
  await killDaemon(taskmux);
  await taskmux.ok(["daemon", "start"]);
  const [answer, meanwhile, confirmed] = await converse(
    status,
    { ...status, id: 2 },
    { seen: 1 },
  );
  assert.deepEqual(newsOf(answer).slice(0, 2), RESTARTED, "by the next daemon");
  assert.deepEqual(newsOf(meanwhile), [], "they are on their way");
  assert.deepEqual(confirmed, { id: 1, seen: true });
  const [later, twice] = await converse(status, { seen: 7 });
  assert(!newsOf(later).includes("task_restarted a"));
  assert.deepEqual(twice, { id: 7, seen: false }, "nothing of that number");
});
