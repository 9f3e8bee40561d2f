/**
 * The combined bundle: the roots of the system and our own, for clients that can be told of one file only and take it
 * instead of what they knew.
 *
 * @module
 */

import { SYSTEM_BUNDLES } from "../domain/client_variables.ts";
import { TaskmuxError } from "../domain/error.ts";
import { writeFileAtomic } from "../kit/atomic_file.ts";
import { holdsCertificate, type RootCertificate } from "./root_certificate.ts";

/** Certificates are no secret, and programs of other users may be given the path. */
const BUNDLE_MODE = 0o644;

const MAX_BUNDLE_BYTES = 16 * 1024 * 1024;

/** The file of the roots of this system; null = none is known. */
export interface SystemBundle {
  readonly path: string;
  readonly pem: string;
}

/**
 * Brings the bundle up to date. Reads some hundred kilobytes and, if they are what they were, writes nothing.
 *
 * @param path Absolute path of the bundle. Its folder exists.
 * @returns Whether it had to be written.
 * @throws {TaskmuxError} E711 if the system has no roots: the bundle would then break every other connection.
 */
export async function refreshBundle(
  path: string,
  root: RootCertificate,
): Promise<boolean> {
  const system = await systemBundle();
  if (system === null) {
    throw new TaskmuxError(
      "E711",
      "Cannot make a bundle of certificates: this system has no file of roots",
      {
        hint: "Install ca-certificates",
        details: { looked: [...SYSTEM_BUNDLES] },
      },
    );
  }
  const text = bundleText(system, root);
  if (await readIfThere(path) === text) return false;
  await writeFileAtomic(path, text, { mode: BUNDLE_MODE });
  return true;
}

/** Whether the bundle is there and what it would be if it was made now. */
export async function isBundleCurrent(
  path: string,
  root: RootCertificate,
): Promise<boolean> {
  const [system, text] = await Promise.all([systemBundle(), readIfThere(path)]);
  return system !== null && text === bundleText(system, root);
}

function bundleText(
  { path, pem }: SystemBundle,
  root: RootCertificate,
): string {
  const isInside = holdsCertificate(pem, root.der);
  return [
    "# Made by taskmux and made anew whenever one of its parts changes.",
    `# Part 1: the roots of this system, ${path}`,
    `# Part 2: the development CA of taskmux, ${root.path}`,
    `# SHA-256 of part 2: ${root.fingerprint}`,
    pem.trimEnd(),
    ...isInside ? [] : [root.pem.trimEnd()],
    "",
  ].join("\n");
}

/** Never what SSL_CERT_FILE says: that may be this very bundle, or a file with a single root. */
async function systemBundle(): Promise<SystemBundle | null> {
  for (const path of SYSTEM_BUNDLES) {
    const pem = await readIfThere(path);
    if (pem?.includes("-----BEGIN CERTIFICATE-----")) return { path, pem };
  }
  return null;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    const { isFile, size } = await Deno.stat(path);
    return isFile && size <= MAX_BUNDLE_BYTES
      ? await Deno.readTextFile(path)
      : null;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied
    ) return null;
    throw error;
  }
}
