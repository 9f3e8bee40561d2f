/**
 * Why the keeper does not do what was asked.
 *
 * @module
 */

import type { KeeperError } from "../pty/protocol.ts";

/** Thrown by what serves a request; becomes the error of the reply. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: KeeperError["code"];

  constructor(code: KeeperError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
