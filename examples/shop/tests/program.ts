/**
 * A child process whose output can be waited for. Nothing here polls or sleeps.
 *
 * @module
 */

/** Longest wait for a line or an exit. Only a broken program gets there. */
const DEADLINE_MS = 20_000;

/** What {@linkcode startProgram} needs beside the command. */
export interface ProgramOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A program that runs, and ends at the end of the scope. */
export interface Program extends AsyncDisposable {
  /** All lines of stdout and stderr up to now, in order of arrival. */
  readonly lines: readonly string[];
  /**
   * The first line that matches, also one of the past.
   *
   * @throws {Error} With the output if it ends, or 20 s pass, without it.
   */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal and returns the exit code. */
  stop(signal: Deno.Signal): Promise<number>;
  /** The exit code, once all output has been read. */
  readonly exited: Promise<number>;
}

/** Runs `command` by `/bin/sh`, which it replaces, so that a signal reaches the program itself. */
export function startProgram(
  command: string,
  { cwd, env }: ProgramOptions,
): Program {
  const child = new Deno.Command("sh", {
    args: ["-c", `exec ${command}`],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines: string[] = [];
  // Resolved and replaced whenever there is more to see.
  let news = Promise.withResolvers<void>();
  let ended = false;
  const tell = () => {
    news.resolve();
    news = Promise.withResolvers<void>();
  };
  const read = async (stream: ReadableStream<Uint8Array>) => {
    let rest = "";
    for await (
      const text of stream.pipeThrough(
        new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>,
      )
    ) {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
      tell();
    }
    if (rest !== "") lines.push(rest);
  };
  const exited = (async () => {
    await Promise.all([read(child.stdout), read(child.stderr)]);
    const { code } = await child.status;
    ended = true;
    tell();
    return code;
  })();
  const failure = (what: string) =>
    new Error(`${what}: ${command}\n${lines.join("\n")}`);
  const waitForLine = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (let index = 0;; index++) {
      while (index >= lines.length) {
        if (ended) throw failure(`Ended without ${pattern}`);
        await news.promise;
      }
      const match = pattern.exec(lines[index] ?? "");
      if (match !== null) return match;
    }
  };
  const bounded = async <T>(what: string, promise: Promise<T>): Promise<T> => {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(failure(what)), DEADLINE_MS);
    try {
      return await Promise.race([promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
  const stop = (signal: Deno.Signal): Promise<number> => {
    if (!ended) child.kill(signal);
    return bounded(`Still there after ${signal}`, exited);
  };
  return {
    lines,
    exited,
    stop,
    line: (pattern) => bounded(`No ${pattern} yet`, waitForLine(pattern)),
    [Symbol.asyncDispose]: async () => {
      await stop("SIGKILL");
    },
  };
}
