/**
 * The answer to "what went wrong?", and how it is made to fit a budget.
 *
 * @module
 */

import { TaskmuxError } from "./error.ts";

/** One error, as {@linkcode ErrorAnswer} tells it. */
export interface ErrorGroupView {
  readonly fingerprint: string;
  readonly kind: string;
  readonly task: string;
  readonly message: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
  readonly frame: {
    readonly file: string;
    readonly line: number | null;
    readonly column: number | null;
    readonly function: string | null;
  } | null;
  readonly sample: readonly string[];
}

/** The answer of `log.errors`. */
export interface ErrorAnswer {
  readonly ok: true;
  /** Newest first. */
  readonly groups: readonly ErrorGroupView[];
  /** Groups that are not in the answer, the oldest ones. */
  readonly omitted_groups: number;
  readonly cursor: string;
  readonly dropped: number;
  readonly scanned: {
    readonly lines: number;
    readonly bytes: number;
    readonly skipped_bytes: number;
    readonly since: string | null;
  };
}

/** Most lines of each sample, in the order in which they are given up. */
const SAMPLE_LINES: readonly number[] = [8, 5, 3, 0];

/** Longest message of a group without a sample when room is short, in characters. */
const SHORT_MESSAGE_LENGTH = 120;

/**
 * The answer with as much as fits: first samples become shorter, then the oldest groups go.
 *
 * @param sizeOf The bytes of an answer as it will be printed, everything around it included.
 * @throws {TaskmuxError} E500 if not even an answer without groups fits.
 */
export function fitErrors(
  answer: ErrorAnswer,
  maxBytes: number,
  sizeOf: (answer: ErrorAnswer) => number,
): ErrorAnswer {
  if (sizeOf(answer) <= maxBytes) return answer;
  for (const lines of SAMPLE_LINES) {
    const shorter = withSamples(answer, lines);
    if (sizeOf(shorter) <= maxBytes) return shorter;
  }
  const short = shortened(answer);
  let low = 0;
  let high = short.groups.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (sizeOf(firstGroups(short, middle)) <= maxBytes) low = middle;
    else high = middle - 1;
  }
  const fitting = firstGroups(short, low);
  const size = sizeOf(fitting);
  if (size > maxBytes) throw tooSmall(maxBytes, size);
  return fitting;
}

/** The answer with only its newest groups. */
export function firstGroups(answer: ErrorAnswer, count: number): ErrorAnswer {
  const { groups } = answer;
  if (groups.length <= count) return answer;
  return {
    ...answer,
    groups: groups.slice(0, count),
    omitted_groups: answer.omitted_groups + groups.length - count,
  };
}

function withSamples(answer: ErrorAnswer, lines: number): ErrorAnswer {
  return {
    ...answer,
    groups: answer.groups.map((group) => ({
      ...group,
      sample: shortSample(group, lines),
    })),
  };
}

/** The lines that say more than the group does beside them: those around its place in the source, then the first ones. */
function shortSample(
  { sample, message, frame }: ErrorGroupView,
  count: number,
): readonly string[] {
  if (sample.length <= count) return sample;
  const place = frame === null
    ? -1
    : sample.findIndex((line) => line.includes(frame.file));
  const rest = [...sample.keys()].filter((index) =>
    !sample[index]!.startsWith("… ") && sample[index]!.trim() !== message
  );
  const ranked = place === -1 ? rest : [place, place + 1, place + 2, ...rest];
  return [...new Set(ranked)].filter((index) => index < sample.length)
    .slice(0, count).sort((a, b) => a - b).map((index) => sample[index]!);
}

function shortened(answer: ErrorAnswer): ErrorAnswer {
  return {
    ...answer,
    groups: answer.groups.map((group) => ({
      ...group,
      sample: [],
      message: group.message.length <= SHORT_MESSAGE_LENGTH
        ? group.message
        : `${group.message.slice(0, SHORT_MESSAGE_LENGTH - 1)}…`,
    })),
  };
}

function tooSmall(maxBytes: number, needed: number): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot answer in ${maxBytes} bytes: an answer without any error takes ${needed}`,
    {
      hint: `--max-bytes ${Math.max(1_000, needed * 2)}`,
      details: { max_bytes: maxBytes, needed },
    },
  );
}
