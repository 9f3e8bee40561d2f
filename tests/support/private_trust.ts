/**
 * A machine's stores of trusted certificates of a test's own: programs see copies of them, mounted over the real ones.
 *
 * @module
 */

import assert from "node:assert/strict";
import { canRun } from "./optional_tool.ts";
import type { TempHome } from "./temp_home.ts";

/** Folders of the system of which a test gets a copy. */
const FOLDERS = ["/usr/local/share/ca-certificates", "/etc/ssl/certs"];

/** Programs of packages that are to hear of changes, such as Java's, and would change the real machine. */
const HOOKS = "/etc/ca-certificates/update.d";

const HOSTS = "/etc/hosts";

/** What tells clients of certificates on the machine of the tests. */
const TRUST_VARIABLE = /_CA_|CERT|CA_BUNDLE|CAINFO/;

/** Whether such a machine can be made here. */
export const HAS_PRIVATE_TRUST: boolean = Deno.build.os === "linux" &&
  canRun("stores of certificates", ["unshare", "--mount", "true"]) &&
  canRun("stores of certificates", ["sh", "-c", "test -d " + FOLDERS[0]]);

/** See the module. */
export interface PrivateTrust {
  /** Words before each program that is to see the copies. */
  readonly launcher: readonly string[];
  /** Folder of the certificates that an administrator adds. */
  readonly anchors: string;
  /** File of all certificates of the system. */
  readonly bundle: string;
  /** The environment of a client that was told nothing of certificates. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a program there. */
  run(
    argv: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<{ readonly code: number; readonly output: string }>;
}

/**
 * Makes one below a home, whose HOME has nothing of browsers in it.
 *
 * @param names Host names that lead to 127.0.0.1 there.
 */
export async function privateTrust(
  { root }: Pick<TempHome, "root">,
  names: readonly string[],
): Promise<PrivateTrust> {
  const base = `${root}/trust`;
  const mounts: string[] = [];
  await Deno.mkdir(base);
  for (const [index, folder] of [...FOLDERS, HOOKS].entries()) {
    const copy = `${base}/${index}`;
    await Deno.mkdir(copy);
    if (folder !== HOOKS) await succeed("cp", "-a", `${folder}/.`, copy);
    mounts.push(`mount --bind ${copy} ${folder}`);
  }
  await Deno.writeTextFile(
    `${base}/hosts`,
    `127.0.0.1 ${["localhost", ...names].join(" ")}\n::1 localhost\n`,
  );
  mounts.push(`mount --bind ${base}/hosts ${HOSTS}`);
  const launcher = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    `${mounts.join(" && ")} && exec "$@"`,
    "sh",
  ];
  const env = {
    ...Object.fromEntries(
      Object.entries(Deno.env.toObject()).filter(([name]) =>
        !TRUST_VARIABLE.test(name)
      ),
    ),
    HOME: root,
  };
  return {
    launcher,
    anchors: `${base}/0`,
    bundle: `${base}/1/ca-certificates.crt`,
    env,
    async run(argv, more = {}) {
      const [program = "", ...args] = [...launcher, ...argv];
      const { code, stdout, stderr } = await new Deno.Command(program, {
        args,
        env: { ...env, ...more },
        clearEnv: true,
        stdin: "null",
      }).output();
      const decoder = new TextDecoder();
      return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
    },
  };
}

async function succeed(program: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, { args }).output();
  assert(success, `${program} ${args.join(" ")}`);
}
