/**
 * The address to which the proxy is to bind, for whoever starts the daemon and has to permit it. The daemon reads the
 * settings as they must be read; this is a glance, which costs no parser and trusts nothing.
 *
 * @module
 */

/** The line of the setting. What a file might say in other ways is not permitted, and the daemon tells so. */
const BIND_REGEXP =
  /^[ \t]*["']?proxy_bind["']?[ \t]*=[ \t]*["']([0-9A-Fa-f.:]{2,45})["']/m;

/** Larger files hold no settings. */
const MAX_BYTES = 1024 * 1024;

/**
 * Addresses as permissions name them: that of the setting, with its sibling of the other family where it stands for all.
 * Empty for loopback, which is always permitted, and when there is no such file.
 */
export function permittedBinds(hostConfig: string): string[] {
  const [, address] = BIND_REGEXP.exec(textOf(hostConfig)) ?? [];
  if (address === undefined || /^127\.|^::1$/.test(address)) return [];
  if (address === "0.0.0.0" || address === "::") return ["0.0.0.0", "[::]"];
  return [address.includes(":") ? `[${address}]` : address];
}

function textOf(path: string): string {
  try {
    const { isFile, size } = Deno.statSync(path);
    return isFile && size <= MAX_BYTES ? Deno.readTextFileSync(path) : "";
  } catch (error) {
    const isUnreadable = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.FilesystemLoop;
    if (isUnreadable) return "";
    throw error;
  }
}
