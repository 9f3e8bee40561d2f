/**
 * Who listens on a port, as every surface tells it.
 *
 * @module
 */

/** Somebody who listens. */
export type PortHolderView = {
  /** Null if the process cannot be seen. */
  readonly pid: number | null;
  readonly command: string | null;
  readonly addresses: string[];
  /** Of the user whose process cannot be seen; else null. */
  readonly uid: number | null;
  readonly ours: boolean;
  readonly session: string | null;
  readonly task: string | null;
  readonly run_id: string | null;
};

/** What was found out about a port. */
export interface FoundHolders {
  readonly holders: readonly {
    readonly pid: number;
    readonly command: string;
    readonly runId: string | null;
    readonly addresses?: readonly string[];
  }[];
  readonly hidden?: readonly {
    readonly uid: number;
    readonly address: string;
  }[];
  /** True if this system does not tell who listens. */
  readonly unknown?: boolean;
}

/** What is known beside. */
export interface HolderFacts {
  /** The task of a run, or null. */
  ownerOf(
    runId: string,
  ): { readonly session: string; readonly task: string } | null;
  /** Pid of the daemon; null if there is none. */
  readonly daemonPid: number | null;
}

/** The part of the answer of `port.who` that tells who listens. */
export function viewHolders(
  found: FoundHolders,
  { ownerOf, daemonPid }: HolderFacts,
): {
  readonly listening: boolean | null;
  readonly holders: PortHolderView[] | null;
  readonly reason?: string;
} {
  if (found.unknown === true) {
    const reason = "this system does not tell who listens";
    return { listening: null, holders: null, reason };
  }
  const seen = found.holders.map((holder): PortHolderView => {
    const { pid, command, runId, addresses = [] } = holder;
    const owner = runId === null ? null : ownerOf(runId);
    return {
      pid,
      command,
      addresses: [...addresses],
      uid: null,
      ours: runId !== null || pid === daemonPid,
      session: owner?.session ?? null,
      task: owner?.task ?? null,
      run_id: runId,
    };
  });
  const hidden = (found.hidden ?? []).map(({ uid, address }) => ({
    pid: null,
    command: null,
    addresses: [address],
    uid,
    ours: false,
    session: null,
    task: null,
    run_id: null,
  }));
  const holders = [...seen, ...hidden];
  return { listening: holders.length > 0, holders };
}
