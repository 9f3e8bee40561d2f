/**
 * The store of the system on Linux: a folder of certificates that an administrator adds, and a program that makes of it
 * what OpenSSL, GnuTLS and others read.
 *
 * @module
 */

import {
  certificatesIn,
  holdsCertificate,
  isOwnKind,
  isSame,
  type RootCertificate,
} from "./root_certificate.ts";
import type { Argv, Toolbox } from "./toolbox.ts";
import {
  absent,
  settled,
  type StoreAnswer,
  type TrustStore,
  unsettled,
} from "./trust_store.ts";

/** One way in which systems keep their certificates. */
interface Layout {
  /** Folder for certificates of administrators. */
  readonly anchors: string;
  /** Brings everything up to date after one was added. */
  readonly update: Argv;
  /** The same after one was removed. */
  readonly renew: Argv;
  /** Where all of them can be read, the first that exists. */
  readonly bundles: readonly string[];
}

/** In the order in which they are looked for; the last one's folder exists on other systems as well. */
const LAYOUTS: readonly Layout[] = [
  // Fedora and its relatives.
  {
    anchors: "/etc/pki/ca-trust/source/anchors",
    update: ["update-ca-trust", "extract"],
    renew: ["update-ca-trust", "extract"],
    bundles: ["/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"],
  },
  // Arch.
  {
    anchors: "/etc/ca-certificates/trust-source/anchors",
    update: ["update-ca-trust"],
    renew: ["update-ca-trust"],
    bundles: ["/etc/ca-certificates/extracted/tls-ca-bundle.pem"],
  },
  // openSUSE.
  {
    anchors: "/etc/pki/trust/anchors",
    update: ["update-ca-certificates"],
    renew: ["update-ca-certificates"],
    bundles: ["/var/lib/ca-certificates/ca-bundle.pem"],
  },
  // Debian, Ubuntu, Alpine. A certificate that is gone is taken out of the folder of hashes by --fresh alone.
  {
    anchors: "/usr/local/share/ca-certificates",
    update: ["update-ca-certificates"],
    renew: ["update-ca-certificates", "--fresh"],
    bundles: ["/etc/ssl/certs/ca-certificates.crt"],
  },
];

const PACKAGE = "ca-certificates";
const PACKAGES = {
  "apt-get": PACKAGE,
  dnf: PACKAGE,
  pacman: PACKAGE,
  zypper: PACKAGE,
  apk: PACKAGE,
  brew: PACKAGE,
};

/** Bigger files of the folder are no certificates. */
const MAX_ANCHOR_BYTES = 1024 * 1024;

const ANCHOR_MODE = "0644";

/** A file of the folder that holds one certificate. */
interface Anchor {
  readonly path: string;
  readonly der: Uint8Array;
}

/** See the module. */
export class SystemStore implements TrustStore {
  readonly kind = "system";
  readonly path: string;
  readonly #layout: Layout | null;
  readonly #tools: Toolbox;

  /** @param name What our certificate is called there. */
  constructor(name: string, tools: Toolbox) {
    this.#layout = LAYOUTS.find(({ anchors }) => isFolder(anchors)) ?? null;
    this.#tools = tools;
    const folder = this.#layout?.anchors ?? LAYOUTS.at(-1)!.anchors;
    this.path = `${folder}/${name}.crt`;
  }

  async look(root: RootCertificate): Promise<StoreAnswer> {
    if (await this.#isTrusted(root)) return settled("present");
    const der = await readAnchor(this.path);
    if (der === null) return absent(null);
    return absent(
      isSame(der, root.der)
        ? `${this.path} is there, but was not taken over`
        : "an earlier certificate is there",
    );
  }

  async install(root: RootCertificate): Promise<StoreAnswer> {
    const earlier = await readAnchor(this.path);
    const isStale = earlier !== null && !isSame(earlier, root.der);
    if (isStale && !isOwnKind(earlier)) return this.#nameTaken(false);
    if (!isStale && await this.#isTrusted(root)) return settled("present");
    const copy: Argv = ["install", "-m", ANCHOR_MODE, root.path, this.path];
    const change = isStale ? "renew" : "update";
    const trouble = await this.#perform([copy], change, false);
    if (trouble !== null) return trouble;
    if (await this.#isTrusted(root)) {
      return settled(
        "installed",
        isStale ? "in place of an earlier one" : null,
      );
    }
    const { bundles, update: [program] } = this.#layout!;
    return unsettled("failed", {
      trusted: false,
      detail: `${program} did not take it over into ${bundles[0]}`,
      fix: null,
    });
  }

  async uninstall(root: RootCertificate | null): Promise<StoreAnswer> {
    const ours = (await this.#anchors()).filter(({ path, der }) =>
      root !== null && isSame(der, root.der) ||
      path === this.path && isOwnKind(der)
    );
    const isTrusted = root !== null && await this.#isTrusted(root);
    if (ours.length === 0 && !isTrusted) return settled("absent");
    const remove: Argv = ["rm", "-f", ...ours.map(({ path }) => path)];
    const commands = ours.length === 0 ? [] : [remove];
    const trouble = await this.#perform(commands, "renew", isTrusted);
    if (trouble !== null) return trouble;
    if (root === null || !await this.#isTrusted(root)) {
      return settled("removed");
    }
    return unsettled("failed", {
      trusted: true,
      detail: `it is still in ${
        this.#layout?.bundles[0]
      }, but not from ${this.#layout?.anchors}`,
      fix: null,
    });
  }

  /** Does it as root; the answer is why that was not possible. */
  async #perform(
    commands: readonly Argv[],
    change: "update" | "renew",
    trusted: boolean,
  ): Promise<StoreAnswer | null> {
    const [program, ...args] = this.#layout?.[change] ??
      LAYOUTS.at(-1)![change];
    const found = this.#tools.find(program);
    if (this.#layout === null || found === null) {
      return unsettled("no_tool", {
        trusted,
        detail: `there is no ${program}`,
        fix: this.#tools.installLine(PACKAGES),
      });
    }
    const all: Argv[] = [...commands, [found, ...args]];
    const fix = this.#tools.typedAsRoot(all);
    if (!await this.#tools.canBeRoot()) {
      return unsettled("needs_root", {
        trusted,
        detail: "only root can change it",
        fix,
      });
    }
    for (const argv of all) {
      const run = await this.#tools.asRoot(argv);
      if (!run.ok) {
        return unsettled("failed", { trusted, detail: run.reason, fix });
      }
    }
    return null;
  }

  #nameTaken(trusted: boolean): StoreAnswer {
    return unsettled("failed", {
      trusted,
      detail: `${this.path} holds a certificate that is not ours`,
      fix: this.#tools.typedAsRoot([["rm", this.path]]),
    });
  }

  async #isTrusted({ der }: RootCertificate): Promise<boolean> {
    for (const bundle of this.#layout?.bundles ?? []) {
      const text = await readIfThere(bundle);
      if (text !== null) return holdsCertificate(text, der);
    }
    return false;
  }

  async #anchors(): Promise<Anchor[]> {
    if (this.#layout === null) return [];
    const anchors: Anchor[] = [];
    for await (const { name } of Deno.readDir(this.#layout.anchors)) {
      const path = `${this.#layout.anchors}/${name}`;
      const der = await readAnchor(path);
      if (der !== null) anchors.push({ path, der });
    }
    return anchors;
  }
}

/** The certificate of a file that holds one and no more. */
async function readAnchor(path: string): Promise<Uint8Array | null> {
  const text = await readIfThere(path);
  const found = text === null ? [] : certificatesIn(text);
  return found.length === 1 ? found[0]! : null;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile || size > MAX_ANCHOR_BYTES) return null;
    return await Deno.readTextFile(path);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied
    ) return null;
    throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) return false;
    throw error;
  }
}
