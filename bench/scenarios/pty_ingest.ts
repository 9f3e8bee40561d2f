/**
 * How fast output becomes a timestamped log, whether all of it arrives, and what that costs in memory.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { permissionFlags } from "../../src/config/permissions.ts";
import { libcPath } from "../../src/config/libc_path.ts";
import { testDenoDirectory } from "../../tests/support/deno_flags.ts";
import { until } from "../../tests/support/until.ts";
import { Announcements } from "../harness/announcements.ts";
import { countLines, sizeOf, writeLines } from "../harness/big_file.ts";
import { interleave } from "../harness/interleave.ts";
import { memory } from "../harness/process_facts.ts";
import { Sandbox } from "../harness/sandbox.ts";
import {
  allSubjects,
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { failureOf } from "../harness/start_all.ts";
import { median, short } from "../harness/statistics.ts";
import type { Subject } from "../subjects/subject.ts";
import { managerPids } from "../subjects/subject.ts";
import type { PtyIngest } from "../pty_ingest.ts";

const POUR = fileURLToPath(new URL("../programs/pour.sh", import.meta.url));
const MICRO = fileURLToPath(new URL("../pty_ingest.ts", import.meta.url));

/** Without the line end; with it 78 bytes. */
const LINE_LENGTH = 77;

/** How long a manager may take for all of it. */
const POUR_MS = 60_000;

/** Pause between two looks at the memory. */
const LOOK_MS = 200;

/** A log that has not grown for this long is complete. */
const QUIET_MS = 1_500;

/** One manager, one input. */
interface Pour {
  readonly seconds: number;
  readonly linesLost: number;
  readonly grownMb: number;
}

/** One manager, all inputs. */
interface Side {
  readonly subject: Subject;
  readonly pours: Pour[];
  failure: string | null;
}

/** The scenario. */
export const ptyIngest: Scenario = { name: "pty_ingest", run };

async function run(context: BenchContext): Promise<Section> {
  const megabytes = context.quick ? 20 : 100;
  await using sandbox = await Sandbox.create(context.signal);
  const micro = await measureMicro(sandbox, megabytes, context.quick ? 2 : 9);
  const input = `${sandbox.root}/input`;
  const lines = writeLines(
    input,
    megabytes * 1e6,
    (index) => `${index} `.padEnd(LINE_LENGTH, "lazy dogs "),
  );
  const sides: Side[] = allSubjects(context).map((subject) => ({
    subject,
    pours: [],
    failure: null,
  }));
  await interleave(sides, 1, async (side) => {
    if (side.failure !== null) return;
    context.tell(side.subject.name);
    side.failure = await failureOf(side.subject, context.signal, async () => {
      side.pours.push(
        await measurePour(side.subject, { sandbox, input, lines, context }),
      );
    });
  });
  return report({ micro, sides, megabytes });
}

/** The keeper's code in a process of its own, against throwing the output away: see `bench/pty_ingest.ts`. */
async function measureMicro(
  sandbox: Sandbox,
  megabytes: number,
  rounds: number,
): Promise<PtyIngest> {
  const libc = libcPath(Deno.build.os, Deno.build.arch, existsSync);
  if (libc === null) throw new Error("Cannot find the C library");
  const flags = permissionFlags({
    read: true,
    write: true,
    env: true,
    net: ["127.0.0.1"],
    ffi: [`${testDenoDirectory()}/npm`, libc],
  });
  const { code, text } = await sandbox.ask({
    program: "deno",
    args: ["run", "--quiet", ...flags, MICRO, `${megabytes}`, `${rounds}`],
  });
  if (code !== 0) throw new Error(`bench/pty_ingest.ts exits with ${code}`);
  return JSON.parse(text) as PtyIngest;
}

interface PourOptions {
  readonly sandbox: Sandbox;
  readonly input: string;
  readonly lines: number;
  readonly context: BenchContext;
}

async function measurePour(
  subject: Subject,
  { sandbox, input, lines, context }: PourOptions,
): Promise<Pour> {
  const { signal } = context;
  const pipePath = `${sandbox.root}/${crypto.randomUUID()}`;
  await using pipe = await Announcements.open(pipePath);
  await using session = await subject.open(
    [{ name: "pour", command: `exec /bin/sh ${POUR} ${pipePath} ${input}` }],
    { signal },
  );
  await session.start();
  const begin = await pipe.take((text) => text.endsWith(" begin"), POUR_MS);
  if (begin === null) throw new Error("the task does not come up");
  const pids = await managerPids(session);
  const first = (await memory(pids)).rssMb;
  let most = first;
  const ending = pipe.take((text) => text.endsWith(" end"), POUR_MS);
  const end = await untilSettled(ending, async () => {
    most = Math.max(most, (await memory(pids)).rssMb);
  });
  if (end === null) throw new Error(`not done after ${POUR_MS / 1000} s`);
  const log = session.logFile("pour");
  if (log !== null) await untilQuiet(log, signal);
  return {
    seconds: (end.at - begin.at) / 1000,
    linesLost: log === null ? NaN : lines - countLines(log),
    grownMb: Math.max(most, (await memory(pids)).rssMb) - first,
  };
}

async function untilSettled<T>(
  promise: Promise<T>,
  look: () => Promise<void>,
): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => isSettled = true);
  while (!isSettled) {
    await look();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return await settled;
}

async function untilQuiet(path: string, signal: AbortSignal): Promise<void> {
  let size = -1;
  let since = performance.now();
  await until(() => {
    const now = sizeOf(path);
    if (now !== size) since = performance.now();
    size = now;
    return performance.now() - since > QUIET_MS;
  }, { what: "log is complete", timeoutMs: POUR_MS, signal });
}

function report(found: {
  readonly micro: PtyIngest;
  readonly sides: readonly Side[];
  readonly megabytes: number;
}): Section {
  const { micro, sides, megabytes } = found;
  const own = sides.find(({ subject }) => subject.name === "taskmux");
  const pours = own?.pours ?? [];
  return {
    title: `Output of ${megabytes} MB into a log`,
    how:
      "A task `cat`s lines of 78 bytes; from its first byte until the last " +
      "is taken from it, through the whole manager. Lines are counted in the " +
      "log file when it has not grown for 1.5 s. taskmux and the original give the task a terminal, which " +
      "turns each line end into two bytes and is itself the limit; the others " +
      "a pipe. Above it the same code alone against reading the terminal and " +
      "throwing everything away (`bench/pty_ingest.ts`).",
    columns: ["", "s", "MB/s", "lines not in the log", "RSS grew by MB"],
    rows: [
      [
        "terminal, thrown away",
        short(micro.discardSeconds),
        short(megabytes / micro.discardSeconds),
        "",
        "",
      ],
      [
        "terminal, the keeper's code",
        short(micro.ingestSeconds),
        short(micro.megabytesPerSecond),
        String(micro.linesLost),
        "",
      ],
      ...sides.map(({ subject, pours }) => [
        subject.name,
        short(median(pours.map(({ seconds }) => seconds))),
        short(megabytes / median(pours.map(({ seconds }) => seconds))),
        short(Math.max(...pours.map(({ linesLost }) => linesLost))),
        short(Math.max(...pours.map(({ grownMb }) => grownMb))),
      ]),
    ],
    bars: [
      bar("of the speed of throwing away", micro.ratio, { atLeast: 0.8 }, "×"),
      bar(
        "lines lost",
        micro.linesLost + Math.max(...pours.map((pour) => pour.linesLost)),
        { atMost: 0 },
      ),
      bar(
        "growth of memory",
        Math.max(...pours.map((pour) => pour.grownMb)),
        { atMost: 20 },
        "MB",
      ),
    ],
    remarks: sides.flatMap(({ failure }) => failure === null ? [] : [failure]),
  };
}
