/**
 * A room in which nothing that is left behind can outlive the moment: a pid and mount namespace, where root can make one.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { SANDBOX_FOLDER } from "../harness/sandbox.ts";

const RUN_CELL = fileURLToPath(new URL("run_cell.ts", import.meta.url));

/** The variable that tells the program inside that the room is private. */
const PRIVATE = "BENCH_PRIVATE";

/** Whether this process runs in a room of its own. */
export const IS_PRIVATE: boolean = Deno.env.get(PRIVATE) === "1";

/** Longest time for one cell. */
const CELL_MS = 300_000;

/** What `run_cell.ts` prints before the cell. */
export const CELL_MARK = "@cell ";

/** Reaps what is orphaned, as an init does; the program's status is lost on purpose. */
const INIT = '"$@" & wait $!; exit 0';

/** Tries a scenario on a subject. @returns The cell, or why there is none. */
export async function cellOf(
  scenario: string,
  subject: string,
  signal: AbortSignal,
): Promise<string> {
  const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;
  const room = isRoot
    ? ["unshare", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
    : [];
  const [program = "sh", ...args] = [
    ...room,
    "sh",
    "-c",
    INIT,
    "sh",
    "deno",
    "run",
    "--quiet",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-env",
    "--allow-run",
    "--allow-net=127.0.0.0/8,localhost",
    "--allow-sys",
    RUN_CELL,
    scenario,
    subject,
  ];
  const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "tmxf-" });
  const child = new Deno.Command(program, {
    args,
    env: { [SANDBOX_FOLDER]: folder, ...isRoot ? { [PRIVATE]: "1" } : {} },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const over = AbortSignal.any([signal, AbortSignal.timeout(CELL_MS)]);
  // While it waits for the room it ignores whatever can be ignored; the room goes with it.
  const end = (): void => child.kill("SIGKILL");
  over.addEventListener("abort", end, { once: true });
  const { stdout, stderr } = await child.output();
  over.removeEventListener("abort", end);
  await Deno.remove(folder, { recursive: true });
  const decoder = new TextDecoder();
  const line = decoder.decode(stdout).split("\n")
    .find((each) => each.startsWith(CELL_MARK));
  if (line !== undefined) return line.slice(CELL_MARK.length);
  signal.throwIfAborted();
  const said = decoder.decode(stderr).trim();
  console.error(said);
  return "could not be tried";
}
