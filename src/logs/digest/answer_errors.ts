/**
 * The digest of logs as the answer of `log.errors`.
 *
 * @module
 */

import {
  type ErrorAnswer,
  firstGroups,
  fitErrors,
} from "../../domain/error_answer.ts";
import { digestLogs, type DigestQuery } from "./digest_logs.ts";

/** What bounds an answer. */
export interface AnswerBounds {
  /** Most groups. */
  readonly groups: number;
  /** Most bytes of the answer as JSON with its newline; null = no limit. */
  readonly max_bytes: number | null;
  /** Rather nothing than a part of a long range. */
  readonly wholly: boolean;
}

/** Reads and answers. Errors as of {@linkcode digestLogs}; E500 if `max_bytes` is less than any answer takes. */
export async function answerErrors(
  query: DigestQuery,
  { groups, max_bytes: maxBytes, wholly }: AnswerBounds,
): Promise<ErrorAnswer> {
  const digest = await digestLogs(query, { wholly });
  const answer = firstGroups({
    ok: true,
    groups: digest.groups,
    omitted_groups: digest.omittedGroups,
    cursor: digest.cursor,
    dropped: digest.dropped,
    scanned: {
      lines: digest.scanned.lines,
      bytes: digest.scanned.bytes,
      skipped_bytes: digest.scanned.skippedBytes,
      since: digest.scanned.since,
    },
  }, groups);
  return maxBytes === null ? answer : fitErrors(answer, maxBytes, jsonBytes);
}

/** The bytes of an answer as JSON with its newline. */
function jsonBytes(answer: ErrorAnswer): number {
  return new TextEncoder().encode(JSON.stringify(answer)).length + 1;
}
