/**
 * `taskmux events`
 *
 * @module
 */

import type { ParamsInput, Result } from "../../contract/mod.ts";
import { MAX_EVENTS_PER_ANSWER } from "../../contract/wire.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { systemClock } from "../../kit/clock.ts";
import { command, type Values } from "../command.ts";
import type { Context } from "../context.ts";
import { ask, findDaemon, unnamed } from "../daemon_access.ts";
import { oneOf, pointInTime, wholeNumber } from "../option_value.ts";
import { followEvents } from "../event_stream.ts";
import { projectScope } from "../project.ts";
import { eventLine, type EventRecord } from "../render/events.ts";

/** Events shown unless something else is asked for. */
const DEFAULT_COUNT = 50;

const OPTIONS = {
  task: {
    type: "string",
    value: "TASK",
    multiple: true,
    summary: "Only of this task; may be given again",
  },
  type: {
    type: "string",
    value: "TYPE",
    multiple: true,
    summary: "Only of this type, such as task_exited; may be given again",
  },
  level: {
    type: "string",
    value: "LEVEL",
    summary: "Only error, or warning and worse, or info and worse",
  },
  since: {
    type: "string",
    value: "WHEN",
    summary: "Only after 5m ago, or an ISO time",
  },
  until: { type: "string", value: "WHEN", summary: "Only up to then" },
  cursor: {
    type: "string",
    value: "CURSOR",
    summary: "Exactly what came after the answer with that cursor",
  },
  lines: {
    type: "string",
    short: "n",
    value: "N",
    summary: "The last N, or all (default 50); with --cursor the first N",
  },
  limit: { type: "string", value: "N", summary: "The same as --lines" },
  follow: {
    type: "boolean",
    short: "f",
    summary: "Go on with what happens, also after the daemon was replaced",
  },
  session: {
    type: "string",
    value: "PROJECT",
    summary: "Of the project with this id, from anywhere",
  },
  all: { type: "boolean", summary: "Of every project" },
} as const;

/** Lists events. */
export const events = command({
  usage: "[--task TASK]... [--type TYPE]... [--level LEVEL] [--since WHEN] " +
    "[--until WHEN]\n         [--cursor CURSOR] [-n N] [-f] [--session PROJECT | --all]",
  about: "Events of taskmux itself concern every project and are always " +
    "among them, unless a task is named.",
  options: OPTIONS,
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux events", "What happened last"],
    ["taskmux events --task api --since 1h", "To one task in the last hour"],
    ["taskmux events --level warning --all", "What went wrong anywhere"],
    ["taskmux events --cursor 46 --json", "What is new since that answer"],
  ],
  async run(context, { values }) {
    const question = questionOf(context, values);
    const { output } = context;
    const withSession = values.all;
    if (values.follow) {
      return await follow(context, question, printer(context, withSession));
    }
    const result = await read(context, question);
    await output.answer(
      result,
      () =>
        result.events.length === 0 ? [NOTHING] : result.events.map(
          (event) => eventLine(event, { paint: output.paint, withSession }),
        ),
    );
    if (question.cursor !== null) {
      await output.notes([`Next: --cursor ${result.cursor}`]);
    }
    return EXIT.ok;
  },
});

const NOTHING = "No events found";

/** What is asked. `limit`: 0 = all; null = as many as usual. */
type Question = Omit<ParamsInput<"event.list">, "limit" | "cursor"> & {
  readonly cursor: string | null;
  readonly limit: number | null;
};

function questionOf(
  context: Context,
  values: Values<typeof OPTIONS>,
): Question {
  const { session, all, cursor } = values;
  if (all && session !== null) {
    throw new TaskmuxError(
      "E500",
      "Cannot use --session and --all together: one is a project, the other all",
      { hint: `taskmux events --session ${session}` },
    );
  }
  const now = systemClock.now();
  const count = values.lines ?? values.limit;
  const limit = count === "all" ? 0 : wholeNumber("lines", count);
  const question = {
    ...all
      ? {}
      : { scope: session === null ? projectScope(context) : { session } },
    tasks: [...values.task],
    types: [...values.type],
    level: oneOf("level", values.level === "warn" ? "warning" : values.level, [
      "error",
      "warning",
      "info",
    ]),
    since: pointInTime("since", values.since, now),
    until: pointInTime("until", values.until, now),
    cursor,
    limit,
  };
  if (!values.follow) return question;
  if (question.until !== null) throw endless("--until");
  if (cursor !== null && limit !== null) throw endless("--lines with --cursor");
  return question;
}

function endless(option: string): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot use ${option} and --follow together: following has no end`,
    { hint: "Leave one of them out" },
  );
}

/** The answer: of the daemon if there is one, in as many parts as need be, else from what is on disk. */
async function read(
  context: Context,
  question: Question,
): Promise<Result<"event.list">> {
  await using client = await findDaemon(context);
  const isForward = question.cursor !== null;
  // After a cursor nothing may be left out unless it is asked for.
  const limit = question.limit ?? (isForward ? 0 : DEFAULT_COUNT);
  if (client === null) {
    return await readFromDisk(context, { ...question, limit });
  }
  if (limit > 0 && limit <= MAX_EVENTS_PER_ANSWER) {
    return await ask(client, "event.list", { ...question, limit });
  }
  const events: EventRecord[] = [];
  let cursor = question.cursor ?? "0";
  while (true) {
    const page = await ask(client, "event.list", {
      ...question,
      cursor,
      limit: isForward && limit > 0
        ? Math.min(limit - events.length, MAX_EVENTS_PER_ANSWER)
        : MAX_EVENTS_PER_ANSWER,
    });
    events.push(...page.events);
    cursor = page.cursor;
    if (!isForward && limit > 0) {
      events.splice(0, Math.max(0, events.length - limit));
    }
    const isFull = isForward && limit > 0 && events.length >= limit;
    if (!page.has_more || isFull) {
      return { ...page, events, count: events.length };
    }
  }
}

/** Events tell what probes and hooks printed. */
async function readFromDisk(
  context: Context,
  params: ParamsInput<"event.list">,
): Promise<Result<"event.list">> {
  const [{ readEvents, configsOf }, { safeAnswerOfAll }] = await Promise.all([
    import("../../offline/events.ts"),
    import("../redaction.ts"),
  ]);
  const answer = await readEvents(context, params);
  const configs = await configsOf(context, params.scope);
  return await safeAnswerOfAll(context, configs, answer);
}

type Print = (event: EventRecord) => Promise<void>;

function printer({ output }: Context, withSession: boolean): Print {
  return async (event) => {
    if (output.json) await output.value(event);
    else {
      await output.lines([
        eventLine(event, { paint: output.paint, withSession }),
      ]);
    }
  };
}

/** What happened, then what happens. From a daemon, since without one nothing does. */
async function follow(
  named: Context,
  question: Question,
  print: Print,
): Promise<number> {
  // A stream has no place for what is new to its caller.
  const context = unnamed(named);
  await using client = await findDaemon(context);
  if (client === null) {
    throw new TaskmuxError(
      "E600",
      "Cannot follow events: the daemon is not running",
      { hint: "taskmux daemon start" },
    );
  }
  await context.output.warnEndless(
    "taskmux events --cursor CURSOR tells what is new",
  );
  let { cursor } = question;
  if (cursor === null) {
    const past = await read(context, question);
    for (const event of past.events) await print(event);
    ({ cursor } = past);
  }
  const { limit: _limit, until: _until, ...filter } = question;
  const news = followEvents(context, client, { ...filter, cursor });
  for await (const item of news) {
    if ("event" in item) await print(item as EventRecord);
    else if (context.json) await context.output.value(item);
    else await context.output.notes([`(${item["gap"]} events were missed)`]);
    if (context.output.isClosed) break;
  }
  return EXIT.ok;
}
