/**
 * Certificates as a part of the daemon: which authority there is, and what signs with it. Nothing is loaded before one is
 * asked for.
 *
 * @module
 */

import {
  authorityFiles,
  type MkcertEnvironment,
  mkcertFolder,
} from "../certs/authority_files.ts";
import type { Authority } from "../certs/authority.ts";
import type { CurrentAuthority } from "../certs/current_authority.ts";
import type { LeafStore, MintedLeaf } from "../certs/leaf_store.ts";
import type { HostConfig } from "../config/host_config.ts";
import type { Paths } from "../config/paths.ts";
import type { HostName } from "../domain/host_name.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { Clock } from "../kit/clock.ts";
import { runCommand } from "../kit/run_command.ts";
import { kindOf } from "../kit/set_aside.ts";
import type {
  CertificateSource,
  ServerCertificate,
} from "../proxy/certificates.ts";
import type { StateDamage } from "../store/state_file.ts";

/** Time for the program that tells the name of this machine. */
const PROGRAM_LIMIT_MS = 2_000;

/** Under this name `status` tells what is wrong. */
const SUBJECT = "certificates";

/** What certificates need of the daemon. */
export interface CertificatesOptions {
  readonly config: HostConfig;
  readonly paths: Paths;
  readonly clock: Clock;
  /** Present problems by subject. */
  readonly problems: Map<string, string>;
  /** That of the user. */
  environment(): Readonly<Record<string, string>>;
  /** There is an authority, perhaps a new one; before anything is signed with it. */
  onAuthority(certificates: Pick<Certificates, "caPath">): Promise<void>;
  onDamage(damage: StateDamage): void;
  onWarning(message: string): void;
}

interface Loaded {
  readonly store: LeafStore;
  readonly authority: CurrentAuthority;
}

/** See the module. */
export class Certificates implements CertificateSource {
  readonly #options: CertificatesOptions;
  #loaded: Promise<Loaded> | null = null;
  #hadAuthority = false;

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  /** Path of the certificate that clients have to trust; null while there is none. */
  get caPath(): string | null {
    const { config, paths } = this.#options;
    const folder = config.caProvider === "mkcert"
      ? mkcertFolder(this.#mkcertEnvironment(), Deno.build.os)
      : paths.ca;
    if (folder === null) return null;
    const { certificate } = authorityFiles(folder);
    return kindOf(certificate) === "file" ? certificate : null;
  }

  /**
   * The authority as it is now; made if there is none.
   *
   * @throws {TaskmuxError} E710 if there is none and none can be made.
   */
  async authority(): Promise<Authority> {
    return await (await this.#load()).authority.get({ isUrgent: true });
  }

  /** See {@linkcode LeafStore}. */
  async certificateFor(name: HostName | null): Promise<ServerCertificate> {
    return await (await this.#load()).store.certificateFor(name);
  }

  /**
   * Signs a new certificate for a project.
   *
   * @throws {TaskmuxError} E710 if there is no authority. @throws what a disk says that cannot be written.
   */
  async mint(projectId: string): Promise<MintedLeaf> {
    return await (await this.#load()).store.mint(projectId);
  }

  /** The folder of a project's certificate; null if there is none. */
  folderOf(projectId: string): string | null {
    const folder = `${this.#options.paths.certs}/${projectId}`;
    return kindOf(folder) === "absent" ? null : folder;
  }

  /** Deletes the certificates of a project. Whoever connects next gets a new one. */
  async forget(projectId: string): Promise<void> {
    if (this.#loaded === null && this.folderOf(projectId) === null) return;
    await (await this.#load()).store.forget(projectId);
  }

  #load(): Promise<Loaded> {
    return this.#loaded ??= this.#open();
  }

  async #open(): Promise<Loaded> {
    const { config, paths, clock, onWarning } = this.#options;
    const [{ CurrentAuthority }, { LeafStore }] = await Promise.all([
      import("../certs/current_authority.ts"),
      import("../certs/leaf_store.ts"),
    ]);
    const authority = new CurrentAuthority({
      open: () => this.#openAuthority(),
      now: () => clock.now(),
    });
    const store = new LeafStore({
      folder: paths.certs,
      tld: config.dns.managedTld,
      authority: () => authority.get(),
      now: () => clock.now(),
      onWarning,
    });
    return { store, authority };
  }

  async #openAuthority(): Promise<Authority> {
    const { problems } = this.#options;
    try {
      const authority = await this.#findAuthority();
      problems.delete(SUBJECT);
      this.#hadAuthority = true;
      await this.#options.onAuthority(this);
      return authority;
    } catch (error) {
      // Without one from the beginning there is no proxy, which tells why.
      if (error instanceof TaskmuxError && this.#hadAuthority) {
        this.#tell(error);
      }
      throw error;
    }
  }

  #tell({ message, hint }: TaskmuxError): void {
    const { problems, onWarning } = this.#options;
    const text = hint === undefined ? message : `${message}; ${hint}`;
    if (problems.get(SUBJECT) !== text) onWarning(text);
    problems.set(SUBJECT, text);
  }

  async #findAuthority(): Promise<Authority> {
    const { config, paths, clock } = this.#options;
    const now = (): number => clock.now();
    if (config.caProvider === "mkcert") {
      const { openMkcertAuthority } = await import(
        "../certs/mkcert_authority.ts"
      );
      const env = this.#mkcertEnvironment();
      return await openMkcertAuthority({ env, os: Deno.build.os, now });
    }
    const { openOwnAuthority } = await import("../certs/own_authority.ts");
    return await openOwnAuthority({
      folder: paths.ca,
      tld: config.dns.managedTld,
      now,
      owner: () => this.#owner(),
      onDamage: this.#options.onDamage,
      onWarning: this.#options.onWarning,
    });
  }

  #mkcertEnvironment(): MkcertEnvironment {
    const { CAROOT, XDG_DATA_HOME, HOME } = this.#options.environment();
    return {
      ...CAROOT === undefined ? {} : { CAROOT },
      ...XDG_DATA_HOME === undefined ? {} : { XDG_DATA_HOME },
      ...HOME === undefined ? {} : { HOME },
    };
  }

  /** `user@machine`, as far as it can be told. */
  async #owner(): Promise<string> {
    const { clock, environment } = this.#options;
    const { USER, LOGNAME } = environment();
    const outcome = await runCommand({
      argv: ["/bin/sh", "-c", "uname -n"],
      cwd: "/",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
      timeoutMs: PROGRAM_LIMIT_MS,
      killGraceMs: 100,
      outputLimitBytes: 256,
      stderr: "discard",
      leftovers: "kill",
      clock,
      signal: AbortSignal.timeout(PROGRAM_LIMIT_MS),
    });
    const machine = outcome.kind === "exited" ? outcome.output.trim() : "";
    return [USER ?? LOGNAME ?? "", machine].filter((part) => part !== "")
      .join("@");
  }
}
