/**
 * The gate of one public task: its listener, who is let in, and the log of its requests.
 *
 * @module
 */

import type { TunnelAccess } from "../../domain/tunnel.ts";
import type { Clock } from "../../kit/clock.ts";
import { LogWriter } from "../../logs/log_writer.ts";
import { AccessControl, type AccessRecord } from "../../proxy/public_access.ts";
import { PublicGate } from "../../proxy/public_gate.ts";
import { requestLine } from "../../domain/request_line.ts";
import type { Refusal, Route, Upstream } from "../../proxy/router.ts";

/** Bytes after which the log of requests is rotated, and how many old ones are kept. */
const LOG_LIMITS = { maxBytes: 10 * 1024 * 1024, maxFiles: 2 };

/** How often and after how many milliseconds a port is tried again: threads of a daemon that was killed may still end. */
const TRIES = 5;
const TRY_AGAIN_MS = 100;

/** What an entrance is made of. */
export interface EntranceOptions {
  /** The port it had; null = none yet. */
  readonly port: number | null;
  readonly access: AccessRecord;
  /** Path of the log of its requests. */
  readonly logPath: string;
  readonly clock: Clock;
  /** Where requests go now. */
  find(client: { readonly signal: AbortSignal }): Promise<Route>;
  failed(upstream: Upstream, error: Error): Refusal;
  facts(): { readonly publicUrl: string | null; readonly authority: string };
  /** A link was used, or a visitor let in. */
  onAccess(record: AccessRecord): void;
  onError(error: unknown): void;
}

/** See the module. Disposal ends every connection at once. */
export class PublicEntrance implements AsyncDisposable {
  readonly control: AccessControl;
  readonly #gate: PublicGate;
  readonly #log: LogWriter;

  private constructor(
    gate: PublicGate,
    control: AccessControl,
    log: LogWriter,
  ) {
    this.#gate = gate;
    this.control = control;
    this.#log = log;
  }

  /** Listens on the port it had, or on any other if that is taken. */
  static async open(options: EntranceOptions): Promise<PublicEntrance> {
    const { clock, port, access, onError } = options;
    const log = new LogWriter({
      ...LOG_LIMITS,
      path: options.logPath,
      clock,
      onTrouble: () => {},
    });
    const encoder = new TextEncoder();
    const control = new AccessControl(access, options.onAccess, clock);
    const open = (on: number): Promise<PublicGate> =>
      PublicGate.open({
        port: on,
        find: options.find,
        failed: options.failed,
        facts: options.facts,
        access: control,
        onRequest: (entry) => {
          const stamp = new Date(entry.at).toISOString().replace("Z", "");
          log.write(encoder.encode(`${stamp} ${requestLine(entry)}\n`));
        },
        clock,
        onError,
      });
    try {
      const gate = port === null ? null : await openAgain(port, open, clock);
      return new PublicEntrance(gate ?? await open(0), control, log);
    } catch (error) {
      log[Symbol.dispose]();
      throw error;
    }
  }

  /** On 127.0.0.1. */
  get port(): number {
    return this.#gate.port;
  }

  get access(): TunnelAccess {
    return this.control.record.kind;
  }

  /** Requests since it was opened, and those of them that were refused. */
  get counts(): { readonly requests: number; readonly refused: number } {
    const { requests, refused } = this.#gate;
    return { requests, refused };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gate[Symbol.asyncDispose]();
    this.#log[Symbol.dispose]();
  }
}

/** Null if the port is taken for good. */
async function openAgain(
  port: number,
  open: (port: number) => Promise<PublicGate>,
  clock: Clock,
): Promise<PublicGate | null> {
  for (let left = TRIES; left > 0; left--) {
    try {
      return await open(port);
    } catch (error) {
      if (!isTaken(error)) throw error;
      await clock.sleep(TRY_AGAIN_MS);
    }
  }
  return null;
}

function isTaken(error: unknown): boolean {
  return error instanceof Deno.errors.AddrInUse ||
    (error instanceof Error && "code" in error && error.code === "EADDRINUSE");
}
