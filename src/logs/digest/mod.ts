/**
 * The digest of errors: what went wrong in output, each error once.
 *
 * @module
 */

import { type CollectorOptions, ErrorCollector } from "./error_collector.ts";
import type { DigestLine, ErrorDigest } from "./error_group.ts";

export type {
  DigestLine,
  ErrorDigest,
  ErrorGroup,
  ErrorKind,
  SourceFrame,
} from "./error_group.ts";
export type { TaskErrors } from "./task_errors.ts";
export { ErrorCollector } from "./error_collector.ts";

/** Where the output comes from. */
export interface DigestOptions extends CollectorOptions {
  readonly signal?: AbortSignal;
}

/**
 * Finds the errors in output and groups them. One pass, bounded memory; a few seconds for a million lines.
 *
 * @param lines In the order of their log for each task; tasks may interleave.
 * @throws The reason of the signal when it aborts.
 */
export async function digestErrors(
  lines: AsyncIterable<DigestLine> | Iterable<DigestLine>,
  { signal, ...options }: DigestOptions,
): Promise<ErrorDigest> {
  const collector = new ErrorCollector(options);
  if (Symbol.iterator in lines) {
    for (const { task, ts, text } of lines) {
      signal?.throwIfAborted();
      collector.task(task).push(ts, text);
    }
  } else {
    for await (const { task, ts, text } of lines) {
      signal?.throwIfAborted();
      collector.task(task).push(ts, text);
    }
  }
  return collector.finish();
}
