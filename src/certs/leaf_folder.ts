/**
 * Certificates on disk: `cert.pem` and `key.pem` in a folder for each project.
 *
 * @module
 */

import { writeFileAtomic } from "../kit/atomic_file.ts";
import { clearObstacle, kindOf } from "../kit/set_aside.ts";
import type { IssuedCertificate } from "./authority.ts";
import {
  makePrivateFolder,
  narrowFile,
  narrowFolder,
  readPem,
} from "./private_files.ts";

/** Where a certificate and its key are. */
export interface LeafFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

/** The files of a folder. */
export function leafFiles(folder: string): LeafFiles {
  return {
    certificate: `${folder}/cert.pem`,
    privateKey: `${folder}/key.pem`,
  };
}

/**
 * What is in a folder; null if it is not both files. What is open to others is narrowed.
 *
 * @param warn Gets sentences.
 */
export async function readLeafFolder(
  folder: string,
  warn: (message: string) => void,
): Promise<IssuedCertificate | null> {
  const files = leafFiles(folder);
  const certificate = await readPem(files.certificate);
  const privateKey = await readPem(files.privateKey);
  if (certificate === null || privateKey === null) return null;
  for (
    const warning of [narrowFolder(folder), narrowFile(files.privateKey)]
  ) if (warning !== null) warn(warning);
  return { certificate, privateKey };
}

/** Writes both files, each at once. A reader in between sees a key without its certificate. */
export async function writeLeafFolder(
  folder: string,
  pair: IssuedCertificate,
  { now, warn }: {
    readonly now: number;
    readonly warn: (message: string) => void;
  },
): Promise<void> {
  const above = folder.slice(0, folder.lastIndexOf("/"));
  for (const each of [above, folder]) {
    for (const message of await makePrivateFolder(each, now)) warn(message);
  }
  const files = leafFiles(folder);
  for (const path of Object.values(files)) clearObstacle(path, now);
  await writeFileAtomic(files.privateKey, pair.privateKey, { mode: 0o600 });
  await writeFileAtomic(files.certificate, pair.certificate, { mode: 0o600 });
}

/** Deletes a folder. @returns Whether there was one. */
export async function removeLeafFolder(folder: string): Promise<boolean> {
  if (kindOf(folder) === "absent") return false;
  await Deno.remove(folder, { recursive: true });
  return true;
}
