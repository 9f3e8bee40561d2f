/**
 * `daemon.examine`: what `doctor` wants to know and only the daemon can see. A new check is one entry of
 * {@linkcode DAEMON_CHECKS}.
 *
 * @module
 */

import { VERSION } from "../contract/wire.ts";
import type { Result } from "../contract/mod.ts";
import {
  type Check,
  type CheckAnswer,
  failed,
  type Finding,
  passed,
  runChecks,
  warned,
} from "../kit/checks.ts";
import { systemClock } from "../kit/clock.ts";
import { runCommand } from "../kit/run_command.ts";
import { anotherPort } from "./open_api.ts";
import { holderText } from "./port_problems.ts";
import { prune } from "./prune.ts";
import { checkProxy } from "./proxy_check.ts";
import { PUBLIC_CHECKS } from "./public_checks.ts";
import { findPythonDaemon } from "./python_daemon.ts";
import type { Services } from "./services.ts";

/** Time for one check; the CLI waits 5 s for all of them. */
const CHECK_LIMIT_MS = 4_000;

/** Time for one helper program. */
const PROGRAM_LIMIT_MS = 3_000;

/** Less free space than this is worth a word, then trouble. */
const DISK_LOW_KIB = 1024 * 1024;
const DISK_OUT_KIB = 16 * 1024;

/** Part of a limit from which on it is worth a word. */
const NEARLY_ALL = 0.9;

/** Fewer descriptors than this are soon used up. */
const DESCRIPTORS_FEW = 1_024;

type DaemonCheck = Check<Services>;

/** Every check of the daemon, in the order of the answer. */
export const DAEMON_CHECKS: readonly DaemonCheck[] = [
  {
    name: "keeper_version",
    run: ({ keeper }) =>
      Promise.resolve(
        keeper.hello.version === VERSION ? passed(VERSION) : warned(
          `the keeper is taskmux ${keeper.hello.version}, the daemon ${VERSION}; it goes on while tasks run`,
          "taskmux daemon stop",
        ),
      ),
  },
  {
    name: "disk",
    run: async ({ paths }, signal) => {
      const free = await freeKib(paths.home, signal);
      if (free === null) return passed("free space cannot be told");
      const detail = `${(free / 1024 / 1024).toFixed(1)} GiB free`;
      if (free < DISK_OUT_KIB) return failed(detail, `df -h ${paths.home}`);
      if (free < DISK_LOW_KIB) return warned(detail, `df -h ${paths.home}`);
      return passed(detail);
    },
  },
  {
    name: "api_port",
    run: async ({ apiPort, config, keeper }) => {
      const bound = apiPort();
      if (bound !== null) return passed(`listening on 127.0.0.1:${bound}`);
      const { apiPort: port } = config;
      const { holders } = await keeper.request("holders", { port });
      const who = holders.map(holderText).join(", ");
      return warned(
        `port ${port} is taken${who === "" ? "" : ` by ${who}`}`,
        anotherPort(port),
      );
    },
  },
  {
    name: "proxy",
    run: ({ front }) => Promise.resolve(checkProxy(front)),
  },
  {
    name: "names",
    run: async (services, signal) => {
      const { resolution, front, keeper } = services;
      const { port, isTaken } = resolution.wantedPort;
      if (isTaken) {
        const { holders } = await keeper.request("holders", { port });
        const who = holders.map(holderText);
        return warned(
          [...resolution.problems, ...who].join("; "),
          "taskmux config set dns_server_port 0",
        );
      }
      if (!front.isEnabled) return passed("the proxy is off");
      return judgeNames(await resolution.status(signal));
    },
  },
  ...PUBLIC_CHECKS,
  {
    name: "descriptors",
    run: async (_services, signal) => {
      const limit = Number(await lineOf("ulimit -n", signal));
      if (!(limit > 0)) return passed("no limit known");
      return limit < DESCRIPTORS_FEW
        ? warned(`at most ${limit} open files`, "ulimit -n 65536")
        : passed(`at most ${limit} open files`);
    },
  },
  {
    name: "terminals",
    run: async (_services, signal) => {
      if (Deno.build.os !== "linux") return passed("their number is not known");
      const text = await lineOf(
        'echo "$(cat /proc/sys/kernel/pty/nr) $(cat /proc/sys/kernel/pty/max)"',
        signal,
      );
      const [used, max] = text.split(" ").map(Number);
      if (used === undefined || !(max !== undefined && max > 0)) {
        return passed("their number is not known");
      }
      const detail = `${used} of ${max} in use`;
      return used < max * NEARLY_ALL
        ? passed(detail)
        : warned(detail, "sudo sysctl -w kernel.pty.max=8192");
    },
  },
  {
    name: "leftovers",
    run: async (services) => {
      const { report } = await prune(services, false);
      const parts = [
        [report.stale_registry, "project", "projects", "whose file is gone"],
        [report.leaked_processes, "process", "processes", "without an owner"],
        [report.stale_leases, "port", "ports", "nobody needs"],
        [report.orphan_log_dirs, "log folder", "log folders", "of nobody"],
      ] as const;
      const found = parts.filter(([some]) => some.length > 0)
        .map(([{ length }, one, several, which]) =>
          `${length} ${length === 1 ? one : several} ${which}`
        );
      return found.length === 0
        ? passed("nothing is left over")
        : warned(found.join(", "), "taskmux prune");
    },
  },
  {
    name: "python_daemon",
    run: async ({ paths }, signal) => {
      const found = await findPythonDaemon(paths, signal);
      return found === null
        ? passed("the Python taskmux does not run")
        : warned(found.message, `kill ${found.pid}`);
    },
  },
];

/** Checks everything. At most {@linkcode CHECK_LIMIT_MS}. */
export async function examine(services: Services): Promise<Finding[]> {
  return await runChecks(DAEMON_CHECKS, services, {
    clock: systemClock,
    limitMs: CHECK_LIMIT_MS,
    lastResort: `tail -n 20 ${services.paths.daemonLog}`,
  });
}

/** Whether programs find the names of tasks. */
function judgeNames(status: Result<"dns.status">): CheckAnswer {
  const { names, resolves, resolver, unresolved, detail, tld } = status;
  if (names.length === 0) return passed("no task has a host");
  if (status.configured === "noop") return passed("host_resolver is noop");
  const isStale = status.installed && !status.current;
  if (resolves !== false && !isStale) return passed(`${resolver}, ${detail}`);
  const what = unresolved.length === 0
    ? detail
    : `${unresolved.join(", ")} not found by programs of this machine`;
  const isKnown = tld === "localhost" && !isStale;
  return warned(
    isKnown ? `${what}; browsers and curl know them all the same` : what,
    status.hint ?? "taskmux dns status",
  );
}

/** Kibibytes that this user may still write below a folder; null = unknown. */
async function freeKib(
  folder: string,
  signal: AbortSignal,
): Promise<number | null> {
  const output = await outputOf(["df", "-Pk", folder], signal);
  const last = output.trimEnd().split("\n").at(-1) ?? "";
  const match = /\s\d+\s+\d+\s+(\d+)\s+\d+%\s/.exec(last);
  return match === null ? null : Number(match[1]);
}

async function lineOf(script: string, signal: AbortSignal): Promise<string> {
  return (await outputOf(["/bin/sh", "-c", script], signal)).trim();
}

/** Empty if the program fails. */
async function outputOf(
  argv: readonly [string, ...string[]],
  signal: AbortSignal,
): Promise<string> {
  const outcome = await runCommand({
    argv,
    cwd: "/",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    timeoutMs: PROGRAM_LIMIT_MS,
    killGraceMs: 100,
    outputLimitBytes: 16 * 1024,
    stderr: "discard",
    leftovers: "kill",
    clock: systemClock,
    signal,
  });
  return outcome.kind === "exited" && outcome.code === 0 ? outcome.output : "";
}
