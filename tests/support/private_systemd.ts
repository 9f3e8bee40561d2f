/**
 * A systemd of a test's own: first process of new namespaces, in a cgroup of its own, with nothing but the targets that
 * a service hangs from. The machine's settings in `/proc/sys` are out of its reach.
 *
 * @module
 */

import { until } from "./until.ts";

const SYSTEMD = "/lib/systemd/systemd";

/** Targets that services depend on by default. */
const TARGETS = [
  "sysinit",
  "basic",
  "multi-user",
  "shutdown",
  "final",
  "umount",
];

/** A running systemd. */
export class PrivateSystemd implements AsyncDisposable {
  /** Words before a command that is to run beside it. */
  readonly enter: readonly string[];
  readonly #unshare: Deno.ChildProcess;
  readonly #pid: number;
  readonly #cgroup: string;

  private constructor(unshare: Deno.ChildProcess, pid: number, cgroup: string) {
    this.#unshare = unshare;
    this.#pid = pid;
    this.#cgroup = cgroup;
    this.enter = ["nsenter", `--target=${pid}`, "--mount", "--pid", "--cgroup"];
  }

  /**
   * Starts one.
   *
   * @returns Why that is impossible here.
   */
  static async start(): Promise<PrivateSystemd | string> {
    if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "needs root";
    if (!await exists(SYSTEMD)) return `there is no ${SYSTEMD}`;
    const hierarchy = (await run("findmnt", "-nt", "cgroup2", "-o", "TARGET"))
      .split("\n")[0];
    if (!hierarchy) return "no cgroup v2 is mounted";
    const cgroup = `${hierarchy}/tmx-${crypto.randomUUID().slice(0, 8)}`;
    if (!await succeeds("mkdir", cgroup)) return "a cgroup cannot be made";
    const unshare = new Deno.Command("sh", {
      args: ["-c", OUTER, "sh", cgroup, INNER],
      env: { container: "taskmux-test" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const pid = await until(async () => {
        const [child] = await numbers(
          "ps",
          "-o",
          "pid=",
          "--ppid",
          unshare.pid,
        );
        return child;
      }, { timeoutMs: 5_000 });
      const systemd = new PrivateSystemd(unshare, pid, cgroup);
      await until(async () => {
        const state = await systemd.try("systemctl", "is-system-running");
        return /running|degraded/.test(state);
      }, { timeoutMs: 15_000 });
      return systemd;
    } catch (error) {
      unshare.kill("SIGKILL");
      await unshare.status;
      await removeCgroup(cgroup);
      return `it does not come up: ${error}`;
    }
  }

  /** What a command prints that runs beside it; whether it succeeds does not matter. */
  try(...words: string[]): Promise<string> {
    const [program, ...args] = [...this.enter, ...words];
    return run(program!, ...args);
  }

  /** A property of a unit. */
  async property(unit: string, name: string): Promise<string> {
    const text = await this.try("systemctl", "show", `-p${name}`, unit);
    return text.trim().slice(name.length + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The end of the first process is the end of all in its namespace.
    Deno.kill(this.#pid, "SIGKILL");
    await this.#unshare.status;
    await removeCgroup(this.#cgroup);
  }
}

const OUTER = `
echo $$ > "$1/cgroup.procs" || exit 1
exec unshare --pid --mount --ipc --uts --cgroup --fork --kill-child --mount-proc sh -c "$2"
`;

const INNER = `
set -e
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for folder in /run /etc/systemd/system /usr/lib/systemd/system; do
  mount -t tmpfs -o mode=755 tmpfs $folder
done
for target in ${TARGETS.join(" ")}; do
  printf '[Unit]\\nDefaultDependencies=no\\n' > /usr/lib/systemd/system/$target.target
done
exec ${SYSTEMD} --system --unit=multi-user.target --show-status=no --log-target=null
`;

async function removeCgroup(folder: string): Promise<void> {
  await until(async () => {
    await run(
      "find",
      folder,
      "-depth",
      "-type",
      "d",
      "-exec",
      "rmdir",
      "{}",
      "+",
    );
    return !await exists(folder);
  });
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args, stderr: "null" })
    .output();
  return new TextDecoder().decode(stdout);
}

async function numbers(
  program: string,
  ...args: (string | number)[]
): Promise<number[]> {
  const text = await run(program, ...args.map(String));
  return text.split("\n").filter((line) => line.trim() !== "").map(Number);
}

/** By programs, since Deno may not look at the kernel's own file systems. */
function exists(path: string): Promise<boolean> {
  return succeeds("test", "-e", path);
}

async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(program, {
    args,
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}
