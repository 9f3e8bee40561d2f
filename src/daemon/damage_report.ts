/**
 * Which files of the state folder were damaged, for `status` and as events: one of each file, however much was found out
 * about it while the daemon started.
 *
 * @module
 */

import type { NewEvent } from "../domain/event.ts";
import type { StateDamage } from "../store/state_file.ts";

/** What a report needs. */
export interface DamageReportOptions {
  now(): number;
  publish(event: NewEvent): void;
  log(message: string): void;
}

/** See the module. */
export class DamageReport {
  readonly #options: DamageReportOptions;
  readonly #found = new Map<string, StateDamage>();
  #isOpen = false;

  constructor(options: DamageReportOptions) {
    this.#options = options;
  }

  /** Sentences with the name of the file before them. They stand for as long as the daemon lives. */
  get warnings(): string[] {
    return [...this.#found].map(([name, { message }]) => `${name}: ${message}`);
  }

  /** Adds a finding. What is known of the file already stays before it. */
  add(damage: StateDamage): void {
    const name = damage.file.slice(damage.file.lastIndexOf("/") + 1);
    const before = this.#isOpen ? undefined : this.#found.get(name);
    this.#found.set(
      name,
      before === undefined ? damage : {
        ...before,
        aside: damage.aside ?? before.aside,
        message: `${before.message}; ${damage.message}`,
      },
    );
    if (this.#isOpen) this.#tell(name);
  }

  /** Whether a file was damaged. */
  has(name: string): boolean {
    return this.#found.has(name);
  }

  /** Tells what was found so far, and from now on everything at once. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    for (const name of this.#found.keys()) this.#tell(name);
  }

  #tell(name: string): void {
    const damage = this.#found.get(name);
    if (damage === undefined) return;
    const { aside, message, isLegacy } = damage;
    this.#options.log(message);
    if (isLegacy) return;
    this.#options.publish({
      event: "state_damaged",
      session: null,
      at: this.#options.now(),
      data: { file: name, aside, message },
    });
  }
}
