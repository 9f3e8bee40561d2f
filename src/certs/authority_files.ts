/**
 * Where authorities are kept: our own, and that of mkcert.
 *
 * @module
 */

/** Where the two parts of an authority are. */
export interface AuthorityFiles {
  readonly certificate: string;
  readonly privateKey: string;
}

/** The files of an authority in a folder: ours are called as mkcert calls its own. */
export function authorityFiles(folder: string): AuthorityFiles {
  return {
    certificate: `${folder}/rootCA.pem`,
    privateKey: `${folder}/rootCA-key.pem`,
  };
}

/** Variables that decide where mkcert keeps its authority. */
export type MkcertEnvironment = Readonly<
  Partial<Record<"CAROOT" | "XDG_DATA_HOME" | "HOME", string>>
>;

/** The folder of mkcert's authority, as `mkcert -CAROOT` tells it; null if there is no home to look in. */
export function mkcertFolder(
  env: MkcertEnvironment,
  os: typeof Deno.build.os,
): string | null {
  const { CAROOT, XDG_DATA_HOME, HOME } = env;
  if (isGiven(CAROOT)) return CAROOT;
  if (isGiven(XDG_DATA_HOME)) return `${XDG_DATA_HOME}/mkcert`;
  if (!isGiven(HOME)) return null;
  const data = os === "darwin" ? "Library/Application Support" : ".local/share";
  return `${HOME}/${data}/mkcert`;
}

function isGiven(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}
