/**
 * The daemon's own log. Task output never goes here, nor do environments.
 *
 * @module
 */

import { getRotatingFileSink } from "@logtape/file";
import {
  configure,
  dispose,
  getLogger,
  getStreamSink,
  type Sink,
} from "@logtape/logtape";

/** Bytes at which `daemon.log` is rotated. */
const LOG_BYTES_MAX = 10 * 1024 * 1024;

/** Rotated files kept. */
const LOG_FILES_MAX = 5;

/** Writes messages as they are. */
export type DaemonLogger = Readonly<
  Record<"info" | "warning" | "error", (message: string) => void>
>;

/** A configured log. Dispose it last. */
export interface DaemonLog extends AsyncDisposable {
  readonly logger: DaemonLogger;
}

/**
 * Opens the log.
 *
 * @param also Gets each record too; for a daemon in the foreground.
 */
export async function openDaemonLog(
  path: string,
  also: WritableStream<Uint8Array> | null,
): Promise<DaemonLog> {
  (await Deno.open(path, { append: true, create: true, mode: 0o600 })).close();
  const sinks: Record<string, Sink> = {
    file: getRotatingFileSink(path, {
      maxSize: LOG_BYTES_MAX,
      maxFiles: LOG_FILES_MAX,
      // Each record at once: the last lines before a crash are the ones that matter.
      bufferSize: 0,
    }),
  };
  if (also !== null) sinks["stream"] = getStreamSink(also);
  await configure({
    sinks,
    loggers: [
      { category: "taskmux", lowestLevel: "info", sinks: Object.keys(sinks) },
      {
        category: ["logtape", "meta"],
        lowestLevel: "warning",
        sinks: ["file"],
      },
    ],
  });
  const logger = getLogger("taskmux");
  return {
    logger: {
      info: (message) => logger.info(asItIs(message)),
      warning: (message) => logger.warning(asItIs(message)),
      error: (message) => logger.error(asItIs(message)),
    },
    [Symbol.asyncDispose]: () => dispose(),
  };
}

/** To the library `{name}` is a place for a value, and there is none. */
function asItIs(message: string): string {
  return message.replaceAll(/[{}]/g, "$&$&");
}
