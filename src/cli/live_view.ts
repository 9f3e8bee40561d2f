/**
 * What a terminal shows while something is waited for: the progress of tasks at the bottom, their output above it.
 *
 * @module
 */

import type { Progress } from "../contract/wire.ts";
import { TaskmuxError } from "../domain/error.ts";
import { systemClock } from "../kit/clock.ts";
import type { Context } from "./context.ts";
import { withLiveBlock } from "./live_block.ts";
import { LogPrinter } from "./render/logs.ts";
import {
  addProgress,
  progressLines,
  startProgress,
} from "./render/progress.ts";

/** Lines of output kept for the next drawing; of more, the oldest are dropped. */
const MAX_HELD_LINES = 1_000;

/** What is shown. */
export interface LiveView {
  /** What is done, such as "Starting". */
  readonly title: string;
  /** The states that are waited for; those in which a task can stay by default. */
  readonly goal?: ReadonlySet<string>;
  /** Whose output is shown as it comes; none by default. */
  readonly logs?: {
    readonly config: string;
    readonly tasks: readonly string[];
  };
}

/** Told what the daemon tells while it works. */
export type OnProgress = (progress: Progress) => void;

/**
 * Does work, and shows on stderr how it goes if that is a terminal and the answer is for people. Nothing of the view is
 * left when the work is over but the lines that tasks printed.
 *
 * @param view Null = show nothing.
 * @param work Gets no function where nothing is shown.
 */
export async function withLiveView<T>(
  context: Context,
  view: LiveView | null,
  work: (onProgress?: OnProgress) => Promise<T>,
): Promise<T> {
  const { output } = context;
  if (!output.isLive || view === null) return await work();
  const { title, goal = null, logs } = view;
  let model = startProgress(title, systemClock.monotonic(), goal);
  const onProgress = (progress: Progress): void => {
    model = addProgress(model, progress, systemClock.monotonic());
  };
  const printed: string[] = [];
  const over = new AbortController();
  const following = logs === undefined || logs.tasks.length === 0
    ? Promise.resolve()
    : follow(context, logs, { lines: printed, signal: over.signal });
  try {
    return await withLiveBlock({
      clock: systemClock,
      write: (text) => output.raw(text),
      above: () => printed.splice(0),
      render: () =>
        progressLines(model, {
          nowMs: systemClock.monotonic(),
          ...output.liveSize,
          paint: output.paintError,
        }),
    }, () => work(onProgress));
  } finally {
    over.abort();
    await following;
  }
}

/** Collects the output of tasks as it comes. Whoever waits gets an answer also where it cannot be read. */
async function follow(
  context: Context,
  { config, tasks }: NonNullable<LiveView["logs"]>,
  { lines, signal }: {
    readonly lines: string[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const printer = new LogPrinter({
    paint: context.output.paintError,
    colours: true,
    withTask: true,
  }, tasks);
  const { followLogFiles } = await import("../offline/logs.ts");
  const { safeLines } = await import("./redaction.ts");
  try {
    const records = followLogFiles(context, {
      config,
      tasks: [...tasks],
      lines: null,
      grep: null,
      context: 0,
      since: new Date(systemClock.now()).toISOString(),
      until: null,
    }, signal);
    for await (const record of safeLines(context, config, records)) {
      lines.push(printer.line(record));
      if (lines.length > MAX_HELD_LINES) lines.shift();
    }
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
  }
}
