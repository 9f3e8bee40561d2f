/**
 * What a store of trusted certificates can be asked, and how it answers.
 *
 * @module
 */

import type { RootCertificate } from "./root_certificate.ts";

/** Whose store it is. */
export type StoreKind = "system" | "chromium" | "firefox" | "java";

/**
 * How it is. `installed` and `removed`: done just now; `present` and `absent`: it was so; `needs_root`, `no_tool`,
 * `failed`: it could not be done; `unknown`: it cannot be told without running a program.
 */
export type StoreState =
  | "installed"
  | "present"
  | "removed"
  | "absent"
  | "needs_root"
  | "no_tool"
  | "failed"
  | "unknown";

/** The answer about one store. */
export interface StoreReport {
  readonly store: StoreKind;
  /** Its file or folder. */
  readonly path: string;
  readonly state: StoreState;
  /** Whether it trusts our certificate now; null = nobody can tell. */
  readonly trusted: boolean | null;
  /** More about the state; null = there is nothing more to know. */
  readonly detail: string | null;
  /** A command to type; null = there is nothing to do. */
  readonly fix: string | null;
}

/** What a store says of itself beside its kind and path. */
export type StoreAnswer = Omit<StoreReport, "store" | "path">;

/** One store of this machine. */
export interface TrustStore {
  readonly kind: StoreKind;
  readonly path: string;
  /** Whether it trusts a certificate. Changes nothing. */
  look(root: RootCertificate): Promise<StoreAnswer>;
  /** Has it trust a certificate and, of those with our name, no other. Nothing is done if that is so already. */
  install(root: RootCertificate): Promise<StoreAnswer>;
  /** Takes a certificate out, and whatever of our kind has our name. Nothing else. */
  uninstall(root: RootCertificate | null): Promise<StoreAnswer>;
}

/** What has all stores trust the certificate. */
export const INSTALL_COMMAND = "taskmux ca install";

/** What has no store trust it any more. */
export const UNINSTALL_COMMAND = "taskmux ca uninstall";

/** It is found not to trust the certificate. */
export function absent(
  detail: string | null,
  fix = INSTALL_COMMAND,
): StoreAnswer {
  return { state: "absent", trusted: false, detail, fix };
}

/** It is as it was asked to be, or simply so. */
export function settled(
  state: "installed" | "present" | "removed" | "absent",
  detail: string | null = null,
): StoreAnswer {
  const trusted = state === "installed" || state === "present";
  return { state, trusted, detail, fix: null };
}

/** It could not be done. */
export function unsettled(
  state: "needs_root" | "no_tool" | "failed",
  { trusted, detail, fix }: {
    readonly trusted: boolean | null;
    readonly detail: string;
    readonly fix: string | null;
  },
): StoreAnswer {
  return { state, trusted, detail, fix };
}

/** It can only be asked of a program, and this process may run none. */
export function untold(detail: string): StoreAnswer {
  return {
    state: "unknown",
    trusted: null,
    detail,
    fix: "taskmux daemon start",
  };
}
