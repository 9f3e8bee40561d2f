/**
 * Damages TOML texts the way editors, merges and bad disks do, the same way for the same seed.
 *
 * @module
 */

import { randomFrom } from "./random.ts";

/** Pieces that matter to a parser of TOML. */
const TOKENS = [
  "[",
  "]",
  "[[",
  "]]",
  "{",
  "}",
  "=",
  ".",
  ",",
  "#",
  '"',
  "'",
  '"""',
  "'''",
  "\\",
  "\\u0000",
  "\\ud800",
  "\n",
  "\r",
  "\r\n",
  "\t",
  "\0",
  "\uFEFF",
  "\ud800",
  "-",
  "+",
  "_",
  "0",
  "1e999",
  "0x",
  "inf",
  "nan",
  "true",
  "1979-05-27T07:32:00Z",
  "07:32:00",
  "99999999999999999999999",
  "tasks",
  "[tasks]\n",
  "[tasks.api]\n",
  "[[tasks.api]]\n",
  "tasks.api.command = 'x'\n",
  "__proto__ = 1\n",
  "constructor",
  "depends_on = ['api']\n",
  "hooks = { before_start = 'x' }\n",
  "(a+)+$",
] as const;

/** How often a text is damaged: most often once, which leaves much of it in order. */
const ROUNDS = [1, 1, 1, 1, 2, 3, 6] as const;

/** Longest piece that is deleted, doubled or moved. */
const MAX_PIECE_LENGTH = 200;

/** One element of a list that is not empty. */
export function pick<T>(list: readonly T[], random: () => number): T {
  return list[below(list.length, random)]!;
}

function below(limit: number, random: () => number): number {
  return Math.floor(random() * limit);
}

/**
 * Damaged copies of real texts, without end.
 *
 * @param corpus Texts to start from; not empty.
 * @param seed Same seed, same copies.
 */
export function* mutatedTexts(
  corpus: readonly string[],
  seed: number,
): Generator<string, never, void> {
  const random = randomFrom(seed);
  for (;;) {
    let text = pick(corpus, random);
    const rounds = pick(ROUNDS, random);
    for (let round = 0; round < rounds; round++) {
      text = mutated(text, { corpus, random });
    }
    yield text;
  }
}

function mutated(
  text: string,
  { corpus, random }: {
    readonly corpus: readonly string[];
    readonly random: () => number;
  },
): string {
  const at = below(text.length + 1, random);
  const end = Math.min(
    text.length,
    at + 1 + below(pick([2, 2, 10, MAX_PIECE_LENGTH], random), random),
  );
  const before = text.slice(0, at);
  const piece = text.slice(at, end);
  const after = text.slice(end);
  switch (below(8, random)) {
    case 0: {
      const flipped = (piece.charCodeAt(0) || 0) ^ (1 << below(8, random));
      return before + String.fromCharCode(flipped) + text.slice(at + 1);
    }
    case 1:
      return before + after;
    case 2:
      return before + piece + piece + after;
    case 3:
      return before + pick(TOKENS, random) + text.slice(at);
    case 4:
      return before + pick(TOKENS, random) + after;
    case 5: {
      const other = pick(corpus, random);
      const from = below(other.length, random);
      const length = below(MAX_PIECE_LENGTH, random);
      return before + other.slice(from, from + length) + after;
    }
    case 6:
      return swappedLines(text, random);
    default:
      return after + before;
  }
}

function swappedLines(text: string, random: () => number): string {
  const lines = text.split("\n");
  const one = below(lines.length, random);
  const other = below(lines.length, random);
  [lines[one], lines[other]] = [lines[other]!, lines[one]!];
  return lines.join("\n");
}
