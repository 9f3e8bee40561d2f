/**
 * How fast the errors of a long log are found and grouped.
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
import { median, short } from "../harness/statistics.ts";
import { idleTasks } from "../subjects/subject.ts";
import { taskmuxCommand } from "../subjects/taskmux.ts";

/** The task with the log. */
const TASK = "t000";

const LINES = 1_000_000;

const LINE_BYTES = 100;

/** One error in so many lines. */
const ERROR_EVERY = 2_000;

/** Different places in which errors come. */
const PLACES = 5;

/** Time from the first line to the last. */
const SPAN_MS = 10 * 60 * 60 * 1000;

/** One thing that is run. */
interface Side {
  readonly name: string;
  readonly program: Program;
  readonly sandbox: Sandbox;
  check(text: string): string | null;
  readonly samples: number[];
}

/** The scenario. */
export const errorDigest: Scenario = { name: "error_digest", run };

async function run(context: BenchContext): Promise<Section> {
  const { signal, taskmux, ripgrep } = context;
  const lines = context.quick ? LINES / 10 : LINES;
  await using session = await taskmux.open(idleTasks(1), { signal });
  const { sandbox } = session;
  const log = session.logFile(TASK) ?? "";
  await Deno.mkdir(log.slice(0, log.lastIndexOf("/")), {
    recursive: true,
    mode: 0o700,
  });
  const written = writeLines(
    log,
    lines * LINE_BYTES,
    logLine(lines, `${sandbox.root}/project`),
  );
  const wanted = Math.floor((written - 1) / ERROR_EVERY);
  await session.start();
  const sides: Side[] = [
    {
      name: `taskmux \`errors ${TASK}\` of all of it`,
      program: taskmuxCommand(sandbox, [
        "errors",
        TASK,
        "--since",
        "20h",
        "--json",
      ]),
      sandbox,
      check: (text) => checkGroups(text, wanted),
      samples: [],
    },
    {
      name: `taskmux \`errors ${TASK}\``,
      program: taskmuxCommand(sandbox, ["errors", TASK, "--json"]),
      sandbox,
      check: () => null,
      samples: [],
    },
    ...ripgrep === null ? [] : [{
      name: "ripgrep `-c Error`, which only counts",
      program: { program: ripgrep, args: ["-c", "Error", log] },
      sandbox,
      check: (text: string) =>
        Number(text) === wanted ? null : `${text.trim()} lines`,
      samples: [],
    }],
  ];
  for (const side of sides) await ask(side);
  await interleave(sides, context.quick ? 1 : 3, async (side) => {
    side.samples.push(await ask(side));
  });
  return report(sides, written);
}

/** Ordinary lines, and in between an exception with its frames, of which no two are quite the same. */
function logLine(lines: number, root: string): (index: number) => string {
  const endsAt = Date.now();
  return (index) => {
    const at = endsAt - SPAN_MS + Math.min(1, index / lines) * SPAN_MS;
    const stamp = new Date(at).toISOString().slice(0, -1);
    const place = Math.floor(index / ERROR_EVERY) % PLACES;
    const text = index < ERROR_EVERY ? null : [
      `TypeError: Cannot charge order ${index}: it has no card`,
      `    at handler${place} (${root}/src/server${place}.ts:41:7)`,
      "    at dispatch (${root}/node_modules/web/lib/router.js:123:9)",
      "    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
    ][index % ERROR_EVERY];
    return text === undefined || text === null
      ? `${stamp} GET /orders/${index} 200 in ${index % 97} ms `.padEnd(
        LINE_BYTES - 1,
        "from 127.0.0.1 ",
      )
      : `${stamp} ${text}`;
  };
}

function checkGroups(text: string, wanted: number): string | null {
  const { groups } = JSON.parse(text) as {
    groups: readonly { readonly count: number }[];
  };
  const counted = groups.reduce((sum, { count }) => sum + count, 0);
  return groups.length === PLACES && counted === wanted
    ? null
    : `${groups.length} groups of ${counted} errors, not ${PLACES} of ${wanted}`;
}

async function ask(side: Side): Promise<number> {
  const { ms, code, text } = await side.sandbox.ask(side.program);
  const problem = code === 0 ? side.check(text) : `exits with ${code}`;
  if (problem !== null) throw new Error(`${side.name}: ${problem}`);
  return ms;
}

function report(sides: readonly Side[], lines: number): Section {
  const whole = median(sides[0]?.samples ?? []);
  return {
    title: "Digest of a million lines",
    how: `A log of ${lines} lines, one stack trace in ${ERROR_EVERY} of ` +
      `them, from ${PLACES} places, each with another number in its message; ` +
      "from spawning the command to its exit, with a running daemon.",
    columns: ["", "median ms", "lines per second", "runs"],
    rows: sides.map(({ name, samples }) => [
      name,
      short(median(samples)),
      name.includes("all of it") || name.startsWith("ripgrep")
        ? (lines / (median(samples) / 1000)).toFixed(0)
        : "",
      String(samples.length),
    ]),
    bars: [
      bar("a million lines", whole / lines * 1e6, { atMost: 5_000 }, "ms"),
    ],
    remarks: [],
  };
}
