/**
 * A Unix socket that stays reachable: when its path is removed, or something else is put there, it listens there anew.
 *
 * Programs that tidy up temporary folders do that, and so do people. Who is connected notices nothing.
 *
 * @module
 */

import { systemClock } from "./clock.ts";
import { kindOf, setAside } from "./set_aside.ts";
import { inLaterTurn } from "./turn.ts";
import { Timer } from "./timer.ts";

/** Pause between two looks at the path. */
export const SOCKET_CHECK_MS = 2_000;

/** What servers need of a listener. */
export type Acceptor = Pick<Deno.Listener, "accept" | "close">;

/** How to listen. */
export interface SteadySocketOptions {
  /** Permission bits of the socket. */
  readonly mode: number;
  /** Told when it listens anew, and with the error when it cannot; then it tries again. */
  onLost(error: Error | null): void;
}

/** See the module. */
export class SteadySocket implements Acceptor {
  readonly #path: string;
  readonly #options: SteadySocketOptions;
  readonly #timer = new Timer(() => this.#check());
  #listener: Deno.Listener | null;
  #inode: number | null;
  #bound = Promise.withResolvers<void>();
  #accepting: Promise<Deno.Conn> | null = null;
  #isClosed = false;

  /**
   * Begins to listen. Nothing may have the path.
   *
   * @throws {Deno.errors.AddrInUse} If something has.
   */
  constructor(path: string, options: SteadySocketOptions) {
    this.#path = path;
    this.#options = options;
    [this.#listener, this.#inode] = this.#bind();
    this.#timer.arm(SOCKET_CHECK_MS);
  }

  /** The next connection. @throws {Deno.errors.BadResource} Once it is closed. */
  async accept(): Promise<Deno.Conn> {
    while (true) {
      if (this.#isClosed) throw new Deno.errors.BadResource("It is closed");
      const listener = this.#listener;
      if (listener === null) {
        await this.#bound.promise;
        continue;
      }
      try {
        const accepting = listener.accept();
        this.#accepting = accepting;
        return await accepting;
      } catch (error) {
        if (this.#isClosed || listener === this.#listener) throw error;
      }
    }
  }

  /** Ends listening, and removes the path if it is still that of this socket. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.disarm();
    this.#listener?.close();
    this.#bound.resolve();
  }

  #check(): void {
    this.#repair().then((error) => {
      if (error !== null) this.#options.onLost(error);
      if (!this.#isClosed) this.#timer.arm(SOCKET_CHECK_MS);
    });
  }

  /** @returns Why it cannot listen now; null if it does. */
  async #repair(): Promise<Error | null> {
    try {
      if (this.#listener !== null && this.#isOwn()) return null;
      if (await isAnswered(this.#path)) {
        return new Error(`another process listens on "${this.#path}"`);
      }
      if (this.#isClosed) return null;
      const kind = kindOf(this.#path);
      if (kind !== "absent" && kind !== "socket") {
        setAside(this.#path, systemClock.now());
      }
      const old = this.#listener;
      this.#listener = null;
      // Who waits already is woken by the promise it has.
      if (old !== null) this.#bound = Promise.withResolvers();
      // Removes the path, too, but only when nobody waits on it any more.
      old?.close();
      await Promise.allSettled([this.#accepting]);
      await new Promise<void>((resolve) => inLaterTurn(resolve));
      if (this.#isClosed) return null;
      const folder = this.#path.slice(0, this.#path.lastIndexOf("/"));
      Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
      [this.#listener, this.#inode] = this.#bind();
      this.#bound.resolve();
      this.#options.onLost(null);
      return null;
    } catch (error) {
      if (error instanceof Error && "code" in error) return error;
      throw error;
    }
  }

  #bind(): [Deno.Listener, number | null] {
    const listener = Deno.listen({ transport: "unix", path: this.#path });
    Deno.chmodSync(this.#path, this.#options.mode);
    return [listener, Deno.lstatSync(this.#path).ino];
  }

  #isOwn(): boolean {
    try {
      const { isSocket, ino } = Deno.lstatSync(this.#path);
      return isSocket === true && ino === this.#inode;
    } catch (error) {
      const { NotADirectory, NotFound } = Deno.errors;
      if (error instanceof NotFound || error instanceof NotADirectory) {
        return false;
      }
      throw error;
    }
  }
}

/** Whether somebody listens on a path. Says nothing to whoever does. */
export async function isAnswered(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    const { ConnectionRefused, ConnectionReset, NotADirectory, NotFound } =
      Deno.errors;
    if (
      error instanceof NotFound || error instanceof ConnectionRefused ||
      error instanceof ConnectionReset || error instanceof NotADirectory
    ) return false;
    throw error;
  }
}
