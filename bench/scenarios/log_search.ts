/**
 * How fast a word is found in a big log.
 *
 * @module
 */

import { writeLines } from "../harness/big_file.ts";
import { interleave } from "../harness/interleave.ts";
import type { Program, Sandbox } from "../harness/sandbox.ts";
import {
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { failureOf } from "../harness/start_all.ts";
import { median, short } from "../harness/statistics.ts";
import { idleTasks, type Session, type Subject } from "../subjects/subject.ts";
import { taskmuxCommand } from "../subjects/taskmux.ts";

/** The task with the log. */
const TASK = "t000";

/** In how many lines the word is. */
const HITS = 50;

/** With its time and its end. */
const LINE_BYTES = 100;

/** Time from the first line to the last. */
const SPAN_MS = 10 * 60 * 60 * 1000;

/** One way of searching. */
interface Side {
  readonly name: string;
  readonly program: Program;
  readonly sandbox: Sandbox;
  /** Lines that must be found; null if nobody knows. */
  readonly hits: number | null;
  readonly samples: number[];
}

/** The scenario. */
export const logSearch: Scenario = { name: "log_search", run };

async function run(context: BenchContext): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const { signal, taskmux, ripgrep } = context;
  const megabytes = context.quick ? 50 : 1_000;
  const session = await openWithLog(taskmux, megabytes, context);
  stack.use(session);
  await session.start();
  const { sandbox } = session;
  const log = session.logFile(TASK) ?? "";
  const search = (name: string, args: string[], hits: number | null): Side => ({
    name,
    program: taskmuxCommand(sandbox, ["logs", TASK, ...args]),
    sandbox,
    hits,
    samples: [],
  });
  const sides: Side[] = [
    search("taskmux `logs -g needle`", ["-g", "needle"], HITS),
    search("taskmux `logs -g 'need[l]e'`", ["-g", "need[l]e"], HITS),
    search("taskmux `logs --since 5m`", ["--since", "5m"], 100),
    search("taskmux `logs --since 5m -n all`", [
      "--since",
      "5m",
      "-n",
      "all",
    ], null),
    search("taskmux `logs`", [], 100),
    ...ripgrep === null ? [] : [{
      name: "ripgrep `-i needle`",
      program: { program: ripgrep, args: ["-i", "needle", log] },
      sandbox,
      hits: HITS,
      samples: [],
    }],
  ];
  const failures: string[] = [];
  const python = context.peers.find(({ name }) => name === "Python taskmux");
  if (python !== undefined) {
    const failure = await failureOf(python, signal, async () => {
      sides.push(await pythonSide(python, log, stack, context));
    });
    if (failure !== null) failures.push(failure);
  }
  for (const side of sides) await ask(side);
  await interleave(sides, context.quick ? 2 : 5, async (side) => {
    side.samples.push(await ask(side));
  });
  const memory = {
    searching: await peakMemory(sides[1]!),
    idle: await peakMemory(search("", ["-n", "1"], 1)),
  };
  return report(sides, { megabytes, failures, memory });
}

/** Prints the most memory that a command ever had, in KiB; getrusage(2). */
const PEAK = "import resource,subprocess,sys;" +
  "subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,check=True);" +
  "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";

/** The most memory that the command had, in megabytes. */
async function peakMemory({ program, sandbox }: Side): Promise<number> {
  const args = ["-c", PEAK, program.program, ...program.args];
  const { text } = await sandbox.ask({ ...program, program: "python3", args });
  return Number(text) * 1024 / 1e6;
}

async function openWithLog(
  subject: Subject,
  megabytes: number,
  { signal }: BenchContext,
): Promise<Session> {
  const session = await subject.open(idleTasks(1), { signal });
  const path = session.logFile(TASK) ?? "";
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), {
    recursive: true,
    mode: 0o700,
  });
  const bytes = megabytes * 1e6;
  const lines = bytes / LINE_BYTES;
  const needleEvery = Math.floor(lines / HITS);
  const endsAt = Date.now();
  let hits = 0;
  writeLines(path, bytes, (index) => {
    const at = endsAt - SPAN_MS + Math.min(1, index / lines) * SPAN_MS;
    const isHit = index % needleEvery === 1 && hits < HITS;
    if (isHit) hits++;
    const stamp = new Date(at).toISOString().slice(0, -1);
    return `${stamp} ${index} ${isHit ? "needle" : "haycock"} `
      .padEnd(LINE_BYTES - 1, "the quick brown fox ");
  });
  if (hits !== HITS) throw new Error(`wrote ${hits} needles`);
  return session;
}

async function pythonSide(
  subject: Subject,
  log: string,
  stack: AsyncDisposableStack,
  { signal }: BenchContext,
): Promise<Side> {
  const session = stack.use(await subject.open(idleTasks(1), { signal }));
  const path = session.logFile(TASK) ?? "";
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.copyFile(log, path);
  await session.start();
  return {
    name: "Python taskmux `logs -g needle`",
    program: {
      ...session.status,
      args: ["logs", TASK, "-g", "needle", "-n", "1000000000"],
    },
    sandbox: session.sandbox,
    hits: null,
    samples: [],
  };
}

async function ask(side: Side): Promise<number> {
  const { ms, code, text } = await side.sandbox.ask(side.program);
  const lines = text.split("\n").length - 1;
  if (code !== 0 || (side.hits !== null && lines !== side.hits)) {
    throw new Error(`${side.name} exits with ${code} and ${lines} lines`);
  }
  return ms;
}

function report(
  sides: readonly Side[],
  { megabytes, failures, memory }: {
    readonly megabytes: number;
    readonly failures: readonly string[];
    readonly memory: { readonly searching: number; readonly idle: number };
  },
): Section {
  const of = (start: string): number =>
    median(sides.find(({ name }) => name.startsWith(start))?.samples ?? []);
  const base = of("ripgrep");
  return {
    title: `Search in ${megabytes} MB of log`,
    how:
      `One file of lines of ${LINE_BYTES} bytes over ten hours, ${HITS} of ` +
      "them with the word, in the page cache, with a running daemon; from " +
      "spawning the command to its exit. A pattern without capitals minds no " +
      "case, so ripgrep gets `-i`. The last five minutes are 1/120 of it.",
    columns: ["", "median ms", "MB/s", "× ripgrep", "runs"],
    rows: sides.map(({ name, samples }) => [
      name,
      short(median(samples)),
      /needle|need\[/.test(name)
        ? short(megabytes / (median(samples) / 1000))
        : "",
      /needle|need\[/.test(name) ? short(median(samples) / base) : "",
      String(samples.length),
    ]),
    bars: [
      bar(
        "literal, of ripgrep",
        of("taskmux `logs -g needle`") / base,
        { atMost: 5 },
        "×",
      ),
      bar(
        "regular expression, of ripgrep",
        of("taskmux `logs -g 'need[l]e'`") / base,
        { atMost: 5 },
        "×",
      ),
      bar(
        "memory of the search beyond that of `logs -n 1`",
        memory.searching - memory.idle,
        { atMost: 64 },
        "MB",
      ),
      bar(
        "`--since 5m`, the last 100 lines",
        of("taskmux `logs --since 5m`"),
        { atMost: 100 },
        "ms",
      ),
      bar(
        "`--since 5m -n all`",
        of("taskmux `logs --since 5m -n all"),
        { atMost: 100 },
        "ms",
      ),
    ],
    remarks: [
      ...failures,
      ...Number.isNaN(base) ? ["ripgrep is not installed here."] : [],
    ],
  };
}
