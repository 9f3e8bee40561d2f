/**
 * The certificates of the projects: one for each, with a wildcard, and one for each name that is deeper than that.
 *
 * @module
 */

import {
  APEX,
  CATCH_ALL,
  fullHostName,
  type HostName,
} from "../domain/host_name.ts";
import type { Authority, IssuedCertificate } from "./authority.ts";

/** Certificates by what they are for. Issued when first asked for, once however many ask. */
export class LeafStore {
  readonly #tld: string;
  readonly #authority: () => Promise<Authority>;
  readonly #leaves = new Map<string, Promise<IssuedCertificate>>();

  /** @param authority Is asked for with the first certificate. */
  constructor(tld: string, authority: () => Promise<Authority>) {
    this.#tld = tld;
    this.#authority = authority;
  }

  /**
   * The certificate for a name; null = for this machine itself.
   *
   * @throws {TaskmuxError} E710 if there is no authority to sign it.
   */
  certificateFor(name: HostName | null): Promise<IssuedCertificate> {
    const names = this.#namesOf(name);
    const key = names[0]!;
    const known = this.#leaves.get(key);
    if (known !== undefined) return known;
    const issued = this.#authority().then((authority) =>
      authority.issue(names)
    );
    issued.catch(() => this.#leaves.delete(key));
    this.#leaves.set(key, issued);
    return issued;
  }

  #namesOf(name: HostName | null): string[] {
    if (name === null) return ["localhost", "127.0.0.1", "::1"];
    const { projectId, host } = name;
    if (host.includes(".")) return [fullHostName(name, this.#tld)];
    return [APEX, CATCH_ALL].map((each) =>
      fullHostName({ projectId, host: each }, this.#tld)
    );
  }
}
