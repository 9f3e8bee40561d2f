/**
 * What it costs to ask again and again what is new in a log.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { permissionFlags } from "../../src/config/permissions.ts";
import { writeLines } from "../harness/big_file.ts";
import { interleave } from "../harness/interleave.ts";
import type { Program } from "../harness/sandbox.ts";
import {
  allSubjects,
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { failureOf } from "../harness/start_all.ts";
import { median, quantile, short } from "../harness/statistics.ts";
import { idleTasks, type Session } from "../subjects/subject.ts";
import { taskmuxCommand, taskmuxHome } from "../subjects/taskmux.ts";

/** The task with the log. */
const TASK = "t000";

const LOG_MEGABYTES = 100;

/** Lines that come between two questions. */
const LINES = 10;

const LINE_BYTES = 100;

const SAMPLER = fileURLToPath(
  new URL("../programs/cursor_sampler.ts", import.meta.url),
);

/** One way of asking. */
interface Side {
  readonly name: string;
  readonly session: Session;
  /** The next question. */
  program(): Program;
  /** Takes what the next question needs from an answer. */
  read(text: string): void;
  readonly samples: number[];
  readonly bytes: number[];
}

/** The scenario. */
export const cursorPolling: Scenario = { name: "cursor_polling", run };

async function run(context: BenchContext): Promise<Section> {
  await using stack = new AsyncDisposableStack();
  const { signal, taskmux } = context;
  const own = stack.use(await openWithLog(taskmux, signal));
  await own.start();
  const sides: Side[] = [byCursor(own), lastLines(taskmux.name, own)];
  const failures: string[] = [];
  for (const peer of allSubjects(context).slice(1)) {
    const failure = await failureOf(peer, signal, async () => {
      const session = stack.use(await openWithLog(peer, signal));
      await session.start();
      sides.push(lastLines(peer.name, session));
    });
    if (failure !== null) failures.push(failure);
  }
  for (const side of sides) await ask(side);
  for (const { samples, bytes } of sides) samples.length = bytes.length = 0;
  await interleave(sides, context.quick ? 3 : 10, ask);
  return report(sides, await overConnection(own, context), failures);
}

/** A manager whose task has a long log already, where its log is a file. */
async function openWithLog(
  subject: BenchContext["taskmux"],
  signal: AbortSignal,
): Promise<Session> {
  const session = await subject.open(idleTasks(1), { signal });
  const path = session.logFile(TASK);
  if (path === null) return session;
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), {
    recursive: true,
    mode: 0o700,
  });
  const stamp = new Date().toISOString().slice(0, -1);
  writeLines(
    path,
    LOG_MEGABYTES * 1e6,
    (index) => `${stamp} ${index} `.padEnd(LINE_BYTES - 1, "quick brown fox "),
  );
  return session;
}

function byCursor(session: Session): Side {
  let cursor: string | null = null;
  return {
    name: "taskmux `logs --cursor C --json`",
    session,
    program: () =>
      taskmuxCommand(session.sandbox, [
        "logs",
        TASK,
        "--json",
        ...cursor === null ? ["-n", "0"] : ["--cursor", cursor],
      ]),
    read: (text) => cursor = (JSON.parse(text) as { cursor: string }).cursor,
    samples: [],
    bytes: [],
  };
}

/** What is left without a cursor: the last lines, and finding out oneself which of them are new. */
function lastLines(name: string, session: Session): Side {
  const program = session.logs(TASK);
  return {
    name: `${name} ${name === "taskmux" ? "`logs`" : "its `logs`"}`,
    session,
    program: () => program,
    read: () => {},
    samples: [],
    bytes: [],
  };
}

async function ask(side: Side): Promise<void> {
  const { session, samples, bytes } = side;
  const path = session.logFile(TASK);
  if (path !== null) {
    const stamp = new Date().toISOString().slice(0, -1);
    const news = `${stamp} something happened\n`.repeat(LINES);
    await Deno.writeTextFile(path, news, { append: true });
  }
  const { ms, text, code } = await session.sandbox.ask(side.program());
  if (code !== 0) throw new Error(`${side.name} exits with ${code}`);
  side.read(text);
  samples.push(ms);
  bytes.push(new TextEncoder().encode(text).length);
}

/** As an agent's session asks. */
async function overConnection(
  session: Session,
  { quick }: BenchContext,
): Promise<number[]> {
  const { sandbox } = session;
  const { paths } = taskmuxHome(sandbox);
  const log = session.logFile(TASK) ?? "";
  const flags = permissionFlags({
    read: true,
    write: true,
    net: [`unix:${paths.daemonSocket}`],
  });
  const { text } = await sandbox.ask({
    program: "deno",
    args: [
      "run",
      "--quiet",
      ...flags,
      SAMPLER,
      paths.daemonSocket,
      `${sandbox.root}/project/taskmux.toml`,
      TASK,
      log,
      quick ? "100" : "1000",
      String(LINES),
    ],
  });
  return JSON.parse(text) as number[];
}

function report(
  sides: readonly Side[],
  connection: readonly number[],
  failures: readonly string[],
): Section {
  return {
    title: "What is new, again and again",
    how: `Ten lines are added to a log of ${LOG_MEGABYTES} MB, then it is ` +
      "asked for. With a cursor the answer is these ten lines; without one " +
      "it is what the manager prints by itself, and which of it is new is " +
      "the asker's affair. pitchfork's log is a database and so is empty.",
    columns: ["", "median ms", "p99", "median bytes", "questions"],
    rows: [
      ...sides.map(({ name, samples, bytes }) => [
        name,
        short(median(samples)),
        short(quantile(samples, 0.99)),
        median(bytes).toFixed(0),
        String(samples.length),
      ]),
      [
        "taskmux, over an open connection",
        short(median(connection)),
        short(quantile(connection, 0.99)),
        "",
        String(connection.length),
      ],
    ],
    bars: [
      bar(
        "p99 over an open connection",
        quantile(connection, 0.99),
        { atMost: 50 },
        "ms",
      ),
    ],
    remarks: failures,
  };
}
