/**
 * Ways to make a port of this machine public, behind one interface.
 *
 * A provider says what is missing, prepares the far side, and names the program that carries the traffic. It starts no
 * program that stays: the daemon runs it as a task, with logs, restarts and health. What arrives at a target's `origin` is
 * let in, or not, by the daemon's gate, whichever way it came.
 *
 * Order of calls: {@linkcode TunnelProvider.check} before every `open`; nothing is changed anywhere before all its checks
 * have passed. `open` may be called again at any time with other targets, also after a crash amid an earlier call, and
 * brings the far side to exactly these. All calls on one project are made one after the other.
 *
 * @module
 */

import type { CloudflareSettings } from "../config/tunnel_settings.ts";
import type { TunnelBackend, TunnelReach } from "../domain/tunnel.ts";
import type { Clock } from "../kit/clock.ts";
import type { JsonObject } from "../kit/json.ts";
import type { CommandOutcome } from "../kit/run_command.ts";

/** One task that is to be public. */
export interface TunnelTarget {
  readonly task: string;
  /** Where its requests are to arrive: `http://127.0.0.1:PORT`, HTTP/1.1 with WebSockets, any `Host`. */
  readonly origin: string;
  /** The public name that is wanted, in lower case; null = the provider gives it one. */
  readonly hostname: string | null;
  readonly reach: TunnelReach;
}

/** One thing that has to be right before a tunnel can be opened. */
export interface TunnelCheck {
  /** Stable word, such as `cloudflared_binary`, or `dns:api.example.com`. */
  readonly name: string;
  readonly ok: boolean;
  /** What is, in one sentence without a secret. */
  readonly detail: string;
  /** What to type or to click; null where it is right. */
  readonly fix: string | null;
}

/** The program that carries the traffic, for the daemon to run as a task. */
export interface TunnelProcess {
  /** Name of the task, such as `tunnel-web`. Must be one that `TASK_NAME_REGEXP` takes. */
  readonly name: string;
  /** Shell text. `$PORT` is a free port of loopback, for its metrics. Never holds a secret: the process list shows it. */
  readonly command: string;
  /** Beside the environment of whoever asked. Never holds a secret: it is kept on disk. */
  readonly env: Readonly<Record<string, string>>;
  /** Tells whether it works; `$PORT` expands. Null = {@linkcode readyLog} does. */
  readonly healthUrl: string | null;
  /** Regular expression of the line that tells that it works. */
  readonly readyLog: string | null;
}

/** The program while it runs. */
export interface RunningTunnel {
  /** Its `$PORT`. */
  readonly port: number | null;
  /** The first line since it was started in which a pattern is found; null = none yet. Colours are taken out. */
  findLine(pattern: RegExp): Promise<RegExpExecArray | null>;
}

/** What a provider remembers of a project, on disk. Never a secret. Both are done when they return. */
export interface TunnelMemory {
  load(): JsonObject | null;
  /** Null forgets it. */
  save(facts: JsonObject | null): void;
}

/** The world, as a provider sees it. */
export interface TunnelContext {
  readonly projectId: string;
  readonly cloudflare: CloudflareSettings;
  /** The environment of the shell that asked: with PATH, HOME and perhaps credentials. */
  readonly env: Readonly<Record<string, string>>;
  readonly memory: TunnelMemory;
  /** Folder of this project's tunnels, absolute, mode 0700; it may not be there yet. For files with mode 0600 that the program reads. */
  readonly folder: string;
  /** Runs a program with {@linkcode env} to its end, in bounded time, without input. */
  run(
    argv: readonly [string, ...string[]],
    signal: AbortSignal,
  ): Promise<CommandOutcome>;
  /** From now on this text is taken out of every log and answer. To be called before it is used anywhere. */
  noteSecret(secret: string): void;
  readonly clock: Clock;
}

/** What was taken back. */
export interface TunnelRelease {
  /** Sentences, one for each thing that was removed from the far side. */
  readonly removed: readonly string[];
  /** Sentences, one for each thing that was left and why. */
  readonly left: readonly string[];
}

/** One way. Keeps no state but in its context's memory, so that the next daemon goes on where this one was. */
export interface TunnelProvider {
  readonly backend: TunnelBackend;
  /** Whether there is a program for each task, or one for all tasks of a project. */
  readonly carries: "task" | "project";
  /** `required`: a target without one is refused; `none`: one with a name is. */
  readonly hostnames: "required" | "optional" | "none";
  readonly reaches: readonly TunnelReach[];
  /**
   * Looks whether `open` would work, and changes nothing. With all that can be told at once, in a fixed order. What cannot
   * be reached is a failed check, too.
   *
   * @throws Only the signal's reason.
   */
  check(
    targets: readonly TunnelTarget[],
    context: TunnelContext,
    signal: AbortSignal,
  ): Promise<readonly TunnelCheck[]>;
  /**
   * Brings the far side to exactly these targets; idempotent. Where `carries` is `task` there is one target.
   *
   * @returns The program to run; null = none is needed.
   * @throws {TaskmuxError} E741 if the far side refuses; nothing foreign was touched, and calling it again goes on.
   */
  open(
    targets: readonly TunnelTarget[],
    context: TunnelContext,
    signal: AbortSignal,
  ): Promise<TunnelProcess | null>;
  /**
   * The public address of a target, once its program is ready. Waits for it as long as the signal lets it.
   *
   * @param running Null where there is no program.
   * @returns `https://…` without a path.
   */
  addressOf(
    target: TunnelTarget,
    running: RunningTunnel | null,
    context: TunnelContext,
    signal: AbortSignal,
  ): Promise<string>;
  /**
   * What a line of the program's log means and what to do, in one sentence; null = nothing that is known. For the answer
   * to whoever waits for a program that does not come up.
   */
  explain(line: string): string | null;
  /**
   * No target is left. Nothing leads here any more afterwards; with `prune` nothing of ours is left at the provider. Only
   * what `open` itself made is removed.
   *
   * @throws {TaskmuxError} E741 if the far side refuses.
   */
  close(
    context: TunnelContext,
    options: { readonly prune: boolean },
    signal: AbortSignal,
  ): Promise<TunnelRelease>;
}
