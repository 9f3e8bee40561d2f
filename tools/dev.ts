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
import { resolvePaths } from "../src/config/paths.ts";
import { cliFlags } from "../src/config/permissions.ts";

/** State of `deno task dev` unless TASKMUX_DEV_HOME says otherwise; also in the permission sets of deno.json. */
const DEV_HOME = "/tmp/taskmux-dev";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

interface Shop {
  /** Runs the CLI on the shop with this terminal and returns its exit code. */
  taskmux(...args: string[]): Promise<number>;
  /** The same without a terminal, as long as the signal does not abort. */
  follow(signal: AbortSignal, ...args: string[]): Promise<number>;
}

function openShop(home: string): Shop {
  const paths = resolvePaths({ TASKMUX_HOME: home });
  const command = (args: readonly string[]): Deno.Command => {
    const { program, args: words } = denoCommand({
      entry: `${ROOT}/main.ts`,
      flags: cliFlags(paths),
      args: ["-C", `${ROOT}/examples/shop`, ...args],
      program: Deno.execPath(),
    });
    return new Deno.Command(program, {
      args: words,
      env: { TASKMUX_HOME: home, PATH: pathWithDeno() },
      stdin: "null",
    });
  };
  return {
    taskmux: async (...args) => (await command(args).spawn().status).code,
    follow: async (signal, ...args) => {
      const child = command(args).spawn();
      signal.addEventListener("abort", () => child.kill("SIGTERM"), {
        once: true,
      });
      return (await child.status).code;
    },
  };
}

/** The Deno that runs this is the one that tasks and daemon find, also when npx brought it. */
function pathWithDeno(): string {
  return `${dirname(Deno.execPath())}:${Deno.env.get("PATH") ?? ""}`;
}

async function main(): Promise<number> {
  const shop = openShop(Deno.env.get("TASKMUX_DEV_HOME") ?? DEV_HOME);
  const ended = new AbortController();
  const end = (): void => ended.abort();
  Deno.addSignalListener("SIGINT", end);
  Deno.addSignalListener("SIGTERM", end);
  const code = await shop.taskmux(
    "start",
    "--if-stopped",
    "--wait",
    "--timeout",
    "300",
  );
  if (!ended.signal.aborted) await shop.taskmux("status");
  if (code === 0 && !ended.signal.aborted) {
    await shop.follow(ended.signal, "logs", "-f");
  }
  const stopped = await shop.taskmux("daemon", "stop");
  return code === 0 ? stopped : code;
}

if (import.meta.main) Deno.exit(await main());
