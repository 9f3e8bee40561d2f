/**
 * How fast terminal output becomes a timestamped log file, as a ratio to reading the terminal and throwing it away.
 *
 * Both sides read through the same native layer in this process, in turns; the keeper itself is measured beside them.
 * `deno task bench` runs it with `[megabytes] [rounds]`; prints one line of JSON.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { systemClock } from "../src/kit/clock.ts";
import { LogFiles } from "../src/keeper/log_files.ts";
import { RunOutput } from "../src/keeper/run_output.ts";
import { libcPath } from "../src/config/libc_path.ts";
import {
  loadPtyModule,
  NativePty,
  type PtyHost,
} from "../src/pty/native_pty.ts";
import { openSystem } from "../src/pty/open_system.ts";

/** Enough that nothing rotates. */
const MAX_LOG_BYTES = 2 ** 40;

/** What one measurement found. */
export interface PtyIngest {
  readonly megabytes: number;
  /** Median seconds of reading and throwing away. */
  readonly discardSeconds: number;
  /** Median seconds of reading and writing the log. */
  readonly ingestSeconds: number;
  /** Speed of the log relative to throwing away: 1 is as fast. */
  readonly ratio: number;
  readonly megabytesPerSecond: number;
  /** Lines that the log lacks. */
  readonly linesLost: number;
}

/** Measures. Takes about 3 seconds per 100 MB and round. */
export async function measurePtyIngest(
  megabytes: number,
  rounds: number,
): Promise<PtyIngest> {
  const libc = libcPath(Deno.build.os, Deno.build.arch, existsSync);
  if (libc === null) throw new Error("Cannot find the C library");
  const host: PtyHost = {
    ...loadPtyModule(),
    system: openSystem(libc, Deno.build.os),
  };
  const folder = await Deno.makeTempDir({ prefix: "tmx-bench-" });
  try {
    const input = `${folder}/input`;
    const lines = writeInput(input, megabytes * 1e6);
    const discarded: number[] = [];
    const ingested: number[] = [];
    let linesLost = 0;
    for (let round = 0; round < rounds; round++) {
      discarded.push(await timeCat(input, host, () => {}));
      const path = `${folder}/${round}.log`;
      const output = new RunOutput(
        new LogFiles(systemClock).hold(
          { path, maxBytes: MAX_LOG_BYTES, maxFiles: 0 },
          () => {},
        ),
        systemClock,
      );
      ingested.push(await timeCat(input, host, (chunk) => output.push(chunk)));
      output.finish();
      linesLost += lines - countLines(path);
      Deno.removeSync(path);
    }
    const discardSeconds = median(discarded);
    const ingestSeconds = median(ingested);
    return {
      megabytes,
      discardSeconds,
      ingestSeconds,
      ratio: discardSeconds / ingestSeconds,
      megabytesPerSecond: megabytes / ingestSeconds,
      linesLost,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function timeCat(
  input: string,
  host: PtyHost,
  onData: (chunk: Uint8Array) => void,
): Promise<number> {
  const exited = Promise.withResolvers<void>();
  const startedAt = performance.now();
  const pty = new NativePty(host, {
    runId: "0123456789ab",
    pidsLimit: 0,
    program: "/bin/cat",
    args: [input],
    env: {},
    cwd: "/",
    cols: 160,
    rows: 48,
  }, { onData, onExit: () => exited.resolve() });
  await exited.promise;
  await pty.drained();
  pty.close();
  return (performance.now() - startedAt) / 1000;
}

function writeInput(path: string, bytes: number): number {
  const line = "the quick brown fox jumps over the lazy dog, again and again";
  using file = Deno.openSync(path, { create: true, write: true });
  const encoder = new TextEncoder();
  let count = 0;
  for (let written = 0; written < bytes;) {
    const block = Array.from({ length: 1000 }, () => `${count++} ${line}\n`);
    const encoded = encoder.encode(block.join(""));
    for (let sent = 0; sent < encoded.length;) {
      sent += file.writeSync(encoded.subarray(sent));
    }
    written += encoded.length;
  }
  return count;
}

function countLines(path: string): number {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(1024 * 1024);
  let count = 0;
  while (true) {
    const read = file.readSync(buffer);
    if (read === null) return count;
    for (
      let at = buffer.indexOf(10);
      at !== -1 && at < read;
      at = buffer.indexOf(10, at + 1)
    ) count++;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

if (import.meta.main) {
  const [megabytes = "100", rounds = "5"] = Deno.args;
  const result = await measurePtyIngest(Number(megabytes), Number(rounds));
  console.log(JSON.stringify(result));
  Deno.exit(0);
}
