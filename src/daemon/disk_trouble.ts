/**
 * What cannot be written into the state folder at the moment: one event when that begins, one when it is over, and a
 * warning meanwhile that says what to do.
 *
 * @module
 */

import { remedyFor } from "../domain/disk_error.ts";
import type { NewEvent } from "../domain/event.ts";
import type { Clock } from "../kit/clock.ts";
import { Timer } from "../kit/timer.ts";

/** Trouble is over when all went well for so long: a disk that is almost full takes a little now and then. */
const CALM_MS = 2_000;

/** What works with a {@linkcode DiskTrouble}. */
export interface DiskTroubleOptions {
  /** The state folder. */
  readonly home: string;
  readonly clock: Clock;
  emit(event: NewEvent): void;
}

/** A part that cannot be written. */
interface Part {
  /** As the operating system or SQLite says it. */
  readonly reason: string;
  /** What is lost for good. */
  readonly lost: number;
}

/** See the module. */
export class DiskTrouble implements Disposable {
  readonly #options: DiskTroubleOptions;
  readonly #parts = new Map<string, Part>();
  /** Not at once: who finds the trouble may be in the middle of storing an event. */
  readonly #begin = new Timer(() => this.#onBegin());
  readonly #end = new Timer(() => this.#onEnd());
  /** When it began, monotonic; null while nothing was told. */
  #since: number | null = null;
  #lost = 0;
  #isDisposed = false;

  constructor(options: DiskTroubleOptions) {
    this.#options = options;
  }

  /**
   * Notes that a part cannot be written, or with null that it can.
   *
   * @param lost Events and changes of this part that are lost for good.
   */
  note(part: string, message: string | null, lost = 0): void {
    if (this.#isDisposed) return;
    if (message === null) {
      this.#lost += lost;
      this.#parts.delete(part);
    } else this.#parts.set(part, { reason: reasonOf(message), lost });
    if (this.#parts.size > 0) {
      this.#end.disarm();
      if (this.#since === null) this.#begin.arm(0);
    } else if (this.#since !== null) this.#end.arm(CALM_MS);
  }

  /** What the user should know now: nothing, or one sentence. */
  warnings(): string[] {
    const [part] = this.#parts.values();
    if (part === undefined) return [];
    const lost = this.#lostNow();
    const kept = lost === 0
      ? "what happens waits in memory"
      : `${lost} changes are lost, the rest waits in memory`;
    return [
      `Cannot write to ${this.#options.home}: ${part.reason}; ${kept}. ${
        remedyFor(part.reason)
      }`,
    ];
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#begin.disarm();
    this.#end.disarm();
  }

  #lostNow(): number {
    return this.#parts.values().reduce((sum, { lost }) => sum + lost, 0) +
      this.#lost;
  }

  #onBegin(): void {
    const [part] = this.#parts.values();
    if (part === undefined || this.#since !== null) return;
    const { clock, emit, home } = this.#options;
    this.#since = clock.monotonic();
    emit({
      event: "disk_error",
      session: null,
      at: clock.now(),
      data: { reason: part.reason, path: home },
    });
  }

  #onEnd(): void {
    if (this.#since === null || this.#parts.size > 0) return;
    const { clock, emit, home } = this.#options;
    const lastedMs = clock.monotonic() - this.#since;
    const lost = this.#lost;
    this.#since = null;
    this.#lost = 0;
    emit({
      event: "disk_recovered",
      session: null,
      at: clock.now(),
      data: { path: home, seconds: Math.round(lastedMs / 1000), lost },
    });
  }
}

/** `Cannot use the state database: database or disk is full` → `database or disk is full`. */
function reasonOf(message: string): string {
  return message.replace(/^Cannot use the state database: /, "")
    .replace(/ \(os error .*$/s, "");
}
