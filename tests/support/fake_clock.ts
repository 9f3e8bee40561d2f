/**
 * A wall clock that a test sets while daemon and keeper run, by libfaketime. Monotonic time goes on as it does.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { daemonCommand } from "./deno_flags.ts";
import { testKeeperCommand } from "./keeper.ts";
import type { Taskmux } from "./taskmux.ts";
import { until } from "./until.ts";

const LIBRARY = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib64",
].map((folder) => `${folder}/faketime/libfaketimeMT.so.1`).find(existsSync);

/** Whether the library is here. Where everything must be tested it has to be. */
export const HAS_FAKE_CLOCK = LIBRARY !== undefined ||
  Deno.env.get("CI") === "true" && Deno.build.os === "linux";

/** A daemon and a keeper whose wall clock can be set. Disposal ends both, and with the keeper all tasks. */
export class FakeClock implements AsyncDisposable {
  readonly #taskmux: Taskmux;
  readonly #file: string;
  readonly #children: Deno.ChildProcess[] = [];

  private constructor(taskmux: Taskmux) {
    this.#taskmux = taskmux;
    this.#file = `${taskmux.home.root}/clock`;
  }

  /** Starts both. */
  static async start(taskmux: Taskmux): Promise<FakeClock> {
    const clock = new FakeClock(taskmux);
    await clock.set("+0");
    clock.#spawn(testKeeperCommand(taskmux.home));
    await until(() => existsSync(taskmux.home.paths.keeperSocket));
    await clock.startDaemon();
    return clock;
  }

  /** Starts a daemon, after the one before has ended. */
  async startDaemon(): Promise<void> {
    this.#spawn(daemonCommand(this.#taskmux.home.paths));
    await until(async () => await this.#taskmux.daemonPid() !== null);
  }

  /** @param offset From the true time, such as `+1d`. */
  async set(offset: string): Promise<void> {
    // In one write, as it is read at any moment.
    await Deno.writeTextFile(`${this.#file}.new`, `${offset}\n`);
    await Deno.rename(`${this.#file}.new`, this.#file);
  }

  /** What lets another process have this clock, too. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: LIBRARY ?? "",
      FAKETIME_TIMESTAMP_FILE: this.#file,
      // Or the file is read every ten seconds only.
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
    };
  }

  /** Pids of the keeper and the last daemon. */
  get pids(): readonly [keeper: number, daemon: number] {
    return [this.#children[0]!.pid, this.#children.at(-1)!.pid];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const [keeper, ...daemons] = this.#children;
    // What a daemon does when it is asked to end may take as long as its tasks like.
    for (const child of daemons) await this.#end(child, "SIGKILL");
    if (keeper !== undefined) await this.#end(keeper, "SIGTERM");
  }

  async #end(child: Deno.ChildProcess, signal: Deno.Signal): Promise<void> {
    try {
      child.kill(signal);
    } catch (error) {
      // It has ended.
      if (!(error instanceof TypeError)) throw error;
    }
    await child.status;
  }

  #spawn(
    { program, args }: { readonly program: string; readonly args: string[] },
  ): void {
    const child = new Deno.Command(program, {
      args,
      clearEnv: true,
      env: {
        ...this.#taskmux.home.env,
        ...this.env,
      },
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    this.#children.push(child);
  }
}
