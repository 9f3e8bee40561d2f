/**
 * `taskmux logs`
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { ERROR_CODES, EXIT } from "../../domain/error_codes.ts";
import { systemClock } from "../../kit/clock.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { ask, findDaemon } from "../daemon_access.ts";
import { pointInTime, wholeNumber } from "../option_value.ts";
import { projectScope } from "../project.ts";
import { LogPrinter, type PrintedRecord } from "../render/logs.ts";

/** Lines shown unless something else is asked for. */
const DEFAULT_LINES = 100;

/** Lines shown before following. */
const DEFAULT_FOLLOW_LINES = 10;

/** Longer answers are read from the files: they would not fit the frames of the socket. */
const MAX_LINES_OVER_SOCKET = 2_000;

/** Prints output of tasks. */
export const logs = command({
  usage:
    "[TASK...] [-f] [-n N] [-g REGEXP] [-C N] [--since WHEN] [--until WHEN]",
  about:
    "Several tasks, or without TASK all, are merged by time. Rotated files are read, " +
    "too. WHEN is 5m ago or an ISO\ntime, local unless it has a zone.",
  options: {
    follow: {
      type: "boolean",
      short: "f",
      summary: "Go on with new lines until Ctrl-C",
    },
    lines: {
      type: "string",
      short: "n",
      value: "N",
      summary: "The last N lines, or all (default 100; with -f 10)",
    },
    grep: {
      type: "string",
      short: "g",
      value: "REGEXP",
      summary: "Only lines that match; an upper-case letter minds case",
    },
    context: {
      type: "string",
      short: "C",
      value: "N",
      summary: "With N lines around each match",
    },
    since: { type: "string", value: "WHEN", summary: "Only from then on" },
    until: { type: "string", value: "WHEN", summary: "Only up to then" },
  },
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux logs -f api", "Follow one task"],
    ["taskmux logs -g 'error|panic' -C 5", "Search all of them"],
    ["taskmux logs worker --since 5m -n all --json", "For a program"],
  ],
  async run(context, { values, positionals }) {
    const { config } = projectScope(context);
    const now = systemClock.now();
    const lines = values.lines === "all" ? null : wholeNumber(
      "lines",
      values.lines,
    ) ?? (values.follow ? DEFAULT_FOLLOW_LINES : DEFAULT_LINES);
    const query = {
      tasks: [...positionals],
      lines,
      grep: values.grep,
      context: wholeNumber("context", values.context) ?? 0,
      since: pointInTime("since", values.since, now),
      until: pointInTime("until", values.until, now),
    };
    return values.follow
      ? await follow(context, config, query)
      : await read(context, config, query);
  },
});

/** The time before a line of the file, which is UTC without saying so. */
const STAMP_REGEXP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}) /;

/** What is asked, whoever answers. */
interface Query {
  readonly tasks: string[];
  readonly lines: number | null;
  readonly grep: string | null;
  readonly context: number;
  readonly since: string | null;
  readonly until: string | null;
}

async function read(
  context: Context,
  config: string,
  query: Query,
): Promise<number> {
  const { output } = context;
  const isLong = query.lines === null || query.lines > MAX_LINES_OVER_SOCKET;
  // The daemon answers in plain text; only the files have the colours for a terminal.
  if (!isLong && !output.isTerminal) {
    const answer = await askDaemon(context, config, query);
    if (answer !== null) return await print(context, answer);
  }
  const { logAnswer, readLogFiles } = await import("../../offline/logs.ts");
  const { safePage } = await import("../redaction.ts");
  try {
    const page = await safePage(
      context,
      config,
      readLogFiles(context, { config, ...query }),
    );
    if (!output.isTerminal) {
      return await print(context, logAnswer(page, query.tasks));
    }
    const printer = printerOf(context, query);
    await output.lines(page.records.map((record) => printer.line(record)));
    return EXIT.ok;
  } catch (error) {
    if (!isConfigError(error)) throw error;
    // A daemon still knows the project as it was before its file broke.
    const answer = await askDaemon(context, config, query);
    if (answer === null) throw error;
    return await print(context, answer);
  }
}

/** Null if there is no daemon, or none that answers. */
async function askDaemon(
  context: Context,
  config: string,
  query: Query,
): Promise<Result<"log.read"> | null> {
  try {
    await using client = await findDaemon(context);
    if (client === null) return null;
    return await ask(client, "log.read", { scope: { config }, ...query });
  } catch (error) {
    const isSilent = error instanceof TaskmuxError && error.code === "E600";
    if (isSilent) return null;
    throw error;
  }
}

async function print(
  { output }: Context,
  answer: Result<"log.read">,
): Promise<number> {
  const printer = new LogPrinter({
    paint: output.paint,
    colours: false,
    withTask: true,
  });
  await output.answer(
    answer,
    () =>
      answer.lines.map((line) =>
        typeof line === "string"
          ? printer.text(line.replace(STAMP_REGEXP, "$1Z "))
          : printer.line(line)
      ),
  );
  return EXIT.ok;
}

async function follow(
  context: Context,
  config: string,
  query: Query,
): Promise<number> {
  const { output } = context;
  const printer = printerOf(context, query);
  for await (const record of followed(context, config, query)) {
    const { ts, task, text } = record;
    if (output.json) await output.value({ ts, task, text: printer.text(text) });
    else await output.lines([printer.line(record)]);
    if (output.isClosed) break;
  }
  return EXIT.ok;
}

/** From the files, which outlive every daemon; from a daemon if only that knows the project. */
async function* followed(
  context: Context,
  config: string,
  query: Query,
): AsyncGenerator<PrintedRecord, void, void> {
  const { followLogFiles } = await import("../../offline/logs.ts");
  const { safeLines } = await import("../redaction.ts");
  const { signal } = new AbortController();
  try {
    const read = followLogFiles(context, { config, ...query }, signal);
    yield* safeLines(context, config, read);
  } catch (error) {
    if (!isConfigError(error)) throw error;
    await using client = await findDaemon(context);
    if (client === null) throw error;
    yield* client.stream("log.follow", { scope: { config }, ...query });
    throw new TaskmuxError(
      "E600",
      "Cannot follow logs any further: the daemon has ended, and nobody else knows the tasks while the file is broken",
      { hint: "taskmux check", cause: error },
    );
  }
}

function printerOf({ output }: Context, { tasks }: Query): LogPrinter {
  return new LogPrinter({
    paint: output.paint,
    colours: output.isTerminal,
    withTask: tasks.length !== 1,
  });
}

function isConfigError(error: unknown): boolean {
  return error instanceof TaskmuxError &&
    ERROR_CODES[error.code].exit === EXIT.config;
}
