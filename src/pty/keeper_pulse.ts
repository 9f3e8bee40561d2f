/**
 * Whether the keeper at the other end of a connection still answers.
 *
 * Most requests have no time limit of their own: to end a task may take a minute. So while somebody waits for an answer
 * a quiet keeper is asked a question that costs nothing, and one that does not answer even that counts as silent.
 *
 * @module
 */

import { Timer } from "../kit/timer.ts";

/** Pause between two looks. */
const LOOK_MS = 1_000;

/** Looks in a row that heard nothing until the keeper is asked. */
const ASK_AFTER_LOOKS = 2;

/**
 * Looks in a row that heard nothing until it counts as silent, far beyond what a busy machine needs. Counted, not
 * measured: this process may have stood still itself, and then has not read what was said.
 */
export const SILENT_AFTER_LOOKS = 12;

/** What a pulse is given. */
export interface KeeperPulseOptions {
  /** Whether somebody waits for an answer that has to come soon. */
  readonly isAwaited: () => boolean;
  /** Asks for a sign of life. */
  readonly ask: () => void;
  /** Told when the keeper falls silent, and when it is heard again. */
  readonly onChange: (isSilent: boolean) => void;
}

/** See the module. */
export class KeeperPulse implements Disposable {
  readonly #options: KeeperPulseOptions;
  readonly #look = new Timer(() => this.#onLook());
  #quietLooks = 0;

  constructor(options: KeeperPulseOptions) {
    this.#options = options;
  }

  /** Whether the keeper does not answer. */
  get isSilent(): boolean {
    return this.#quietLooks >= SILENT_AFTER_LOOKS;
  }

  /** Somebody waits: from now on the keeper is looked at, until nobody does. */
  await(): void {
    this.#look.arm(LOOK_MS);
  }

  /** The keeper said something. */
  heard(): void {
    const wasSilent = this.isSilent;
    this.#quietLooks = 0;
    if (wasSilent) this.#options.onChange(false);
  }

  [Symbol.dispose](): void {
    this.#look.disarm();
  }

  #onLook(): void {
    const { isAwaited, ask, onChange } = this.#options;
    if (!isAwaited() && !this.isSilent) {
      this.#quietLooks = 0;
      return;
    }
    this.#look.arm(LOOK_MS);
    if (this.isSilent) return;
    this.#quietLooks++;
    if (this.#quietLooks === ASK_AFTER_LOOKS) ask();
    if (this.isSilent) onChange(true);
  }
}
