/**
 * `taskmux events`
 *
 * @module
 */

import type { ParamsInput } from "../../contract/mod.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { systemClock } from "../../kit/clock.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { ask, askOrRead, findDaemon } from "../daemon_access.ts";
import { pointInTime, wholeNumber } from "../option_value.ts";
import { followEvents } from "../event_stream.ts";
import { projectScope } from "../project.ts";
import { eventLine, type EventRecord } from "../render/events.ts";

/** Lists events. */
export const events = command({
  usage: "[--task TASK] [--type TYPE]... [--since WHEN] [-n N] [-f] [--all]",
  options: {
    task: { type: "string", value: "TASK", summary: "Only of this task" },
    type: {
      type: "string",
      value: "TYPE",
      multiple: true,
      summary: "Only of this type, such as task_exited",
    },
    since: {
      type: "string",
      value: "WHEN",
      summary: "Only after 5m ago, or an ISO time",
    },
    lines: {
      type: "string",
      short: "n",
      value: "N",
      summary: "The last N (default 50, 0 = all)",
    },
    limit: { type: "string", value: "N", summary: "The same as --lines" },
    follow: {
      type: "boolean",
      short: "f",
      summary: "Go on with what happens, also after the daemon was replaced",
    },
    all: { type: "boolean", summary: "Of every project" },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux events", "What happened last"],
    ["taskmux events --task api --since 1h", "To one task in the last hour"],
    ["taskmux events --type task_exited --all", "Every exit anywhere"],
  ],
  async run(context, { values }) {
    const scope = values.all ? undefined : projectScope(context);
    const filter = {
      ...scope === undefined ? {} : { scope },
      task: values.task,
      types: [...values.type],
    };
    const limit = wholeNumber("lines", values.lines ?? values.limit) ?? 50;
    const since = pointInTime("since", values.since, systemClock.now());
    const params = { ...filter, since, limit };
    const { output } = context;
    if (values.follow) {
      return await follow(context, params, printer(context, values.all));
    }
    const result = await askOrRead(
      context,
      ["event.list", params],
      async () => {
        const { readEvents } = await import("../../offline/events.ts");
        return await readEvents(context, params);
      },
    );
    await output.answer(
      result,
      () =>
        result.events.length === 0 ? [NOTHING] : result.events.map(
          (event) =>
            eventLine(event, { paint: output.paint, withSession: values.all }),
        ),
    );
    return EXIT.ok;
  },
});

const NOTHING = "No events found; --all also shows those of taskmux itself";

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
  context: Context,
  params: ParamsInput<"event.list">,
  print: Print,
): Promise<number> {
  await using client = await findDaemon(context);
  if (client === null) {
    throw new TaskmuxError(
      "E600",
      "Cannot follow events: the daemon is not running",
      { hint: "taskmux daemon start" },
    );
  }
  const { events, cursor } = await ask(client, "event.list", params);
  for (const event of events) await print(event);
  const { scope, task, types } = params;
  const news = followEvents(context, client, {
    ...scope === undefined ? {} : { scope },
    ...task === undefined ? {} : { task },
    ...types === undefined ? {} : { types },
    cursor,
  });
  for await (const item of news) {
    if ("event" in item) await print(item as EventRecord);
    else if (context.json) await context.output.value(item);
    else await context.output.notes([`(${item["gap"]} events were missed)`]);
    if (context.output.isClosed) break;
  }
  return EXIT.ok;
}
