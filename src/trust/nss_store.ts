/**
 * A database of Firefox or Chromium as a store: read by ourselves, changed by `certutil`.
 *
 * @module
 */

import { type NssEntry, readNss } from "./nss_database.ts";
import { isOwnKind, isSame, type RootCertificate } from "./root_certificate.ts";
import type { Argv, Toolbox, ToolRun } from "./toolbox.ts";
import {
  absent,
  INSTALL_COMMAND,
  settled,
  type StoreAnswer,
  type TrustStore,
  UNINSTALL_COMMAND,
  unsettled,
} from "./trust_store.ts";

const PROGRAM = "certutil";
const PACKAGES = {
  "apt-get": "libnss3-tools",
  dnf: "nss-tools",
  pacman: "nss",
  zypper: "mozilla-nss-tools",
  apk: "nss-tools",
  brew: "nss",
};

/** Trusted to sign certificates of servers, and nothing else. */
const TRUST_FLAGS = "C,,";

const LIMIT_MS = 20_000;

/** Entries of one name that are taken out one after another, at most. */
const MAX_REMOVALS = 20;

const FOLDER_MODE = 0o700;

/** What certutil says of a database behind a password. */
const PASSWORD_REGEXP = /SEC_ERROR_BAD_PASSWORD|Incorrect password/i;

/** Whose database it is. */
export interface NssStoreOptions {
  readonly kind: "chromium" | "firefox";
  /** Absolute path of the folder of `cert9.db`. */
  readonly folder: string;
  /** What our certificate is called there. */
  readonly name: string;
  readonly tools: Toolbox;
}

/** See the module. */
export class NssStore implements TrustStore {
  readonly kind: "chromium" | "firefox";
  readonly path: string;
  readonly #name: string;
  readonly #tools: Toolbox;

  constructor({ kind, folder, name, tools }: NssStoreOptions) {
    this.kind = kind;
    this.path = folder;
    this.#name = name;
    this.#tools = tools;
  }

  async look(root: RootCertificate): Promise<StoreAnswer> {
    const found = await this.#read();
    if (!Array.isArray(found)) return found;
    const own = found.find(({ der }) => isSame(der, root.der));
    if (own?.isTrusted) return settled("present");
    const fix = this.#tools.find(PROGRAM) === null
      ? `${this.#tools.installLine(PACKAGES)} && ${INSTALL_COMMAND}`
      : INSTALL_COMMAND;
    if (own !== undefined) return absent("it is there, but not trusted", fix);
    const isOlder = found.some((entry) => this.#isEarlier(entry, root));
    return absent(isOlder ? "an earlier certificate is there" : null, fix);
  }

  async install(root: RootCertificate): Promise<StoreAnswer> {
    const found = await this.#read();
    if (!Array.isArray(found)) return found;
    const own = found.find(({ der }) => isSame(der, root.der));
    const earlier = found.filter((entry) => this.#isEarlier(entry, root));
    if (own?.isTrusted && earlier.length === 0) return settled("present");
    const isForeign = ({ nickname, der }: NssEntry): boolean =>
      nickname === this.#name && !isSame(der, root.der) && !isOwnKind(der);
    if (found.some(isForeign)) return this.#nameTaken(own?.isTrusted ?? false);
    const certutil = this.#tools.find(PROGRAM);
    if (certutil === null) {
      return this.#noTool(own?.isTrusted ?? false, INSTALL_COMMAND);
    }
    const trouble = await this.#create(certutil) ??
      (earlier.length > 0 ? await this.#remove(certutil, this.#name) : null) ??
      await this.#add(certutil, own?.nickname ?? this.#name, root);
    if (trouble !== null) return trouble;
    const after = await this.look(root);
    if (after.trusted !== true) {
      return this.#failed("certutil had no effect", false);
    }
    return settled(
      "installed",
      [
        ...earlier.length > 0 ? ["in place of an earlier one"] : [],
        ...this.kind === "firefox"
          ? ["a Firefox that runs needs a restart"]
          : [],
      ].join("; ") || null,
    );
  }

  async uninstall(root: RootCertificate | null): Promise<StoreAnswer> {
    const found = await this.#read();
    if (!Array.isArray(found)) return found;
    const isOurs = ({ nickname, der }: NssEntry): boolean =>
      root !== null && isSame(der, root.der) ||
      nickname === this.#name && isOwnKind(der);
    const names = new Set(found.filter(isOurs).map(({ nickname }) => nickname));
    if (names.size === 0) return settled("absent");
    const certutil = this.#tools.find(PROGRAM);
    if (certutil === null) return this.#noTool(true, UNINSTALL_COMMAND);
    for (const name of names) {
      const shared = found.some((entry) =>
        entry.nickname === name && !isOurs(entry)
      );
      // certutil goes by names alone, and takes whichever comes first.
      if (shared) return this.#nameTaken(true);
      const trouble = await this.#remove(certutil, name);
      if (trouble !== null) return trouble;
    }
    return settled("removed");
  }

  #isEarlier({ nickname, der }: NssEntry, root: RootCertificate): boolean {
    return nickname === this.#name && !isSame(der, root.der) && isOwnKind(der);
  }

  async #read(): Promise<NssEntry[] | StoreAnswer> {
    try {
      return await readNss(this.path);
    } catch (error) {
      // SQLite's errors are of no class of their own.
      if (!(error instanceof Error)) throw error;
      return {
        state: "unknown",
        trusted: null,
        detail: `it cannot be read: ${error.message}`,
        fix: null,
      };
    }
  }

  /** Makes the database if there is none: one of an empty password, as browsers do. */
  async #create(certutil: string): Promise<StoreAnswer | null> {
    try {
      await Deno.stat(`${this.path}/cert9.db`);
      return null;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await Deno.mkdir(this.path, { recursive: true, mode: FOLDER_MODE });
    const made = await this.#run(certutil, ["-N", "--empty-password"]);
    return made.ok ? null : this.#failed(made.reason, false);
  }

  async #add(
    certutil: string,
    nickname: string,
    { path }: RootCertificate,
  ): Promise<StoreAnswer | null> {
    const words = [
      "-A",
      "-t",
      TRUST_FLAGS,
      "-n",
      nickname,
      "-i",
      path,
    ] as const;
    const { ok, output, reason } = await this.#run(certutil, words);
    if (ok) return null;
    // It is in by now, trusted for nothing.
    await this.#run(certutil, ["-D", "-n", nickname]);
    if (!PASSWORD_REGEXP.test(output)) return this.#failed(reason, false);
    return unsettled("failed", {
      trusted: false,
      detail: "it is behind a primary password",
      fix: this.#typed(words),
    });
  }

  async #remove(
    certutil: string,
    nickname: string,
  ): Promise<StoreAnswer | null> {
    for (let removals = 0; removals < MAX_REMOVALS; removals++) {
      const left = await this.#read();
      if (!Array.isArray(left)) return left;
      if (!left.some((entry) => entry.nickname === nickname)) return null;
      const run = await this.#run(certutil, ["-D", "-n", nickname]);
      if (!run.ok) return this.#failed(run.reason, true);
    }
    return this.#failed(`certutil does not remove "${nickname}"`, true);
  }

  #run(certutil: string, words: readonly string[]): Promise<ToolRun> {
    const [action = "", ...rest] = words;
    const argv: Argv = [certutil, action, "-d", `sql:${this.path}`, ...rest];
    return this.#tools.run(argv, LIMIT_MS);
  }

  #typed([action, ...rest]: readonly string[]): string {
    return this.#tools.typed([
      PROGRAM,
      action ?? "",
      "-d",
      `sql:${this.path}`,
      ...rest,
    ]);
  }

  #noTool(trusted: boolean, again: string): StoreAnswer {
    return unsettled("no_tool", {
      trusted,
      detail: `there is no ${PROGRAM}`,
      fix: `${this.#tools.installLine(PACKAGES)} && ${again}`,
    });
  }

  #nameTaken(trusted: boolean): StoreAnswer {
    return unsettled("failed", {
      trusted,
      detail: `a certificate that is not ours is called "${this.#name}" there`,
      fix: this.#typed(["-L", "-n", this.#name]),
    });
  }

  #failed(detail: string, trusted: boolean): StoreAnswer {
    return unsettled("failed", { trusted, detail, fix: null });
  }
}
