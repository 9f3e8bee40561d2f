/**
 * A machine of a test's own, as far as names go: its own `/etc`, which nobody else sees, in which nothing resolves names
 * but a hosts file; if wanted with a network of its own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { canRun } from "./optional_tool.ts";

/** Whether such a machine can be made. Says why not. */
export const CAN_HAVE_OWN_ETC: boolean = Deno.build.os === "linux" &&
  Deno.uid() === 0 &&
  canRun("names on a machine of their own", [
    "unshare",
    "--mount",
    "--net",
    "ip",
    "link",
    "set",
    "lo",
    "up",
  ]);

/** The hosts file that it begins with: lines of a user that nobody may lose, the last of them open. */
export const USER_HOSTS =
  "127.0.0.1\tlocalhost\n::1\tlocalhost\n# mine: ä\n10.1.2.3 build.lan";

/** See the module. */
export interface PrivateEtc extends AsyncDisposable {
  /** The hosts file, seen from outside. */
  readonly hosts: string;
  /** Words that run a command on that machine. Each has namespaces of its own with the same files. */
  readonly enter: readonly string[];
  /** The text of the hosts file. */
  read(): Promise<string>;
}

/** How to make one. */
export interface PrivateEtcOptions {
  /** The hosts file is mounted by itself, as in a container. */
  readonly isMounted?: boolean;
  /** Its own loopback, and with it all ports; names are asked for at its port 53. */
  readonly ownNetwork?: boolean;
}

/** Makes one. */
export async function privateEtc(
  options: PrivateEtcOptions = {},
): Promise<PrivateEtc> {
  const root = await Deno.makeTempDir({ dir: "/tmp", prefix: "tmx-etc-" });
  await Deno.chmod(root, 0o755);
  const etc = `${root}/etc`;
  const { success } = await new Deno.Command("cp", {
    args: ["-a", "/etc", etc],
  })
    .output();
  assert(success, "copied /etc");
  // Nobody listens at the other address; asking there fails at once.
  const server = options.ownNetwork === true ? "127.0.0.1" : "127.94.86.1";
  const files = {
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "resolv.conf": `nameserver ${server}\noptions timeout:1 attempts:1\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    // It may be a link out of the copy.
    await Deno.remove(`${etc}/${name}`).catch(whenMissing);
    await Deno.writeTextFile(`${etc}/${name}`, text);
  }
  const mounted = `${root}/hosts`;
  const hosts = options.isMounted === true ? mounted : `${etc}/hosts`;
  await Deno.remove(`${etc}/hosts`).catch(whenMissing);
  await Deno.writeTextFile(`${etc}/hosts`, "", { mode: 0o644 });
  await Deno.writeTextFile(hosts, USER_HOSTS, { mode: 0o644 });
  const script = [
    ...options.ownNetwork === true ? ["ip link set lo up"] : [],
    `mount --bind ${etc} /etc`,
    ...options.isMounted === true ? [`mount --bind ${hosts} /etc/hosts`] : [],
    'exec "$@"',
  ].join(" && ");
  const network = options.ownNetwork === true ? ["--net"] : [];
  return {
    hosts,
    enter: ["unshare", "--mount", ...network, "sh", "-c", script, "sh"],
    read: () => Deno.readTextFile(hosts),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** Programs that look a name up, each in its own way: `getaddrinfo` asked by C, Node, Python and Deno. */
const LOOKUPS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  getent: ["getent", "ahosts"],
  node: [
    "node",
    "-e",
    'require("dns").lookup(process.argv[1],{all:true},(e,a)=>{if(e)throw e;for(const x of a)console.log(x.address)})',
  ],
  python: [
    "python3",
    "-c",
    "import socket,sys\nfor a in socket.getaddrinfo(sys.argv[1],443):print(a[4][0])",
  ],
};

/**
 * The addresses that programs find under a name.
 *
 * @param enter Words that run a program where the name is to be looked up.
 */
export async function lookedUp(
  name: string,
  enter: readonly string[],
): Promise<Record<string, string[]>> {
  const found = await Promise.all(
    Object.entries(LOOKUPS).map(async ([tool, words]) => {
      const [program, ...args] = [...enter, ...words, name];
      const { stdout } = await new Deno.Command(program!, {
        args,
        stderr: "null",
      }).output();
      const addresses = new TextDecoder().decode(stdout).split("\n")
        .map((line) => line.split(/\s+/)[0] ?? "").filter(Boolean);
      return [tool, [...new Set(addresses)].sort()] as const;
    }),
  );
  return Object.fromEntries(found);
}

/** What {@linkcode lookedUp} answers if every program finds these. */
export function everywhere(
  ...addresses: readonly string[]
): Record<string, string[]> {
  return Object.fromEntries(
    Object.keys(LOOKUPS).map((tool) => [tool, [...addresses].sort()]),
  );
}

function whenMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
