/**
 * Everything that must hold before a push: `deno task ok`. With `--no-tests` only the checks, with `--list` only their
 * names. The last line is always `N passed, N failed`; the exit status is 1 if anything failed.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs, stripVTControlCharacters } from "node:util";
import { launchEnvironment } from "../src/config/launch.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** One command that must succeed. */
interface Check {
  readonly name: string;
  /** Arguments of `deno`. */
  readonly args: readonly string[];
  /** Whether its own tests are counted, by Deno's closing line, instead of the command. */
  readonly isSuite?: true;
}

/** How many things held and how many did not. */
interface Tally {
  readonly passed: number;
  readonly failed: number;
}

const CHECKS: readonly Check[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "types", args: ["task", "check"] },
  { name: "generated files", args: ["task", "generate", "--check"] },
  { name: "package", args: ["publish", "--dry-run", "--allow-dirty"] },
  {
    name: "public documentation",
    args: [
      "doc",
      "--lint",
      "main.ts",
      "src/daemon/main.ts",
      "src/keeper/main.ts",
      "src/client/api_client.ts",
    ],
  },
  { name: "example", args: ["task", "--cwd", "examples/shop", "check"] },
  {
    name: "example tests",
    args: ["task", "--cwd", "examples/shop", "test"],
    isSuite: true,
  },
];

const SUITE: Check = { name: "tests", args: ["task", "test"], isSuite: true };

Deno.exitCode = await main(Deno.args);

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: { "no-tests": { type: "boolean" }, "list": { type: "boolean" } },
  });
  const checks = values["no-tests"] ? CHECKS : [...CHECKS, SUITE];
  if (values.list) {
    console.log(checks.map(({ name }) => name).join("\n"));
    return 0;
  }
  let total: Tally = { passed: 0, failed: 0 };
  for (const check of checks) {
    const tally = await perform(check);
    total = {
      passed: total.passed + tally.passed,
      failed: total.failed + tally.failed,
    };
  }
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

/** Runs one check. A suite's output is shown as it comes, any other's only if it fails. */
async function perform(check: Check): Promise<Tally> {
  console.log(`check ${check.name}: deno ${check.args.join(" ")}`);
  const startedAt = performance.now();
  const child = new Deno.Command("deno", {
    args: [...check.args],
    cwd: ROOT,
    env: { ...launchEnvironment(Deno.env.toObject()), NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const collect = async (
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  ): Promise<void> => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      if (check.isSuite) await print(text);
    }
  };
  const [{ success, code }] = await Promise.all([
    child.status,
    collect(child.stdout),
    collect(child.stderr),
  ]);
  if (!success && !check.isSuite) await print(output);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const verdict = success ? "ok" : `FAILED with code ${code}`;
  console.log(`check ${check.name}: ${verdict} (${seconds} s)`);
  return tallyOf(check, output, success);
}

/** A suite that failed without naming a failed test, say for a type error, counts as one failure. */
function tallyOf(check: Check, output: string, success: boolean): Tally {
  const command = { passed: success ? 1 : 0, failed: success ? 0 : 1 };
  if (!check.isSuite) return command;
  const summary = [
    ...stripVTControlCharacters(output).matchAll(
      /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/gm,
    ),
  ].at(-1);
  if (summary === undefined) return command;
  const [passed, failed] = [Number(summary[1]), Number(summary[2])];
  return { passed, failed: success ? failed : Math.max(failed, 1) };
}

async function print(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) {
    sent += await Deno.stdout.write(bytes.subarray(sent));
  }
}
