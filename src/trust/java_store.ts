/**
 * Java's own store, `cacerts`.
 *
 * @module
 */

import {
  certificatesIn,
  fingerprintOf,
  isOwnKind,
  isSame,
  type RootCertificate,
} from "./root_certificate.ts";
import type { Argv, Toolbox, ToolRun } from "./toolbox.ts";
import {
  absent,
  settled,
  type StoreAnswer,
  type TrustStore,
  unsettled,
  untold,
} from "./trust_store.ts";

const PROGRAM = "keytool";
const PACKAGES = {
  "apt-get": "default-jre-headless",
  dnf: "java-latest-openjdk-headless",
  pacman: "jre-openjdk-headless",
  zypper: "java-headless",
  apk: "openjdk21-jre-headless",
  brew: "openjdk",
};

/** The password of every `cacerts` that nobody changed. It guards nothing. */
const PASSWORD = "changeit";

/** First bytes of the older format, in which certificates lie as they are. */
const JKS_MAGIC = 0xfeedfeed;

/** Where `cacerts` lies below the folder of a Java. */
const PLACES = ["lib/security/cacerts", "jre/lib/security/cacerts"];

/** One entry of the listing: alias, then the fingerprint of its certificate. */
const ENTRY_REGEXP =
  /^(.+?), [^\n]*, trustedCertEntry,[^\n]*\n[^\n:]*\(SHA-256\): ([0-9A-F:]{95})/gm;

/** An entry of a store. */
interface JavaEntry {
  readonly alias: string;
  readonly fingerprint: string;
}

/** A Java of this machine. */
export interface JavaPlace {
  /** Absolute path of `cacerts`, links followed. */
  readonly cacerts: string;
  /** Absolute path of its keytool; null = there is none. */
  readonly keytool: string | null;
}

/** The Java of JAVA_HOME, else the one on the PATH; null = there is none, or none with a store. */
export async function findJava(tools: Toolbox): Promise<JavaPlace | null> {
  const home = tools.env["JAVA_HOME"];
  const java = tools.find("java");
  const folders = [
    ...home?.startsWith("/") ? [home] : [],
    ...java === null ? [] : [(await Deno.realPath(java)).replace(
      /\/(?:jre\/)?bin\/[^/]*$/,
      "",
    )],
  ];
  for (const folder of folders) {
    for (const place of PLACES) {
      const cacerts = await realPath(`${folder}/${place}`);
      if (cacerts === null) continue;
      const own = await realPath(`${folder}/bin/${PROGRAM}`);
      return { cacerts, keytool: own ?? tools.find(PROGRAM) };
    }
  }
  return null;
}

/** See the module. */
export class JavaStore implements TrustStore {
  readonly kind = "java";
  readonly path: string;
  readonly #keytool: string | null;
  readonly #name: string;
  readonly #tools: Toolbox;

  constructor(
    { cacerts, keytool }: JavaPlace,
    { name, tools }: { readonly name: string; readonly tools: Toolbox },
  ) {
    this.path = cacerts;
    this.#keytool = keytool;
    this.#name = name;
    this.#tools = tools;
  }

  async look(root: RootCertificate): Promise<StoreAnswer> {
    const bytes = await Deno.readFile(this.path);
    if (includes(bytes, root.der)) return settled("present");
    const magic = bytes.length < 4
      ? 0
      : new DataView(bytes.buffer).getUint32(0);
    if (magic === JKS_MAGIC) return absent(null);
    if (!this.#tools.canRun) return untold(`only ${PROGRAM} can read it`);
    const entries = await this.#entries();
    if (!Array.isArray(entries)) return entries;
    return entries.some(({ fingerprint }) => fingerprint === root.fingerprint)
      ? settled("present")
      : absent(null);
  }

  async install(root: RootCertificate): Promise<StoreAnswer> {
    const entries = await this.#entries();
    if (!Array.isArray(entries)) return entries;
    const earlier = entries.find(({ alias, fingerprint }) =>
      alias === this.#name && fingerprint !== root.fingerprint
    );
    const isThere = entries.some(({ fingerprint }) =>
      fingerprint === root.fingerprint
    );
    if (isThere && earlier === undefined) return settled("present");
    if (earlier !== undefined && !await this.#isOwn(earlier)) {
      return this.#nameTaken(isThere);
    }
    const commands = [
      ...earlier === undefined ? [] : [this.#argv("-delete", this.#name)],
      ...isThere ? [] : [
        this.#argv(
          "-importcert",
          this.#name,
          "-noprompt",
          "-trustcacerts",
          "-file",
          root.path,
        ),
      ],
    ];
    const trouble = await this.#perform(commands, isThere);
    return trouble ??
      settled(
        "installed",
        earlier === undefined ? null : "in place of an earlier one",
      );
  }

  async uninstall(root: RootCertificate | null): Promise<StoreAnswer> {
    const entries = await this.#entries();
    if (!Array.isArray(entries)) return entries;
    const named = entries.find(({ alias, fingerprint }) =>
      alias === this.#name && fingerprint !== root?.fingerprint
    );
    const ours = [
      ...entries.filter(({ fingerprint }) => fingerprint === root?.fingerprint),
      ...named !== undefined && await this.#isOwn(named) ? [named] : [],
    ];
    if (ours.length === 0) return settled("absent");
    const commands = ours.map(({ alias }) => this.#argv("-delete", alias));
    return await this.#perform(commands, true) ?? settled("removed");
  }

  /** All that it trusts; or why nobody can tell. */
  async #entries(): Promise<JavaEntry[] | StoreAnswer> {
    if (this.#keytool === null) {
      return unsettled("no_tool", {
        trusted: null,
        detail: `there is no ${PROGRAM}`,
        fix: this.#tools.installLine(PACKAGES),
      });
    }
    const run = await this.#run([this.#keytool, "-list", ...this.#store()]);
    if (!run.ok) {
      return unsettled("failed", {
        trusted: null,
        detail: `it cannot be read: ${run.reason}`,
        fix: this.#tools.typed([
          this.#keytool,
          "-list",
          "-keystore",
          this.path,
        ]),
      });
    }
    return [...run.output.matchAll(ENTRY_REGEXP)].map((
      [, alias = "", fingerprint = ""],
    ) => ({ alias, fingerprint }));
  }

  /** Whether an entry that has our name is of our kind. */
  async #isOwn({ alias, fingerprint }: JavaEntry): Promise<boolean> {
    const argv = this.#argv("-exportcert", alias, "-rfc");
    const [der] = certificatesIn((await this.#run(argv)).output);
    return der !== undefined && await fingerprintOf(der) === fingerprint &&
      isOwnKind(der);
  }

  /** Does it, as root where the file is root's; the answer is why that was not possible. */
  async #perform(
    commands: readonly Argv[],
    trusted: boolean,
  ): Promise<StoreAnswer | null> {
    const isOwner = await isWritable(this.path);
    const fix = isOwner
      ? commands.map((argv) => this.#tools.typed(argv)).join(" && ")
      : this.#tools.typedAsRoot(commands);
    if (!isOwner && !await this.#tools.canBeRoot()) {
      const detail = "only root can change it";
      return unsettled("needs_root", { trusted, detail, fix });
    }
    for (const argv of commands) {
      const run = isOwner
        ? await this.#run(argv)
        : await this.#tools.asRoot(argv);
      if (!run.ok) {
        return unsettled("failed", { trusted, detail: run.reason, fix });
      }
    }
    return null;
  }

  #nameTaken(trusted: boolean): StoreAnswer {
    return unsettled("failed", {
      trusted,
      detail: `a certificate that is not ours is called "${this.#name}" there`,
      fix: null,
    });
  }

  #argv(action: string, alias: string, ...more: string[]): Argv {
    const keytool = this.#keytool ?? PROGRAM;
    return [keytool, action, "-alias", alias, ...this.#store(), ...more];
  }

  #store(): string[] {
    return ["-keystore", this.path, "-storepass", PASSWORD];
  }

  #run([program, ...args]: Argv): Promise<ToolRun> {
    // The listing is read, so it must not be in the language of the user.
    return this.#tools.run([program, "-J-Duser.language=en", ...args]);
  }
}

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  let start = bytes.indexOf(part[0]!);
  while (start >= 0) {
    if (isSame(bytes.subarray(start, start + part.length), part)) return true;
    start = bytes.indexOf(part[0]!, start + 1);
  }
  return false;
}

async function isWritable(path: string): Promise<boolean> {
  try {
    using _file = await Deno.open(path, { write: true });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return false;
    // A file system that nobody can write to is read-only for root as well, which keytool then tells.
    if (error instanceof Error && "code" in error && error.code === "EROFS") {
      return true;
    }
    throw error;
  }
}

async function realPath(path: string): Promise<string | null> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied
    ) return null;
    throw error;
  }
}
