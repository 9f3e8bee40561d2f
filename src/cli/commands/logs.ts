/**
 * `taskmux logs`
 *
 * @module
 */

import type { Result } from "../../contract/mod.ts";
import { defaultLines } from "../../domain/default_lines.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { ERROR_CODES, EXIT } from "../../domain/error_codes.ts";
import {
  LOG_LEVELS,
  type LogLevel,
  requireLevel,
} from "../../domain/log_levels.ts";
import { systemClock } from "../../kit/clock.ts";
import {
  BUDGET_OPTIONS,
  budgetBytes,
  type BudgetValues,
  checkNotFollowed,
} from "../budget_option.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { ask, askNews, findDaemon } from "../daemon_access.ts";
import {
  PLACE_OPTIONS,
  type PlaceReached,
  readFromPlace,
} from "../log_place.ts";
import { pointInTime, wholeNumber } from "../option_value.ts";
import { projectScope } from "../project.ts";
import { answerLines } from "../render/log_marks.ts";
import { LogPrinter, type PrintedRecord } from "../render/logs.ts";

/** Lines shown before following. */
const DEFAULT_FOLLOW_LINES = 10;

/** Longer answers are read from the files: they would not fit the frames of the socket. */
const MAX_LINES_OVER_SOCKET = 2_000;

/** What came after a cursor is asked of the daemon first, which is three times as fast, unless it is more than this. */
const MAX_POLLED_LINES = 200;

/** Prints output of tasks. */
export const logs = command({
  usage:
    "[TASK...] [-f] [-n N] [-g REGEXP] [-C N] [--level LEVEL] [--field KEY=VALUE] " +
    "[--since WHEN]\n[--until WHEN]",
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
      summary:
        "The last N, or all (default 100, with -f 10); after a cursor the first N",
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
    level: {
      type: "string",
      value: "LEVEL",
      summary: `Only that and worse: ${LOG_LEVELS.join(", ")}`,
    },
    field: {
      type: "string",
      multiple: true,
      value: "KEY=VALUE",
      summary: "Only JSON and logfmt lines with this field",
    },
    since: { type: "string", value: "WHEN", summary: "Only from then on" },
    until: { type: "string", value: "WHEN", summary: "Only up to then" },
    ...PLACE_OPTIONS,
    ...BUDGET_OPTIONS,
  },
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux logs -f api", "Follow one task"],
    ["taskmux logs -g 'error|panic' -C 5", "Search all of them"],
    ["taskmux logs worker --since 5m -n all --json", "For a program"],
    [
      "taskmux logs --cursor-name me --max-tokens 2000",
      "What is new, in short",
    ],
  ],
  async run(context, { values, positionals }) {
    const { config } = projectScope(context);
    const now = systemClock.now();
    const query = {
      tasks: [...positionals],
      lines: wantedLines(values, false),
      grep: values.grep,
      level: levelOption(values.level),
      fields: [...values.field],
      context: wholeNumber("context", values.context) ?? 0,
      since: pointInTime("since", values.since, now),
      until: pointInTime("until", values.until, now),
    };
    if (values.follow) {
      checkNotFollowed(values, NOT_FOLLOWED);
      return await follow(context, config, query);
    }
    const maxBytes = budgetBytes(values);
    const place = { values, config };
    return await readFromPlace(context, place, async (cursor) => {
      const lines = wantedLines(values, cursor !== null);
      const asked = { ...query, lines, cursor };
      return maxBytes === null
        ? await read(context, config, asked)
        : await readBudgeted(context, config, { ...asked, maxBytes });
    });
  },
});

/** Options that need an end of the answer. */
const NOT_FOLLOWED = [
  ...Object.keys(PLACE_OPTIONS),
  ...Object.keys(BUDGET_OPTIONS),
];

/** Null = all. What is read from a place on, or found, is not cut off unless that is asked for. */
function wantedLines(
  values: BudgetValues & {
    readonly lines: string | null;
    readonly follow: boolean;
    readonly grep: string | null;
    readonly level: string | null;
    readonly field: readonly string[];
    readonly since: string | null;
  },
  hasPlace: boolean,
): number | null {
  if (values.lines === "all") return null;
  const given = wholeNumber("lines", values.lines);
  if (given !== null) return given;
  if (values.follow) return DEFAULT_FOLLOW_LINES;
  if (hasPlace) return null;
  return defaultLines({
    hasBudget: budgetBytes(values) !== null,
    isSelective: values.grep !== null || values.level !== null ||
      values.field.length > 0 || values.since !== null,
  });
}

function levelOption(text: string | null): LogLevel | null {
  return text === null ? null : requireLevel(text);
}

/** What is asked, whoever answers. */
interface Query {
  readonly tasks: string[];
  readonly lines: number | null;
  readonly grep: string | null;
  readonly level: LogLevel | null;
  readonly fields: string[];
  readonly context: number;
  readonly since: string | null;
  readonly until: string | null;
  readonly cursor?: string | null;
}

/** Whether what came after some place is asked for, which is little if it is asked for often. */
function isPoll({ cursor, lines }: Query): boolean {
  return typeof cursor === "string" && lines === null;
}

/** Whether the answer fits into a frame. */
function isShort({ lines }: Query): boolean {
  return lines !== null && lines <= MAX_LINES_OVER_SOCKET;
}

async function read(
  context: Context,
  config: string,
  query: Query,
): Promise<PlaceReached> {
  const { output } = context;
  // The daemon answers in plain text without gaps; only the files have the colours for a terminal.
  const isPlain = output.json || (!output.isTerminal && query.context === 0);
  if (isPoll(query) && isPlain) {
    const lines = MAX_POLLED_LINES;
    const answer = await askDaemon(context, config, { ...query, lines });
    if (answer !== null && !answer.has_more) {
      return await print(context, answer);
    }
  } else if (isShort(query) && isPlain) {
    const answer = await askDaemon(context, config, query);
    if (answer !== null) return await print(context, answer);
  }
  await askNews(context, { config });
  try {
    const { printLogFiles } = await import("../print_log_files.ts");
    return await printLogFiles(
      context,
      { config, ...query },
      printerOf(context, query),
    );
  } catch (error) {
    if (!isConfigError(error)) throw error;
    // A daemon still knows the project as it was before its file broke.
    const answer = await askDaemon(context, config, query);
    if (answer === null) throw error;
    return await print(context, answer);
  }
}

async function readBudgeted(
  context: Context,
  config: string,
  { maxBytes, ...query }: Query & { readonly maxBytes: number },
): Promise<PlaceReached> {
  const asked = (max_bytes: number) =>
    askDaemon(context, config, { ...query, max_bytes });
  const { json } = context.output;
  // What is added for a caller is not in the daemon's count.
  const isCounted = json && context.manner.caller === undefined;
  if (isCounted && (isPoll(query) || isShort(query))) {
    const answer = await asked(maxBytes);
    if (answer !== null) return await print(context, answer);
  }
  await askNews(context, { config });
  const [
    { readLogFilesIntoBudget },
    { printAskedBudget, printBudgeted },
    { recordRedactor },
  ] = await Promise.all([
    import("../../offline/budgeted_logs.ts"),
    import("../budgeted_logs.ts"),
    import("../redaction.ts"),
  ]);
  try {
    const params = { config, ...query };
    const secrets = await recordRedactor(context, config);
    const limit = { maxBytes, secrets };
    const page = await readLogFilesIntoBudget(context, params, limit);
    return await printBudgeted(context, page, { ...query, maxBytes });
  } catch (error) {
    if (!isConfigError(error)) throw error;
    const reached = await printAskedBudget(context, maxBytes, asked);
    if (reached === null) throw error;
    return reached;
  }
}

/** Null if there is no daemon, or none that answers. */
async function askDaemon(
  context: Context,
  config: string,
  query: Query & { readonly max_bytes?: number },
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
): Promise<PlaceReached> {
  const printer = new LogPrinter({
    paint: output.paint,
    colours: false,
    withTask: true,
  });
  await output.answer(answer, () => answerLines(answer, printer));
  return answer;
}

async function follow(
  context: Context,
  config: string,
  query: Query,
): Promise<number> {
  const { output } = context;
  const printer = printerOf(context, query);
  await output.warnEndless(
    "taskmux logs --cursor-name NAME tells what is new",
  );
  for await (const record of followed(context, config, query)) {
    const { ts, task, text } = record;
    if (output.json) await output.value({ ts, task, text: printer.text(text) });
    else await output.lines(printer.lines([record]));
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
