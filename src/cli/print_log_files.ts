/**
 * A long answer of `taskmux logs`, printed while it is read.
 *
 * @module
 */

import { EXIT } from "../domain/error_codes.ts";
import { systemClock } from "../kit/clock.ts";
import { lineOf, type LogParams, streamLogFiles } from "../offline/logs.ts";
import type { Context } from "./context.ts";
import { NOWHERE, type PlaceReached } from "./log_place.ts";
import type { LogPrinter } from "./render/logs.ts";
import { SearchMeter } from "./search_meter.ts";
import { recordRedactor } from "./redaction.ts";
import { StreamedAnswer } from "./streamed_answer.ts";

/**
 * Prints lines of the log files of a project. Memory does not grow with the answer.
 *
 * @throws {TaskmuxError} As `streamLogFiles`, unless a part of the answer is out already: then it ends with the error.
 */
export async function printLogFiles(
  context: Context,
  params: LogParams,
  printer: LogPrinter,
): Promise<PlaceReached> {
  return context.output.json
    ? await printJson(context, params)
    : await printText(context, params, printer);
}

async function printText(
  context: Context,
  params: LogParams,
  printer: LogPrinter,
): Promise<PlaceReached> {
  const { output } = context;
  await using meter = new SearchMeter(output, systemClock);
  const onProgress = meter.update.bind(meter);
  const interrupted = new AbortController();
  const interrupt = (): void => {
    // Another one ends the process.
    Deno.removeSignalListener("SIGINT", interrupt);
    interrupted.abort();
  };
  // Elsewhere nothing has to be tidied up.
  if (output.isTerminal) Deno.addSignalListener("SIGINT", interrupt);
  try {
    const { signal } = interrupted;
    const secrets = await recordRedactor(context, params.config);
    await using stream = streamLogFiles(context, { ...params, signal }, {
      onProgress,
    });
    while (!output.isClosed) {
      const { value, done } = await stream.next();
      if (done) return { ...value, exit: EXIT.ok };
      await meter.hide();
      await output.lines(printer.lines(secrets?.lines(value) ?? value));
    }
    return NOWHERE;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    return { ...NOWHERE, exit: EXIT.interrupted };
  } finally {
    if (output.isTerminal) Deno.removeSignalListener("SIGINT", interrupt);
  }
}

async function printJson(
  context: Context,
  params: LogParams,
): Promise<PlaceReached> {
  const { output } = context;
  const { tasks = [] } = params;
  const answer = new StreamedAnswer(output, "lines");
  const isOnlyTask = tasks.length === 1;
  const secrets = await recordRedactor(context, params.config);
  await using stream = streamLogFiles(context, params, {});
  try {
    while (!output.isClosed) {
      const { value, done } = await stream.next();
      if (done) {
        const task = isOnlyTask ? { task: tasks[0] } : {};
        await answer.end({ ok: true, ...task, ...value });
        return { ...value, exit: EXIT.ok };
      }
      const safe = secrets?.lines(value) ?? value;
      await answer.add(safe.map((record) => lineOf(record, isOnlyTask)));
    }
    return NOWHERE;
  } catch (error) {
    return { ...NOWHERE, exit: await answer.fail(error) };
  }
}
