/**
 * The system's keychain of macOS, which Safari, Chrome and curl read.
 *
 * @module
 */

import { holdsCertificate, type RootCertificate } from "./root_certificate.ts";
import type { Argv, Toolbox } from "./toolbox.ts";
import {
  absent,
  settled,
  type StoreAnswer,
  type TrustStore,
  unsettled,
  untold,
} from "./trust_store.ts";

const SECURITY = "/usr/bin/security";
const KEYCHAIN = "/Library/Keychains/System.keychain";

/** See the module. Whether it trusts a certificate can only be asked of a program. */
export class KeychainStore implements TrustStore {
  readonly kind = "system";
  readonly path = KEYCHAIN;
  readonly #tools: Toolbox;

  constructor(tools: Toolbox) {
    this.#tools = tools;
  }

  async look({ der }: RootCertificate): Promise<StoreAnswer> {
    if (!this.#tools.canRun) return untold("only `security` can read it");
    const run = await this.#tools.run([
      SECURITY,
      "find-certificate",
      "-a",
      "-p",
      KEYCHAIN,
    ]);
    return holdsCertificate(run.output, der)
      ? settled("present")
      : absent(null);
  }

  async install(root: RootCertificate): Promise<StoreAnswer> {
    const before = await this.look(root);
    if (before.trusted === true) return before;
    return await this.#perform(
      [
        SECURITY,
        "add-trusted-cert",
        "-d",
        "-r",
        "trustRoot",
        "-k",
        KEYCHAIN,
        root.path,
      ],
      { trusted: false, state: "installed" },
    );
  }

  async uninstall(root: RootCertificate | null): Promise<StoreAnswer> {
    if (root === null || (await this.look(root)).trusted !== true) {
      return settled("absent");
    }
    const hash = root.fingerprint.replaceAll(":", "");
    return await this.#perform(
      [SECURITY, "delete-certificate", "-Z", hash, "-t", KEYCHAIN],
      { trusted: true, state: "removed" },
    );
  }

  async #perform(
    argv: Argv,
    { trusted, state }: {
      readonly trusted: boolean;
      readonly state: "installed" | "removed";
    },
  ): Promise<StoreAnswer> {
    const fix = this.#tools.typedAsRoot([argv]);
    if (!await this.#tools.canBeRoot()) {
      const detail = "only root can change it";
      return unsettled("needs_root", { trusted, detail, fix });
    }
    const run = await this.#tools.asRoot(argv);
    if (run.ok) return settled(state);
    return unsettled("failed", { trusted, detail: run.reason, fix });
  }
}
