/**
 * `deno task dev`: the example shop under taskmux, in a state folder of its own, until Ctrl-C.
 *
 * Shows what a user would type: start, status, logs -f. At the end the daemon is stopped, and everything with it.
 *
 * @module
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { denoCommand } from "../src/config/launch.ts";
import { type Paths, resolvePaths } from "../src/config/paths.ts";
import { cliFlags } from "../src/config/permissions.ts";

/** State of `deno task dev` unless TASKMUX_DEV_HOME says otherwise; also in the permission sets of deno.json. */
const DEV_HOME = "/tmp/taskmux-dev";

/** Any free ports: the usual ones may be those of the user's own daemon. Nothing of the machine is changed. */
const DEV_CONFIG = [
  "api_port = 0",
  "proxy_https_port = 0",
  "proxy_http_redirect_port = 0",
  'host_resolver = "noop"',
  "",
].join("\n");

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs the CLI on the shop and returns its exit code. Aborting ends the CLI, not what it has begun. */
type Taskmux = (
  args: readonly string[],
  signal?: AbortSignal,
) => Promise<number>;

function taskmuxOf(paths: Paths): Taskmux {
  return async (args, signal) => {
    const { program, args: words } = denoCommand({
      entry: `${ROOT}/main.ts`,
      flags: cliFlags(paths),
      args: ["-C", `${ROOT}/examples/shop`, ...args],
      program: Deno.execPath(),
    });
    const child = new Deno.Command(program, {
      args: words,
      env: { TASKMUX_HOME: paths.home, PATH: pathWithDeno() },
      stdin: "null",
      // Ctrl-C is for this process, which then ends one thing after the other.
      detached: true,
    }).spawn();
    const end = (): void => child.kill("SIGTERM");
    signal?.addEventListener("abort", end, { once: true });
    const { code } = await child.status;
    signal?.removeEventListener("abort", end);
    return code;
  };
}

/** The Deno that runs this is the one that tasks and daemon find, also when npx brought it. */
function pathWithDeno(): string {
  return `${dirname(Deno.execPath())}:${Deno.env.get("PATH") ?? ""}`;
}

async function prepareHome({ home, hostConfig }: Paths): Promise<void> {
  await Deno.mkdir(home, { recursive: true, mode: 0o700 });
  // Each time: the settings of an older clone would let it take ports, and write to /etc/hosts.
  await Deno.writeTextFile(hostConfig, DEV_CONFIG);
}

/** Aborts when the user has had enough. */
function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => controller.abort());
  }
  return controller.signal;
}

async function main(): Promise<number> {
  const ended = untilInterrupted();
  const home = Deno.env.get("TASKMUX_DEV_HOME") ?? DEV_HOME;
  const paths = resolvePaths({ TASKMUX_HOME: home });
  await prepareHome(paths);
  const taskmux = taskmuxOf(paths);
  // Never cut short: a daemon that is coming up could not be stopped.
  const begun = await taskmux(["daemon", "start"]);
  if (begun !== 0) return begun;
  // Another clone may have had its shop here.
  const claimed = await taskmux(["daemon", "register", "--force"]);
  if (claimed !== 0) return claimed;
  const code = await showShop(taskmux, ended);
  const stopped = await taskmux(["daemon", "stop"]);
  return code === 0 || ended.aborted ? stopped : code;
}

/** Returns when the shop did not come up, or the user has had enough. */
async function showShop(
  taskmux: Taskmux,
  ended: AbortSignal,
): Promise<number> {
  if (ended.aborted) return 0;
  const started = await taskmux(
    ["start", "--if-stopped", "--wait", "--timeout", "300"],
    ended,
  );
  if (ended.aborted) return 0;
  await taskmux(["status"], ended);
  if (started !== 0 || ended.aborted) return started;
  return await taskmux(["logs", "-f"], ended);
}

if (import.meta.main) Deno.exit(await main());
