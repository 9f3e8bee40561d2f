/**
 * Whether a task that prints as fast as it can delays anybody else.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { permissionFlags } from "../../src/config/permissions.ts";
import { interleave } from "../harness/interleave.ts";
import { writtenBytes } from "../harness/process_facts.ts";
import type { Sandbox } from "../harness/sandbox.ts";
import {
  allSubjects,
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { failureOf } from "../harness/start_all.ts";
import { median, quantile, short } from "../harness/statistics.ts";
import type { BenchTask, Session, Subject } from "../subjects/subject.ts";
import { taskmuxCommand, taskmuxHome } from "../subjects/taskmux.ts";

const TICK = fileURLToPath(new URL("../programs/tick.py", import.meta.url));
const SAMPLER = fileURLToPath(
  new URL("../programs/status_sampler.ts", import.meta.url),
);

/** What floods. */
const FLOOD_LINE = "a line of a flood ".repeat(5).slice(0, 77);

/** Tasks that print ten lines a second beside it. */
const QUIET_TASKS = 9;

/** Until the flood is at its height. */
const SETTLE_MS = 1_000;

/** Pause between two commands. */
const PAUSE_MS = 20;

/** What one manager showed. */
interface Side {
  readonly subject: Subject;
  /** Of the status command, in milliseconds. */
  readonly command: number[];
  /** Of a program that does nothing, in turns with it. */
  readonly nothing: number[];
  /** Of a question over an open connection. */
  readonly socket: number[];
  /** From a quiet task's print to its stamp in the log. */
  readonly stamped: number[];
  /** From a quiet task's print to the line in `logs -f`. */
  readonly followed: number[];
  readonly megabytesPerSecond: number[];
  failure: string | null;
}

/** The scenario. */
export const statusFlood: Scenario = { name: "status_flood", run };

async function run(context: BenchContext): Promise<Section> {
  const seconds = context.quick ? 3 : 8;
  const sides: Side[] = allSubjects(context).map((subject) => ({
    subject,
    command: [],
    nothing: [],
    socket: [],
    stamped: [],
    followed: [],
    megabytesPerSecond: [],
    failure: null,
  }));
  const python = await pythonPath();
  await interleave(sides, 1, async (side) => {
    if (side.failure !== null) return;
    context.tell(side.subject.name);
    side.failure = await failureOf(side.subject, context.signal, async () => {
      await using session = await side.subject.open(
        floodTasks(python),
        { signal: context.signal },
      );
      await session.start();
      await pause(SETTLE_MS);
      await measure(side, session, seconds, side.subject === context.taskmux);
    });
  });
  return report(sides, seconds);
}

function floodTasks(python: string): BenchTask[] {
  return [
    { name: "flood", command: `exec yes "${FLOOD_LINE}"` },
    ...Array.from({ length: QUIET_TASKS }, (_, index) => ({
      name: `quiet${index}`,
      command: `exec ${python} ${TICK}`,
    })),
  ];
}

async function measure(
  side: Side,
  session: Session,
  seconds: number,
  isOwn: boolean,
): Promise<void> {
  const { sandbox } = session;
  const empty = {
    program: "deno",
    args: ["run", "--quiet", await sandbox.write("empty.ts", "")],
  };
  const flood = await floodPid(sandbox);
  const before = await writtenBytes(flood);
  const startedAt = performance.now();
  await using follower = isOwn ? follow(sandbox, side.followed) : null;
  const endsAt = startedAt + seconds * 1000;
  while (performance.now() < endsAt) {
    const { ms, code } = await sandbox.ask(session.status);
    if (code !== 0) throw new Error(`status exits with ${code}`);
    side.command.push(ms);
    await pause(PAUSE_MS);
    if (isOwn) side.nothing.push((await sandbox.ask(empty)).ms);
  }
  if (follower !== null) {
    side.socket.push(...await sampleSocket(sandbox, seconds));
  }
  const passed = (performance.now() - startedAt) / 1000;
  const written = await writtenBytes(flood) - before;
  side.megabytesPerSecond.push(written / 1e6 / passed);
  if (isOwn) side.stamped.push(...stampDelays(session));
}

async function floodPid(sandbox: Sandbox): Promise<number> {
  const found = (await sandbox.processes())
    .find(({ args }) => args === `yes ${FLOOD_LINE}`);
  if (found === undefined) throw new Error("the flood does not run");
  return found.pid;
}

/** Follows a quiet task and notes how late its lines come. */
function follow(sandbox: Sandbox, delays: number[]): AsyncDisposable {
  const child = sandbox.command(
    taskmuxCommand(sandbox, ["logs", "-f", "quiet0", "-n", "0", "--json"]),
    { stdout: "piped", stderr: "null" },
  ).spawn();
  const reading = (async () => {
    const texts = child.stdout.pipeThrough(new TextDecoderStream());
    for await (const text of texts) {
      const at = performance.timeOrigin + performance.now();
      for (const [, tick] of text.matchAll(/tick (\d+\.\d+)/g)) {
        delays.push(at - Number(tick) * 1000);
      }
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await reading;
      await child.status;
    },
  };
}

async function sampleSocket(
  sandbox: Sandbox,
  seconds: number,
): Promise<number[]> {
  const { daemonSocket } = taskmuxHome(sandbox).paths;
  const flags = permissionFlags({
    read: true,
    write: true,
    net: [`unix:${daemonSocket}`],
  });
  const config = `${sandbox.root}/project/taskmux.toml`;
  const { code, text } = await sandbox.ask({
    program: "deno",
    args: [
      "run",
      "--quiet",
      ...flags,
      SAMPLER,
      daemonSocket,
      config,
      String(seconds),
    ],
  });
  if (code !== 0) throw new Error(`the sampler exits with ${code}`);
  return JSON.parse(text) as number[];
}

/** From the time in each line of the quiet tasks to the time before it. */
function stampDelays(session: Session): number[] {
  const delays: number[] = [];
  for (let index = 0; index < QUIET_TASKS; index++) {
    const path = session.logFile(`quiet${index}`);
    if (path === null) continue;
    const text = Deno.readTextFileSync(path);
    for (const [, stamp, tick] of text.matchAll(/^(\S+) tick (\d+\.\d+)/gm)) {
      delays.push(Date.parse(`${stamp}Z`) - Number(tick) * 1000);
    }
  }
  return delays;
}

/** The interpreter itself: what is on the PATH may be a script that looks for it. */
async function pythonPath(): Promise<string> {
  const { stdout } = await new Deno.Command("python3", {
    args: ["-c", "import sys; print(sys.executable)"],
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function report(sides: readonly Side[], seconds: number): Section {
  const own = sides[0];
  return {
    title: "Status during a flood",
    how:
      `One task prints lines of 78 bytes as fast as it can, ${QUIET_TASKS} ` +
      "print ten lines a second. The status command is run again and again, " +
      `${seconds} s twice; for taskmux then as long over one open connection, ` +
      "as an agent's session does. MB/s is what the flood got rid of, so the " +
      "load differs: who reads more has less left for answers.",
    columns: ["", "p50 ms", "p99 ms", "max", "runs", "flood MB/s"],
    rows: [
      ...sides.map((side) =>
        latencyRow(`${side.subject.name}, command`, side.command, side)
      ),
      ...own === undefined ? [] : [
        latencyRow("beside it, empty `deno run`", own.nothing, own),
        latencyRow("taskmux, open connection", own.socket, own),
        latencyRow("taskmux, print → stamp of a quiet line", own.stamped, own),
        latencyRow(
          "taskmux, print → `logs -f` of a quiet line",
          own.followed,
          own,
        ),
      ],
    ],
    bars: [
      bar(
        "p99 of `status --json`",
        quantile(own?.command ?? [], 0.99),
        { atMost: 100 },
        "ms",
      ),
      bar(
        "p99 over an open connection",
        quantile(own?.socket ?? [], 0.99),
        { atMost: 100 },
        "ms",
      ),
      bar(
        "p99 of a quiet task's line in the log",
        quantile(own?.stamped ?? [], 0.99),
        { atMost: 250 },
        "ms",
      ),
    ],
    remarks: sides.flatMap(({ failure }) => failure === null ? [] : [failure]),
  };
}

function latencyRow(
  name: string,
  samples: readonly number[],
  { megabytesPerSecond }: Side,
): string[] {
  return [
    name,
    short(median(samples)),
    short(quantile(samples, 0.99)),
    short(quantile(samples, 1)),
    String(samples.length),
    short(median(megabytesPerSecond)),
  ];
}
