/**
 * A long answer of `taskmux logs`, printed while it is read.
 *
 * @module
 */

import { EXIT } from "../domain/error_codes.ts";
import { systemClock } from "../kit/clock.ts";
import { lineOf, type LogParams, streamLogFiles } from "../offline/logs.ts";
import type { Context } from "./context.ts";
import type { LogPrinter } from "./render/logs.ts";
import { SearchMeter } from "./search_meter.ts";
import { StreamedAnswer } from "./streamed_answer.ts";

/**
 * Prints lines of the log files of a project. Memory does not grow with the answer.
 *
 * @returns The exit status.
 * @throws {TaskmuxError} As `streamLogFiles`, unless a part of the answer is out already: then it ends with the error.
 */
export async function printLogFiles(
  context: Context,
  params: LogParams,
  printer: LogPrinter,
): Promise<number> {
  return context.output.json
    ? await printJson(context, params)
    : await printText(context, params, printer);
}

async function printText(
  context: Context,
  params: LogParams,
  printer: LogPrinter,
): Promise<number> {
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
    const stream = streamLogFiles(context, { ...params, signal }, {
      onProgress,
    });
    for await (const records of stream) {
      await meter.hide();
      await output.lines(printer.lines(records));
      if (output.isClosed) break;
    }
    return EXIT.ok;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    return EXIT.interrupted;
  } finally {
    if (output.isTerminal) Deno.removeSignalListener("SIGINT", interrupt);
  }
}

async function printJson(
  context: Context,
  params: LogParams,
): Promise<number> {
  const { output } = context;
  const { tasks = [] } = params;
  const answer = new StreamedAnswer(output, "lines");
  const isOnlyTask = tasks.length === 1;
  await using stream = streamLogFiles(context, params, {});
  try {
    while (!output.isClosed) {
      const { value, done } = await stream.next();
      if (done) {
        const task = isOnlyTask ? { task: tasks[0] } : {};
        await answer.end({ ok: true, ...task, ...value });
        break;
      }
      await answer.add(value.map((record) => lineOf(record, isOnlyTask)));
    }
    return EXIT.ok;
  } catch (error) {
    return await answer.fail(error);
  }
}
