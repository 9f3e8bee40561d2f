/**
 * How long it takes to ask for the state of 20 tasks.
 *
 * @module
 */

import { interleave } from "../harness/interleave.ts";
import type { Program } from "../harness/sandbox.ts";
import { Sandbox } from "../harness/sandbox.ts";
import {
  allSubjects,
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { startAll } from "../harness/start_all.ts";
import { median, quantile, short } from "../harness/statistics.ts";
import { idleTasks } from "../subjects/subject.ts";

const TASKS = 20;

/** One thing that is asked. */
interface Side {
  readonly name: string;
  readonly program: Program;
  readonly sandbox: Sandbox;
  readonly samples: number[];
}

/** The scenario. */
export const roundTrip: Scenario = { name: "round_trip", run };

async function run(context: BenchContext): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const { signal } = context;
  const sandbox = stack.use(await Sandbox.create(signal));
  const empty = await sandbox.write("empty.ts", "");
  const { running, failures } = await startAll(
    allSubjects(context),
    idleTasks(TASKS),
    stack,
    { signal },
  );
  const sides: Side[] = [
    {
      name: "empty `deno run`",
      program: { program: "deno", args: ["run", "--quiet", empty] },
      sandbox,
      samples: [],
    },
    ...running.map(({ subject, session }) => ({
      name: subject.name,
      program: session.status,
      sandbox: session.sandbox,
      samples: [],
    })),
  ];
  // Once without being counted: caches of code and files.
  for (const side of sides) await ask(side);
  const rounds = context.quick ? 3 : 15;
  await interleave(sides, rounds, async (side) => {
    side.samples.push(await ask(side));
  });
  return report(sides, failures);
}

async function ask({ name, program, sandbox }: Side): Promise<number> {
  const { ms, code } = await sandbox.ask(program);
  if (code !== 0) throw new Error(`${name} exits with ${code}`);
  return ms;
}

function report(
  sides: readonly Side[],
  failures: readonly string[],
): Section {
  const of = (name: string): number =>
    median(sides.find((side) => side.name === name)?.samples ?? []);
  const base = of("empty `deno run`");
  return {
    title: "CLI round trip",
    how: `The status command, as JSON, of a warm manager with ${TASKS} ` +
      "tasks; from spawning the command to its exit.",
    columns: ["", "median ms", "p90", "min", "× empty deno", "runs"],
    rows: sides.map(({ name, program, samples }) => [
      name === "taskmux" ? "taskmux `status --json`" : label(name, program),
      short(median(samples)),
      short(quantile(samples, 0.9)),
      short(Math.min(...samples)),
      short(median(samples) / base),
      String(samples.length),
    ]),
    bars: [
      bar("of an empty `deno run`", of("taskmux") / base, { atMost: 2 }, "×"),
      bar(
        "of the Python original",
        of("taskmux") / of("Python taskmux"),
        { atMost: 0.2 },
        "×",
      ),
    ],
    remarks: failures,
  };
}

function label(name: string, { args }: Program): string {
  if (name.startsWith("empty")) return name;
  const words = args.filter((word) => !/^-[UuL]$|^\//.test(word));
  return `${name} \`${words.join(" ")}\``;
}
