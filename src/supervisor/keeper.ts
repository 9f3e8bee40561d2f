/**
 * The keeper as supervision sees it.
 *
 * @module
 */

import type { KeeperRequests } from "../pty/protocol.ts";

/** The keeper, whichever process that is at the moment. */
export interface Keeper {
  /**
   * Asks the keeper.
   *
   * @throws {TaskmuxError} E403 if the keeper refuses to spawn, E900 for other refusals or when it cannot be reached.
   */
  request<Op extends keyof KeeperRequests>(
    op: Op,
    params: KeeperRequests[Op]["params"],
    signal?: AbortSignal,
  ): Promise<KeeperRequests[Op]["result"]>;
  /** Identifies this boot of the machine. */
  readonly bootId: string;
}
