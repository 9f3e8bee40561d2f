/**
 * The keys that leave a terminal which takes every key: found in what is typed, and never passed on.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";

/** The same as those of docker. */
export const DETACH_KEYS = "ctrl-p,ctrl-q";

/** What came of some typing. */
export interface Typed {
  /** What goes to the program. */
  readonly forward: Uint8Array;
  /** Whether the keys were typed. What came after them is dropped. */
  readonly isDetached: boolean;
}

/** Looks for the keys. */
export class DetachKeys {
  /** As they were given. */
  readonly text: string;
  readonly #keys: readonly number[];
  /** Keys of the sequence that were typed and held back. */
  #held = 0;

  /**
   * @param text Keys with commas between them: single characters, or `ctrl-` and a letter or one of `@ [ \ ] ^ _`.
   * @throws {TaskmuxError} E500 if it is none.
   */
  constructor(text: string) {
    this.text = text;
    this.#keys = text.split(",").map((key) => keyByte(key, text));
  }

  /** Takes what was typed. What may be the beginning of the keys is held back until the next. */
  feed(bytes: Uint8Array): Typed {
    const forward: number[] = [];
    for (const byte of bytes) {
      while (this.#held > 0 && byte !== this.#keys[this.#held]) {
        this.#fallBack(forward);
      }
      if (byte !== this.#keys[this.#held]) forward.push(byte);
      else if (++this.#held === this.#keys.length) {
        this.#held = 0;
        return { forward: Uint8Array.from(forward), isDetached: true };
      }
    }
    return { forward: Uint8Array.from(forward), isDetached: false };
  }

  /** Gives up the first of the held keys; what follows it may begin the sequence anew. */
  #fallBack(forward: number[]): void {
    const held = this.#keys.slice(0, this.#held);
    do forward.push(held.shift()!); while (
      !held.every((key, index) => key === this.#keys[index])
    );
    this.#held = held.length;
  }
}

function keyByte(key: string, text: string): number {
  const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key.toLowerCase())?.[1];
  if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
  const code = key.charCodeAt(0);
  if (key.length === 1 && code < 0x80) return code;
  throw new TaskmuxError(
    "E500",
    `Cannot use "${text}" as keys: "${key}" is neither a character nor ctrl- with a letter`,
    { hint: `--detach-keys ${DETACH_KEYS}` },
  );
}
