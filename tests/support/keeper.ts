/**
 * A real keeper for a test, with exactly the permissions it has in earnest.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { launchEnvironment } from "../../src/config/launch.ts";
import { KeeperClient } from "../../src/pty/keeper_client.ts";
import { keeperArguments } from "../../src/pty/keeper_process.ts";
import type {
  KeeperNotice,
  KeeperRun,
  LogTarget,
  RunEnd,
  SpawnParams,
} from "../../src/pty/protocol.ts";
import { keeperCommand, REPOSITORY } from "./deno_flags.ts";
import { testLibc } from "./processes.ts";
import { type TempHome, tempHome } from "./temp_home.ts";
import { until } from "./until.ts";

/** Where the programs are that tests start. */
export const PROGRAMS = `${REPOSITORY}/tests/fixtures/programs`;

/** Enough that no test rotates by accident. */
const MAX_LOG_BYTES = 64 * 1024 * 1024;

/** What a spawn in a test may leave out. */
export type SpawnOptions =
  & Partial<Omit<SpawnParams, "argv" | "log">>
  & {
    readonly log?: Partial<LogTarget>;
  };

/** A running keeper and a connection to it. */
export interface TestKeeper extends AsyncDisposable {
  readonly home: TempHome;
  readonly client: KeeperClient;
  readonly pid: number;
  readonly child: Deno.ChildProcess;
  /** Everything the keeper said unasked, oldest first. */
  readonly notices: KeeperNotice[];
  /** Starts a shell command as a run; the log goes to {@linkcode logOf}. */
  sh(command: string, options?: SpawnOptions): Promise<KeeperRun>;
  /** Starts a program as a run. */
  spawn(
    argv: SpawnParams["argv"],
    options?: SpawnOptions,
  ): Promise<KeeperRun>;
  /** The end of a run, once it is over. */
  ended(runId: string): Promise<RunEnd>;
  /** Path of the log of a run by its key. */
  logOf(key: string): string;
  /** Texts of the log lines of a run by its key, without stamps. */
  lines(key: string): string[];
}

/** The command of a keeper in this home. */
export function testKeeperCommand(
  home: TempHome,
  idleMs?: number,
): { program: string; args: string[]; env: Record<string, string> } {
  const libc = testLibc();
  const { keeperSocket, keeperLock, keeperLog } = home.paths;
  const command = keeperCommand(
    home.paths,
    libc,
    keeperArguments({
      socketPath: keeperSocket,
      lockPath: keeperLock,
      logPath: keeperLog,
      libc,
      ...(idleMs === undefined ? {} : { idleMs }),
    }),
  );
  return { ...command, env: launchEnvironment(home.env) };
}

/** A run id nobody has had. */
export function newRunId(): string {
  return crypto.getRandomValues(new Uint8Array(6)).toHex();
}

/** Starts a keeper. Disposal ends it and all its runs, and removes the home unless it was given. */
export async function testKeeper(given?: TempHome): Promise<TestKeeper> {
  const home = given ?? await tempHome();
  const { program, args, env } = testKeeperCommand(home);
  const child = new Deno.Command(program, {
    args,
    env,
    clearEnv: true,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const client = await until(() => connectIfUp(home), {
    what: "keeper is up",
  });
  const notices: KeeperNotice[] = [];
  client.onNotice((notice) => notices.push(notice));
  const logOf = (key: string) => `${home.root}/logs/${key}.log`;
  const spawn: TestKeeper["spawn"] = (argv, options = {}) => {
    const key = options.key ?? "task";
    return client.request("spawn", {
      runId: newRunId(),
      cwd: home.work,
      env: { PATH: Deno.env.get("PATH") ?? "", ...home.env },
      ...options,
      key,
      argv,
      log: {
        path: logOf(key),
        maxBytes: MAX_LOG_BYTES,
        maxFiles: 3,
        ...options.log,
      },
    });
  };
  return {
    home,
    client,
    pid: client.hello.pid,
    child,
    notices,
    spawn,
    sh: (command, options) => spawn(["/bin/sh", "-c", command], options),
    ended: async (runId) => {
      const notice = await until(() => findEnd(notices, runId), {
        what: `run ${runId} is over`,
      });
      return notice.end;
    },
    logOf,
    lines: (key) => logTexts(logOf(key)),
    [Symbol.asyncDispose]: async () => {
      client.close();
      await client.closed;
      try {
        child.kill("SIGTERM");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
      await child.status;
      if (given === undefined) await home[Symbol.asyncDispose]();
    },
  };
}

/** Texts of the lines of a log file, without their stamps; none if there is no file. */
export function logTexts(path: string): string[] {
  if (!existsSync(path)) return [];
  const lines = Deno.readTextFileSync(path).split("\n");
  lines.pop();
  return lines.map((line) => line.slice(24));
}

async function connectIfUp(home: TempHome): Promise<KeeperClient | null> {
  try {
    return await KeeperClient.connect(home.paths.keeperSocket);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.ConnectionRefused
    ) return null;
    throw error;
  }
}

function findEnd(
  notices: readonly KeeperNotice[],
  runId: string,
): Extract<KeeperNotice, { notice: "ended" }> | undefined {
  return notices.filter((notice) => notice.notice === "ended")
    .find((notice) => notice.runId === runId);
}
