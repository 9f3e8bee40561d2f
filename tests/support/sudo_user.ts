/**
 * Another user of this machine, who calls `taskmux` with and without `sudo`. Needs root, and leaves the machine's own
 * list of users alone: programs see another one in a mount namespace of theirs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { denoCommand } from "../../src/config/launch.ts";
import { type Paths, resolvePaths } from "../../src/config/paths.ts";
import { cliFlags } from "../../src/config/permissions.ts";
import type { CliRun } from "./cli.ts";
import { REPOSITORY, testDenoDirectory } from "./deno_flags.ts";
import { killIfThere } from "./taskmux.ts";
import { until } from "./until.ts";

const NAME = "tmxuser";
const EXTRA_GROUP = "tmxextra";

/** Where the tests can be run at all. */
export const CAN_BE_OTHERS = Deno.build.os === "linux" && Deno.uid() === 0 &&
  succeeds("unshare", "--mount", "setpriv", "--reuid=65534", "true");

/** As whom a command line is said. */
export type Caller = "user" | "sudo";

/** See the module. Made by {@linkcode secondUser}. */
export class SecondUser implements AsyncDisposable {
  readonly name = NAME;
  readonly uid: number;
  readonly groups: readonly number[];
  /** Holds everything, and belongs to root. */
  readonly root: string;
  readonly home: string;
  readonly denoDir: string;
  readonly paths: Paths;
  /** Words before each command, such as those that enter namespaces. */
  enter: readonly string[] = [];

  constructor(root: string, uid: number) {
    this.root = root;
    this.uid = uid;
    this.groups = [uid, uid + 1];
    this.home = `${root}/home`;
    this.denoDir = `${this.home}/.cache/deno`;
    this.paths = resolvePaths({ HOME: this.home });
  }

  /** Runs a command line of the CLI to its end. */
  async run(
    caller: Caller,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<CliRun> {
    const output = await this.spawn(caller, args, env).output();
    const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) =>
      new TextDecoder().decode(bytes)
    ) as [string, string];
    return {
      code: output.code,
      stdout,
      stderr,
      json: () => JSON.parse(stdout),
    };
  }

  /** Runs a command line with `--json` that must succeed. */
  async ok<T extends object = Record<string, unknown>>(
    caller: Caller,
    args: readonly string[],
  ): Promise<T> {
    const run = await this.run(caller, ["--json", ...args]);
    assert.equal(run.code, 0, `${args.join(" ")}: ${run.stdout}${run.stderr}`);
    return run.json() as T;
  }

  /** Starts a command line of the CLI. */
  spawn(
    caller: Caller,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Deno.ChildProcess {
    const command = denoCommand({
      entry: `${this.root}/code/main.ts`,
      flags: cliFlags(this.paths),
      args,
    });
    return this.command(caller, [command.program, ...command.args], env)
      .spawn();
  }

  /** A program in the user's project folder. */
  command(
    caller: Caller,
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Deno.Command {
    const { root, uid, home } = this;
    const become = caller === "sudo" ? [] : [
      "setpriv",
      `--reuid=${uid}`,
      `--regid=${uid}`,
      `--groups=${this.groups.join(",")}`,
    ];
    const [program, ...args] = [
      ...this.enter,
      "unshare",
      "--mount",
      "sh",
      "-c",
      `cd "$1" && shift && mount --bind ${root}/passwd /etc/passwd && ` +
      `mount --bind ${root}/group /etc/group && exec "$@"`,
      "sh",
      `${home}/work`,
      ...become,
      ...words,
    ];
    return new Deno.Command(program!, {
      args,
      clearEnv: true,
      env: {
        PATH: `${root}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
        NO_COLOR: "1",
        ...caller === "user" ? { HOME: home, USER: NAME, LOGNAME: NAME } : {
          HOME: `${root}/root`,
          USER: "root",
          LOGNAME: "root",
          SUDO_USER: NAME,
          SUDO_UID: String(uid),
          SUDO_GID: String(uid),
          SUDO_COMMAND: "taskmux",
        },
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Writes a file that belongs to the user. */
  async write(path: string, text: string): Promise<void> {
    await Deno.writeTextFile(path, text);
    await Deno.chown(path, this.uid, this.uid);
  }

  /** Makes a folder that belongs to the user. */
  async folder(path: string): Promise<void> {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    await Deno.chown(path, this.uid, this.uid);
  }

  /** Paths in the user's home that belong to root. */
  async rootsFiles(): Promise<string[]> {
    const { stdout } = await new Deno.Command("find", {
      args: [this.home, "-uid", "0"],
    }).output();
    return new TextDecoder().decode(stdout).split("\n").filter(Boolean);
  }

  /** Pids of whatever runs as this user. */
  async processes(): Promise<number[]> {
    const { stdout } = await new Deno.Command("ps", {
      args: ["-o", "pid=,stat=", "-u", String(this.uid)],
    }).output();
    return new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
      const [pid, stat] = line.trim().split(/\s+/);
      return pid && !stat?.startsWith("Z") ? [Number(pid)] : [];
    });
  }

  /** Ends the daemon; fails the test if something of the user is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.run("user", ["daemon", "stop"]);
      await until(async () => (await this.processes()).length === 0);
    } finally {
      for (const pid of await this.processes()) killIfThere(pid);
      await Deno.remove(this.root, { recursive: true });
    }
  }
}

/** Makes one, with a home, a copy of the program that they may read, and the packages it needs. */
export async function secondUser(hostConfig: string): Promise<SecondUser> {
  const root = await Deno.makeTempDir({ dir: "/tmp", prefix: "tmx-" });
  await Deno.chmod(root, 0o755);
  const uid = 40_000 + Math.floor(Math.random() * 20_000);
  const user = new SecondUser(root, uid);
  const { home, denoDir } = user;
  await user.folder(home);
  for (const name of ["work", ".taskmux", ".cache", ".cache/deno"]) {
    await user.folder(`${home}/${name}`);
  }
  await user.write(user.paths.hostConfig, hostConfig);
  await Deno.writeTextFile(
    `${root}/passwd`,
    "root:x:0:0:root:/root:/bin/sh\n" +
      `${NAME}:x:${uid}:${uid}::${home}:/bin/sh\n`,
  );
  await Deno.writeTextFile(
    `${root}/group`,
    `root:x:0:\n${NAME}:x:${uid}:\n${EXTRA_GROUP}:x:${uid + 1}:${NAME}\n`,
  );
  await copy([`${testDenoDirectory()}/npm`], denoDir);
  await shell(`chown -R ${uid}:${uid} ${denoDir}`);
  await Deno.mkdir(`${root}/root/.cache/deno`, { recursive: true });
  await Deno.symlink(
    `${testDenoDirectory()}/npm`,
    `${root}/root/.cache/deno/npm`,
  );
  await Deno.mkdir(`${root}/code`);
  const parts = [
    "main.ts",
    "src",
    "schema",
    "skills",
    "deno.json",
    "deno.lock",
  ];
  await copy(parts.map((part) => `${REPOSITORY}/${part}`), `${root}/code`);
  await shell(`chmod -R go+rX ${root}/code`);
  await Deno.mkdir(`${root}/bin`);
  await provideDeno(user);
  return user;
}

/** Root's Deno may lie where nobody else may look. */
async function provideDeno(user: SecondUser): Promise<void> {
  const version = await user.command("user", ["deno", "--version"]).output();
  if (!version.success) await copy([Deno.execPath()], `${user.root}/bin`);
}

async function copy(from: readonly string[], to: string): Promise<void> {
  const { success } = await new Deno.Command("cp", {
    args: ["-r", "--reflink=auto", ...from, to],
  }).output();
  assert(success, `copied to ${to}`);
}

async function shell(script: string): Promise<void> {
  const { success } = await new Deno.Command("sh", { args: ["-c", script] })
    .output();
  assert(success, script);
}

function succeeds(program: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}

/** Free ports that only root may bind, where the system has such. */
export function privilegedPorts(count: number): number[] {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 600 + Math.floor(Math.random() * 420);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      ports.add(port);
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  return [...ports];
}
