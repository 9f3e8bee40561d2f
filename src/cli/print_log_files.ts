/**
 * A long answer of `taskmux logs`, printed while it is read.
 *
 * @module
 */

import { EXIT } from "../domain/error_codes.ts";
import type { RecordRedactor } from "../domain/record_redactor.ts";
import {
  isRecords,
  lineOf,
  type LogParams,
  type LogPiece,
  recordsOf,
  streamLogFiles,
} from "../offline/logs.ts";
import type { Context } from "./context.ts";
import { NOWHERE, type PlaceReached } from "./log_place.ts";
import type { LogPrinter } from "./render/logs.ts";
import { withSearchMeter } from "./search_meter.ts";
import { recordRedactor } from "./redaction.ts";
import { StreamedAnswer } from "./streamed_answer.ts";

/** Blocks are printed together up to about so many characters: each write costs a turn of the event loop and a thread. */
const PRINTED_LENGTH = 256 * 1024;

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
  const reached = await withSearchMeter(output, async (meter, signal) => {
    const secrets = await recordRedactor(context, params.config);
    await using stream = streamLogFiles(context, { ...params, signal }, {
      onProgress: meter.update.bind(meter),
      blocks: true,
    });
    let text = "";
    const print = async (): Promise<void> => {
      await output.piece(text);
      text = "";
    };
    while (!output.isClosed) {
      const { value, done } = await stream.next();
      if (done) {
        await print();
        return { ...value, exit: EXIT.ok };
      }
      await meter.hide();
      const piece = safePiece(value, secrets);
      if (!isRecords(piece)) text += printer.block(piece);
      else {
        await print();
        await output.lines(printer.lines(piece));
      }
      if (text.length >= PRINTED_LENGTH) await print();
    }
    return NOWHERE;
  });
  return reached ?? { ...NOWHERE, exit: EXIT.interrupted };
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
  await using stream = streamLogFiles(context, params, {
    blocks: isOnlyTask,
  });
  try {
    while (!output.isClosed) {
      const { value, done } = await stream.next();
      if (done) {
        const task = isOnlyTask ? { task: tasks[0] } : {};
        await answer.end({ ok: true, ...task, ...value });
        return { ...value, exit: EXIT.ok };
      }
      const piece = safePiece(value, secrets);
      if (isRecords(piece)) {
        await answer.add(piece.map((record) => lineOf(record, isOnlyTask)));
      } else await answer.addLines(piece.text);
    }
    return NOWHERE;
  } catch (error) {
    return { ...NOWHERE, exit: await answer.fail(error) };
  }
}

/** A piece without secrets. A block that holds none stays one. */
function safePiece(piece: LogPiece, secrets: RecordRedactor | null): LogPiece {
  if (secrets === null) return piece;
  const isHarmless = !isRecords(piece) &&
    secrets.of(piece.task).areHarmless(piece.text, { isVisible: true });
  return isHarmless ? piece : secrets.lines(recordsOf(piece));
}
