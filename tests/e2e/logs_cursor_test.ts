/**
 * Reading logs in many steps: every line once, whatever happens in between.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Client, connect } from "../../src/client/client.ts";
import type { Result } from "../../src/contract/mod.ts";
import { TaskmuxError } from "../../src/domain/error.ts";
import { lineOf, recordsOf, streamLogFiles } from "../../src/offline/logs.ts";
import { printedText } from "../support/answer_lines.ts";
import { killDaemon } from "../support/crashes.ts";
import { allLogTexts, countingCommand } from "../support/numbered_lines.ts";
import type { TestProject } from "../support/project.ts";
import { randomFrom } from "../support/random.ts";
import { killIfThere, type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { until } from "../support/until.ts";

type Logs = Result<"log.read">;

const POLLS = 1_000;

const SEED = 20261120;

/** How often a poll is a whole process. */
const POLLS_PER_CLI = 60;

/** Reads the logs of some tasks on and on. */
class Poller {
  readonly lines: Logs["lines"] = [];
  dropped = 0;
  hasMore = false;
  polls = 0;
  readonly #tasks: string[];
  #cursor: string | null = null;

  constructor(tasks: string[]) {
    this.#tasks = tasks;
  }

  async poll(
    read: (
      params: { tasks: string[]; cursor: string | null; lines: number | null },
    ) => Promise<Logs>,
    lines: number | null,
  ): Promise<void> {
    const answer = await read({
      tasks: this.#tasks,
      cursor: this.#cursor,
      lines: this.#cursor === null ? null : lines,
    });
    this.lines.push(...answer.lines);
    this.dropped += answer.dropped;
    this.hasMore = answer.has_more;
    this.#cursor = answer.cursor;
    this.polls++;
  }
}

/** Asks the daemon if there is one, by one connection, else the files. */
class Source implements AsyncDisposable {
  readonly #taskmux: Taskmux;
  readonly #project: TestProject;
  #client: Client | null = null;
  fromFiles = 0;
  fromDaemon = 0;

  constructor(taskmux: Taskmux, project: TestProject) {
    this.#taskmux = taskmux;
    this.#project = project;
  }

  readonly read = async (
    params: { tasks: string[]; cursor: string | null; lines: number | null },
  ): Promise<Logs> => {
    const { config } = this.#project;
    const { paths } = this.#taskmux.home;
    try {
      this.#client ??= await connect(paths.daemonSocket);
      if (this.#client !== null) {
        const scope = { config };
        const answer = await this.#client.call("log.read", {
          scope,
          ...params,
        });
        this.fromDaemon++;
        return answer;
      }
    } catch (error) {
      if (!(error instanceof TaskmuxError) || error.code !== "E600") {
        throw error;
      }
      this.#client = null;
    }
    this.fromFiles++;
    const stream = streamLogFiles(
      { paths, env: () => ({}) },
      { config, grep: null, context: 0, since: null, until: null, ...params },
      {},
    );
    const read: Logs["lines"] = [];
    while (true) {
      const { value, done } = await stream.next();
      if (done) return { ok: true, lines: read, ...value };
      read.push(
        ...recordsOf(value).map((record) =>
          lineOf(record, params.tasks.length === 1)
        ),
      );
    }
  };

  readonly cli = (
    { tasks, cursor, lines }: {
      tasks: string[];
      cursor: string | null;
      lines: number | null;
    },
  ): Promise<Logs> =>
    this.#project.ok<Logs>([
      "logs",
      ...tasks,
      ...cursor === null ? [] : ["--cursor", cursor],
      ...lines === null ? ["-n", "all"] : ["-n", String(lines)],
    ]);

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.close();
  }
}

/** The lines of a task among those of all. */
function ofTask(lines: Logs["lines"], task: string): string[] {
  return lines.filter((line) =>
    typeof line === "object" && "task" in line && line.task === task
  ).map(printedText);
}

Deno.test("a thousand polls through rotations, restarts and crashes equal the log", async () => {
  await using taskmux = await testTaskmux();
  const settings = 'log_max_size = "8KB"\nlog_max_files = 90';
  const project = await taskmux.project(`
name = "polled"
[tasks.a]
command = '''${countingCommand(15, "0.03")}'''
${settings}
[tasks.b]
command = '''${countingCommand(5, "0.02")}'''
${settings}`);
  await project.ok(["start"]);
  await using source = new Source(taskmux, project);
  const one = new Poller(["a"]);
  const all = new Poller([]);
  const random = randomFrom(SEED);
  const happenings: (() => Promise<unknown>)[] = [
    () => project.ok(["restart", "a"]),
    () => killDaemon(taskmux),
    () => project.ok(["daemon", "start"]),
    () => project.ok(["restart"]),
    () => project.ok(["daemon", "restart"]),
    () => killDaemon(taskmux).then(() => project.ok(["restart", "b"])),
    () => project.ok(["stop", "a"]).then(() => project.ok(["start", "a"])),
    () => project.ok(["kill", "b"]).then(() => project.ok(["start", "b"])),
  ];
  const quota = POLLS / happenings.length;
  for (const [index, happening] of happenings.entries()) {
    let isOver = false;
    const happened = happening().finally(() => isOver = true);
    const before = one.polls + all.polls;
    while (!isOver || one.polls + all.polls - before < quota) {
      const poller = random() < 0.5 ? one : all;
      const lines = random() < 0.5 ? null : Math.floor(random() * 30);
      const isCli = (one.polls + all.polls) % POLLS_PER_CLI === 0;
      await poller.poll(isCli ? source.cli : source.read, lines);
    }
    await happened.catch((error) => {
      throw new Error(`happening ${index}`, { cause: error });
    });
  }
  await project.ok(["stop"]);
  for (const poller of [one, all]) {
    do await poller.poll(source.read, 400); while (poller.hasMore);
    assert.equal(poller.dropped, 0, `seed ${SEED}`);
  }
  assert(one.polls + all.polls >= POLLS);
  assert(source.fromFiles > 0 && source.fromDaemon > 0);
  for (const task of ["a", "b"]) {
    const { log_file: path } = await project.ok<{ log_file: string }>([
      "inspect",
      task,
    ]);
    const written = allLogTexts(path);
    assert(written.length > 200, `${written.length} lines`);
    assert(Deno.statSync(`${path}.1`).isFile, "it was rotated");
    assert.deepEqual(ofTask(all.lines, task), written, `${task} of all`);
    if (task === "a") {
      assert.deepEqual(one.lines.map(printedText), written, "a alone");
      assert.equal(`${one.lines.join("\n")}\n`, await wholeText(path));
    }
  }
});

/** All files of a log, oldest first. */
async function wholeText(path: string): Promise<string> {
  const texts = [await Deno.readTextFile(path)];
  for (let number = 1;; number++) {
    try {
      texts.unshift(await Deno.readTextFile(`${path}.${number}`));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return texts.join("");
      throw error;
    }
  }
}

/** A task that prints the numbers up to the one in its file `upto`, as that grows. */
const ON_DEMAND = `
command = '''n=0; while :; do read max < upto; while [ $n -lt $max ]; do n=$((n+1)); echo $n; done; sleep 0.02; done'''`;

async function printUpTo(project: TestProject, count: number): Promise<void> {
  await project.replaceFile("upto", `${count}\n`);
  await until(async () => {
    const { lines } = await project.ok<Logs>(["logs", "a", "-n", "1"]);
    return lines.length > 0 && printedText(lines[0]!) === String(count);
  }, { what: `line ${count}` });
}

Deno.test("what rotation or deletion takes away before it is read is told", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "lossy"
[tasks.a]
log_max_size = "4KB"
log_max_files = 2${ON_DEMAND}`);
  await project.file("upto", "0\n");
  await project.ok(["start"]);
  await printUpTo(project, 10);
  const first = await project.ok<Logs>(["logs", "a"]);
  assert.equal(first.lines.length, 10);
  await printUpTo(project, 2_000);
  const poll = (cursor: string, ...args: string[]) =>
    project.ok<Logs>(["logs", "a", "--cursor", cursor, ...args]);
  const rest = await poll(first.cursor);
  assert(rest.dropped > 0);
  const numbers = rest.lines.map((line) => Number(printedText(line)));
  const lost = numbers[0]! - 11;
  assert(lost > 0);
  assert.deepEqual(numbers, numbers.map((_, at) => numbers[0]! + at));
  assert.equal(numbers.at(-1), 2_000);
  const next = await poll(rest.cursor);
  assert.deepEqual([next.lines, next.dropped], [[], 0]);

  await project.ok(["logs-clean", "a"]);
  await printUpTo(project, 2_005);
  const after = await poll(next.cursor);
  assert.deepEqual(after.lines.map(printedText), [
    "2001",
    "2002",
    "2003",
    "2004",
    "2005",
  ]);
  assert(after.dropped > 0, "nobody can tell that nothing was lost");
  const human = await project.run(["logs", "a", "--cursor", next.cursor]);
  assert.match(human.stderr, /bytes are gone/);
  assert.match(human.stderr, /--cursor \S+/);

  const paged = await poll(next.cursor, "-n", "2");
  assert.deepEqual(paged.lines.map(printedText), ["2001", "2002"]);
  assert.equal(paged.has_more, true);
  await project.fails("E500", ["logs", "a", "--cursor", "nonsense"]);
  await project.fails("E500", ["logs", "-f", "--cursor", next.cursor]);
});

Deno.test("a named cursor moves when the answer is out, and only then", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "named"
[tasks.a]
${ON_DEMAND}
[tasks.b]
command = "echo from b; exec sleep 1000"`);
  await project.file("upto", "0\n");
  await project.fails("E600", ["logs", "a", "--cursor-name", "me"]);
  await project.ok(["start"]);
  await printUpTo(project, 150);
  const named = (...args: string[]) =>
    project.ok<Logs>(["logs", "a", "--cursor-name", "me", ...args]);
  const texts = ({ lines }: Logs) => lines.map(printedText);
  assert.equal((await named()).lines.length, 100);
  assert.deepEqual(texts(await named()), []);
  await printUpTo(project, 153);
  const other = await named("--caller", "someone");
  assert.equal(other.lines.length, 100, "a name belongs to its caller");
  assert.deepEqual(texts(await named("-n", "2")), ["151", "152"]);

  // More than a pipe takes: who prints it is stuck in the middle.
  await printUpTo(project, 20_000);
  const rest = Array.from({ length: 19_848 }, (_, at) => String(153 + at));
  const command = ["--json", "logs", "a", "--cursor-name", "me"];
  const killed = project.spawn(command);
  const reader = killed.stdout.getReader();
  await reader.read();
  killIfThere(killed.pid);
  await killed.status;
  await reader.cancel();
  await killed.stderr.cancel();
  const printed = project.spawn(command);
  const output = printed.stdout.getReader();
  const chunks = [(await output.read()).value!];
  await killDaemon(taskmux);
  for (;;) {
    const { value } = await output.read();
    if (value === undefined) break;
    chunks.push(value);
  }
  await printed.stderr.cancel();
  assert.equal((await printed.status).code, 0);
  const answer: Logs = JSON.parse(await new Blob(chunks).text());
  assert.deepEqual(texts(answer), rest, "nothing is lost to who was killed");

  await project.ok(["daemon", "start"]);
  assert.deepEqual(texts(await named()), rest, "nor to a daemon");
  assert.deepEqual(texts(await named()), []);
  await project.ok(["daemon", "restart"]);
  assert.deepEqual(texts(await named()), []);

  const both = await project.ok<Logs>(["logs", "--cursor-name", "me"]);
  assert.deepEqual(both.lines.map(printedText), ["from b"]);
  await project.ok(["logs-clean", "a"]);
  await printUpTo(project, 20_001);
  assert.deepEqual(texts(await named()), ["20001"]);
  await project.fails("E500", ["logs", "--cursor-name", "a b"]);
  await project.fails("E500", ["logs", "--cursor-name", "-x"]);
  await project.fails("E500", [
    "logs",
    "--cursor-name",
    "me",
    "--cursor",
    both.cursor,
  ]);
});

Deno.test("a named cursor moves with the next daemon, if that comes soon", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "soon"
[tasks.a]
${ON_DEMAND}`);
  await project.file("upto", "0\n");
  await project.ok(["start"]);
  const command = ["--json", "logs", "a", "--cursor-name", "me"];
  await project.ok(command);
  // More than a pipe takes: who prints it is stuck in the middle.
  await printUpTo(project, 20_000);
  const printed = project.spawn(command);
  const output = printed.stdout.getReader();
  await output.read();
  await killDaemon(taskmux);
  const newline = "\n".charCodeAt(0);
  while ((await output.read()).value?.at(-1) !== newline);
  await taskmux.ok(["daemon", "start"]);
  await output.cancel();
  await printed.stderr.cancel();
  assert.equal((await printed.status).code, 0);
  assert.deepEqual((await project.ok<Logs>(command)).lines, []);
});

Deno.test("a named cursor outlives registration, forgets tasks that are gone, and is gone after clean", async () => {
  await using taskmux = await testTaskmux();
  const file = (tasks: string) => `name = "lasting"\n${tasks}`;
  const a = '[tasks.a]\ncommand = "echo a; exec sleep 1000"\n';
  const b = '[tasks.b]\ncommand = "echo b; exec sleep 1000"\n';
  const project = await taskmux.project(file(a + b));
  await project.ok(["start"]);
  await until(async () =>
    (await project.ok<Logs>(["logs"])).lines.length === 2
  );
  const named = async () => {
    const answer = await project.ok<Logs>(["logs", "--cursor-name", "me"]);
    return answer.lines.map(printedText).sort();
  };
  assert.deepEqual(await named(), ["a", "b"]);
  await project.ok(["daemon", "restart"]);
  await taskmux.call("project.unregister", { session: "lasting" });
  await project.ok(["start"]);
  await until(async () =>
    (await project.ok<Logs>(["logs"])).lines.length === 4
  );
  assert.deepEqual(await named(), ["a", "b"], "only the second start");

  await project.replace(file(a));
  await project.whenEvent("config_reloaded");
  await project.ok(["restart", "a"]);
  await until(async () => (await project.log("a")).length === 3);
  assert.deepEqual(await named(), ["a"]);
  // Nobody knew any more how far b was read: again rather than never.
  await project.replace(file(a + b));
  await until(async () => (await project.log("b")).length === 3);
  assert.deepEqual(await named(), ["b", "b", "b"]);

  await project.ok(["clean", "--yes", "--force"]);
  await project.ok(["start"]);
  const { cursor } = await taskmux.call("log.cursor", {
    scope: { config: project.config },
    cursor_name: "me",
  });
  assert.equal(cursor, null);
});
