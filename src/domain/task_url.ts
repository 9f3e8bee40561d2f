/**
 * Where a task can be reached. The one place that knows how an address is built.
 *
 * @module
 */

import { APEX, CATCH_ALL, fullHostName } from "./host_name.ts";

/** Port of HTTPS that no address has to name. */
const DEFAULT_HTTPS_PORT = 443;

/** The HTTPS proxy, as far as addresses depend on it. */
export interface ProxyBinding {
  /** Whether it listens. Nothing is promised through a proxy that does not. */
  readonly bound: boolean;
  readonly httpsPort: number;
  /** Top-level domain of all names. */
  readonly tld: string;
}

/** No proxy at all. */
export const NO_PROXY: ProxyBinding = {
  bound: false,
  httpsPort: DEFAULT_HTTPS_PORT,
  tld: "localhost",
};

/** What the address of a task depends on. */
export interface TaskAddress {
  /** Slug, `"@"` for the project's own name, `"*"` for every other name; null = no host name. */
  readonly host: string | null;
  /** Path that the address ends in; `/`, the default, adds nothing. */
  readonly hostPath?: string;
  /** The port the task listens on; null = none, or not yet known. */
  readonly port: number | null;
  readonly projectId: string;
  readonly proxy: ProxyBinding;
}

/** The name under which all hosts of a project are. */
export function baseHost(
  projectId: string,
  { tld }: Pick<ProxyBinding, "tld">,
): string {
  return fullHostName({ projectId, host: APEX }, tld);
}

/** The address of a host through the proxy, which is assumed to listen. A catch-all host has a `*` in it. */
export function hostUrl(
  { host, hostPath = "/", projectId, proxy }:
    & Omit<
      TaskAddress,
      "port" | "host"
    >
    & { readonly host: string },
): string {
  const { httpsPort, tld } = proxy;
  const port = httpsPort === DEFAULT_HTTPS_PORT ? "" : `:${httpsPort}`;
  const path = hostPath === "/" ? "" : hostPath;
  return `https://${fullHostName({ projectId, host }, tld)}${port}${path}`;
}

/** Whether an address stands for every name that no other host has. */
export function isCatchAllUrl(url: string): boolean {
  return url.startsWith(`https://${CATCH_ALL}.`);
}

/**
 * The address of a task that works now: through the proxy when it is bound and the task has a host name, else the port
 * itself. Null when there is neither.
 */
export function taskUrl(address: TaskAddress): string | null {
  const { host, hostPath = "/", port, proxy } = address;
  if (host !== null && proxy.bound) return hostUrl({ ...address, host });
  if (port === null) return null;
  return `http://localhost:${port}${hostPath === "/" ? "" : hostPath}`;
}
