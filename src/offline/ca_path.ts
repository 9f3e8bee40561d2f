/**
 * Where the authority's certificate is, without a daemon.
 *
 * @module
 */

import { authorityFiles, mkcertFolder } from "../certs/authority_files.ts";
import { loadHostConfig } from "../config/host_config.ts";
import type { Paths } from "../config/paths.ts";
import { kindOf } from "../kit/set_aside.ts";

/** Where state is, and the variables of the shell. */
export interface TrustDisk {
  readonly paths: Paths;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Path of the authority's certificate; null = there is none.
 *
 * @throws {TaskmuxError} E101, E104 if the settings cannot be read.
 */
export async function readCaPath(
  { paths, env }: TrustDisk,
): Promise<string | null> {
  const { config } = await loadHostConfig(paths.hostConfig);
  const folder = config.caProvider === "mkcert"
    ? mkcertFolder(env, Deno.build.os)
    : paths.ca;
  if (folder === null) return null;
  const { certificate } = authorityFiles(folder);
  return kindOf(certificate) === "file" ? certificate : null;
}
