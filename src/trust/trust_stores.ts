/**
 * All stores of trusted certificates of this machine and user together.
 *
 * @module
 */

import { fingerprint } from "../kit/fingerprint.ts";
import { browserDatabases } from "./browser_databases.ts";
import { findJava, JavaStore } from "./java_store.ts";
import { KeychainStore } from "./keychain_store.ts";
import { NssStore } from "./nss_store.ts";
import type { RootCertificate } from "./root_certificate.ts";
import { SystemStore } from "./system_store.ts";
import { Toolbox, type ToolboxOptions } from "./toolbox.ts";
import type { StoreAnswer, StoreReport, TrustStore } from "./trust_store.ts";

/** Digits of the part of our name that tells apart the authorities of two state folders. */
const NAME_DIGITS = 8;

/** Which stores. */
export interface TrustStoresOptions extends ToolboxOptions {
  /** The state folder: each has an authority of its own, which has a name of its own in the stores. */
  readonly stateFolder: string;
}

/** See the module. */
export class TrustStores {
  readonly #stores: readonly TrustStore[];

  private constructor(stores: readonly TrustStore[]) {
    this.#stores = stores;
  }

  /** Finds them: the system's always, the others where there is something that reads them. */
  static async find(options: TrustStoresOptions): Promise<TrustStores> {
    const tools = new Toolbox(options);
    const name = nameInStores(options.stateFolder);
    const databases = await browserDatabases(tools);
    const java = await findJava(tools);
    return new TrustStores([
      Deno.build.os === "darwin"
        ? new KeychainStore(tools)
        : new SystemStore(name, tools),
      ...databases.map((each) => new NssStore({ ...each, name, tools })),
      ...java === null ? [] : [new JavaStore(java, { name, tools })],
    ]);
  }

  /** How each of them is. Changes nothing. */
  look(root: RootCertificate): Promise<StoreReport[]> {
    return this.#each((store) => store.look(root));
  }

  /** Has each of them trust it, one after another; what cannot be done in one of them does not keep it from the others. */
  install(root: RootCertificate): Promise<StoreReport[]> {
    return this.#each((store) => store.install(root));
  }

  /** Takes it out of each. Null = there is none any more: what has our name goes. */
  uninstall(root: RootCertificate | null): Promise<StoreReport[]> {
    return this.#each((store) => store.uninstall(root));
  }

  /** The same for an authority that somebody else may have put into stores as well: that stays, and is told. */
  async uninstallNamed(root: RootCertificate | null): Promise<StoreReport[]> {
    const reports = await this.uninstall(null);
    if (root === null) return reports;
    const left = await this.look(root);
    return reports.map((report, index) =>
      left[index]?.trusted !== true ? report : {
        ...left[index],
        detail: "it was put there by somebody else",
        fix: "mkcert -uninstall",
      }
    );
  }

  async #each(
    action: (store: TrustStore) => Promise<StoreAnswer>,
  ): Promise<StoreReport[]> {
    const reports: StoreReport[] = [];
    // In order: on Debian the system's store fills Java's.
    for (const store of this.#stores) {
      const { kind, path } = store;
      reports.push({ store: kind, path, ...await answerOf(store, action) });
    }
    return reports;
  }
}

/** What our certificate is called in the stores. The same for ever for one state folder. */
export function nameInStores(stateFolder: string): string {
  return `taskmux-${fingerprint(stateFolder).slice(0, NAME_DIGITS)}`;
}

async function answerOf(
  store: TrustStore,
  action: (store: TrustStore) => Promise<StoreAnswer>,
): Promise<StoreAnswer> {
  try {
    return await action(store);
  } catch (error) {
    // Of the file system: what one store is like must not keep the certificate out of the others.
    if (!(error instanceof Error) || !("code" in error)) throw error;
    const { message: detail } = error;
    return { state: "failed", trusted: null, detail, fix: null };
  }
}
