/**
 * Output that has no lines, no end or no meaning, and what it costs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { keeperPid } from "./cycles.ts";
import { LineReader } from "./line_reader.ts";
import { memoryOf } from "./processes.ts";
import type { Taskmux } from "./taskmux.ts";
import { until } from "./until.ts";

const MIB = 1024 * 1024;

/** What a heap may grow by under any output: the collector has its own pace. */
const SLACK_BYTES = 150 * MIB;

/** Longest time for one kind of output on a machine that does much else. */
const OUTPUT_MS = 240_000;

/** Megabytes of each kind of output. */
export interface OutputSizes {
  /** Of one line. */
  readonly line: number;
  /** After the beginning of an escape sequence. */
  readonly sequence: number;
  readonly rest: number;
}

/** The memory of our two processes in bytes. */
export interface Memory {
  readonly daemon: number;
  readonly keeper: number;
}

/** That many of one byte, as `tr` names it. */
function bytes(megabytes: number, byte: string): string {
  return `head -c ${megabytes * MIB} /dev/zero | tr '\\\\0' '${byte}'`;
}

/** Name → shell text. TOML and printf both want their backslash. */
function outputs(
  { line, sequence, rest }: OutputSizes,
): Record<string, string> {
  return {
    "no-newline": bytes(line, "x"),
    "window-title": `printf '\\\\033]0;'; ${bytes(sequence, "x")}`,
    "device-control": `printf '\\\\033P'; ${bytes(sequence, "x")}`,
    "control-sequence": `printf '\\\\033['; ${bytes(sequence, "1")}`,
    // Each gets a stamp, 25 times its size.
    "empty-lines": bytes(Math.ceil(rest / 10), "\\\\n"),
    "returns": bytes(rest, "\\\\r"),
    "no-utf8": bytes(rest, "\\\\377"),
    "half-characters": bytes(rest, "\\\\303"),
    "nul": bytes(rest, "\\\\000"),
  };
}

/**
 * Lets tasks say all of that, one after another, while each is followed, and searches it afterwards. Memory of the
 * keeper, which writes it, and of the daemon, which reads it, must stay flat.
 */
export async function checkOddOutput(
  taskmux: Taskmux,
  sizes: OutputSizes,
): Promise<{ readonly before: Memory; readonly most: Memory }> {
  const said = outputs(sizes);
  const project = await taskmux.project(
    `name = "odd"\n` + Object.entries(said).map(([name, command]) => `
[tasks.${name}]
command = "${command}; echo; echo the end"
auto_start = false
restart_policy = "no"
`).join("") + `
[tasks.quiet]
command = "exec sleep 1000"
`,
  );
  await project.ok(["start"]);
  const daemon = await taskmux.daemonPid();
  assert(daemon !== null);
  const keeper = await keeperPid(taskmux);
  const before = { daemon: memoryOf(daemon), keeper: memoryOf(keeper) };
  const most = { ...before };
  const look = () => {
    most.daemon = Math.max(most.daemon, memoryOf(daemon));
    most.keeper = Math.max(most.keeper, memoryOf(keeper));
  };
  for (const name of Object.keys(said)) {
    await using follower = new LineReader(
      project.spawn(["logs", "-f", name, "-g", "the end"]),
    );
    await project.ok(["start", name]);
    await until(async () => {
      look();
      return (await project.task(name)).state === "completed";
    }, { timeoutMs: OUTPUT_MS, what: `${name} is completed` });
    await follower.atLeast(1);
    const found = await project.ok<{ lines: string[] }>(
      ["logs", name, "-g", "^the end$"],
    );
    assert.equal(found.lines.length, 1, name);
    look();
  }
  const facts = JSON.stringify({ before, most });
  assert(most.daemon < before.daemon + SLACK_BYTES, facts);
  assert(most.keeper < before.keeper + SLACK_BYTES, facts);
  return { before, most };
}
