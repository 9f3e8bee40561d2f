/**
 * Whether it is a task that listens on its port: the proof behind every route.
 *
 * A port is only a number. A task may have let it go, and whoever took it then must not get what is meant for the task:
 * cookies, forms, tokens. So the keeper is asked which processes listen, and of which run they are.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import type { Clock } from "../kit/clock.ts";
import type { KeeperRequests } from "../pty/protocol.ts";

/** From this age on a proof is renewed, while it is still used. */
const RENEW_AFTER_MS = 1_000;

/** Beyond this age a proof is worth nothing. */
const MAX_AGE_MS = 5_000;

/** Runs that are remembered; the one that was added first is forgotten first. */
const MAX_RUNS = 2_000;

/** Every address, as sockets that listen on it are told. */
const ANY_V4 = "0.0.0.0";
const ANY_V6 = "[::]";

/** Loopback addresses, and the sockets that a connection to them may reach, the most specific first. Java binds mapped ones. */
const LOOPBACK = [
  {
    address: "127.0.0.1",
    sockets: [["127.0.0.1", "[::ffff:7f00:1]"], [ANY_V4, "[::ffff:0:0]"], [
      ANY_V6,
    ]],
  },
  { address: "::1", sockets: [["[::1]"], [ANY_V6]] },
] as const;

/** The port of a run. */
export interface RunPort {
  readonly runId: string;
  readonly port: number;
}

/** Who listens. */
export type Proof =
  /** Loopback addresses on which processes of the run alone listen, in the order to try them. */
  | { readonly kind: "ours"; readonly addresses: readonly string[] }
  | { readonly kind: "nobody" }
  /** Somebody else; `holder` is who, in words. */
  | { readonly kind: "stranger"; readonly holder: string }
  /** The keeper does not answer. */
  | { readonly kind: "silent" };

/** What the keeper tells of a port. */
export type Holders = KeeperRequests["holders"]["result"];

/** What proofs are made with. */
export interface ListenerProofsOptions {
  /** @throws {TaskmuxError} If the keeper does not answer. */
  holders(of: RunPort): Promise<Holders>;
  readonly clock: Clock;
}

interface Entry {
  readonly port: number;
  proof: Proof | null;
  at: number;
  hasListened: boolean;
  looking: Promise<Proof> | null;
  /** Grows with each doubt: what was asked before it answers nothing. */
  doubts: number;
}

/** See the module. */
export class ListenerProofs {
  readonly #options: ListenerProofsOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: ListenerProofsOptions) {
    this.#options = options;
  }

  /**
   * The proof that holds without asking; null = there is none, or it is too old. What is no longer fresh is renewed
   * meanwhile. Costs no more than a look into a map.
   */
  recall({ runId, port }: RunPort): Proof | null {
    const entry = this.#entries.get(runId);
    if (entry?.proof?.kind !== "ours" || entry.port !== port) return null;
    const age = this.#options.clock.monotonic() - entry.at;
    if (age >= RENEW_AFTER_MS) this.#look(runId, entry);
    return age < MAX_AGE_MS ? entry.proof : null;
  }

  /** Asks now. Whoever asks at the same time shares the answer. */
  look({ runId, port }: RunPort): Promise<Proof> {
    return this.#look(runId, this.#entryOf(runId, port));
  }

  /** Whether the run is known to have listened once. */
  hasListened(runId: string): boolean {
    return this.#entries.get(runId)?.hasListened ?? false;
  }

  /** The listener was not there when it was needed: nothing is proven any more. */
  doubt(runId: string): void {
    const entry = this.#entries.get(runId);
    if (entry === undefined) return;
    entry.proof = null;
    entry.looking = null;
    entry.doubts++;
  }

  #entryOf(runId: string, port: number): Entry {
    const known = this.#entries.get(runId);
    if (known?.port === port) return known;
    const entry: Entry = {
      port,
      proof: null,
      at: 0,
      hasListened: false,
      looking: null,
      doubts: 0,
    };
    this.#entries.set(runId, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_RUNS) break;
      this.#entries.delete(oldest);
    }
    return entry;
  }

  #look(runId: string, entry: Entry): Promise<Proof> {
    if (entry.looking !== null) return entry.looking;
    const looking = this.#ask(runId, entry).finally(() => {
      if (entry.looking === looking) entry.looking = null;
    });
    entry.looking = looking;
    return looking;
  }

  async #ask(runId: string, entry: Entry): Promise<Proof> {
    const { clock, holders } = this.#options;
    // As old as the question: what happens while it is answered may be missing in the answer.
    const at = clock.monotonic();
    const { doubts } = entry;
    const proof = await holders({ runId, port: entry.port }).then(
      (found) => proofOf(found, runId),
      (error): Proof => {
        if (error instanceof TaskmuxError) return { kind: "silent" };
        throw error;
      },
    );
    if (proof.kind === "silent") return proof;
    if (entry.doubts !== doubts) return this.#look(runId, entry);
    // The same object, so that whoever keeps something by it goes on.
    if (!isSame(entry.proof, proof)) entry.proof = proof;
    entry.at = at;
    entry.hasListened ||= proof.kind === "ours";
    return entry.proof ?? proof;
  }
}

/** What the holders of its port prove for a run. Where nobody can tell who listens, nobody is accused. */
export function proofOf(found: Holders, runId: string): Proof {
  if (found.unknown === true) {
    return { kind: "ours", addresses: ["127.0.0.1", "::1"] };
  }
  const sockets: Socket[] = [
    ...found.holders.flatMap(({ pid, command, runId: of, addresses }) =>
      // Older keepers tell no addresses.
      (addresses ?? [ANY_V4, ANY_V6]).map((address): Socket => ({
        address,
        stranger: of === runId ? null : { pid, command },
      }))
    ),
    ...(found.hidden ?? []).map(({ uid, address }): Socket => ({
      address,
      stranger: { uid },
    })),
  ];
  const addresses: string[] = [];
  let stranger: Socket["stranger"] = null;
  for (const { address, sockets: candidates } of LOOPBACK) {
    const answering = candidates.map((names) =>
      sockets.filter((socket) =>
        names.some((name) =>
          name === socket.address
        )
      )
    ).find((some) => some.length > 0) ?? [];
    if (answering.length === 0) continue;
    const other = answering.find((socket) => socket.stranger !== null);
    if (other === undefined) addresses.push(address);
    else stranger ??= other.stranger;
  }
  if (addresses.length > 0) return { kind: "ours", addresses };
  if (stranger !== null) {
    return { kind: "stranger", holder: wordsFor(stranger) };
  }
  return { kind: "nobody" };
}

interface Socket {
  /** As in a URL. */
  readonly address: string;
  /** Null = a process of the run. */
  readonly stranger:
    | { readonly pid: number; readonly command: string }
    | { readonly uid: number }
    | null;
}

function wordsFor(stranger: NonNullable<Socket["stranger"]>): string {
  if ("uid" in stranger) return `a process of user ${stranger.uid}`;
  const { pid, command } = stranger;
  // Not its arguments: whoever can ask the proxy reads this, and they may hold a password.
  const program = command.split(" ")[0]?.split("/").at(-1) ?? "";
  return `${program} (pid ${pid})`;
}

function isSame(a: Proof | null, b: Proof): boolean {
  return a?.kind === "ours" && b.kind === "ours" &&
    a.addresses.join() === b.addresses.join();
}
