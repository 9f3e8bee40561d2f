/**
 * Where a task can be reached. The one place that knows how an address is built.
 *
 * @module
 */

/** The HTTPS proxy, as far as addresses depend on it. */
export interface ProxyBinding {
  /** Whether it listens. Nothing is promised through a proxy that does not. */
  readonly bound: boolean;
  readonly httpsPort: number;
}

/** What the address of a task depends on. */
export interface TaskAddress {
  /** Slug, `"@"` for the project's own name, `"*"` for every other name; null = no host name. */
  readonly host: string | null;
  /** The port the task listens on; null = none, or not yet known. */
  readonly port: number | null;
  readonly projectId: string;
  /** Null = there is no proxy. */
  readonly proxy: ProxyBinding | null;
}

/** The name under which all hosts of a project are. */
export function baseHost(projectId: string): string {
  return `${projectId}.localhost`;
}

/**
 * The address of a task that works now: through the proxy when it is bound and the task has a host name, else the port
 * itself. Null when there is neither. A catch-all host has a `*` in its address through the proxy.
 */
export function taskUrl(address: TaskAddress): string | null {
  const { host, port, projectId, proxy } = address;
  if (host !== null && proxy?.bound) {
    const label = host === "@" ? "" : `${host}.`;
    const suffix = proxy.httpsPort === 443 ? "" : `:${proxy.httpsPort}`;
    return `https://${label}${baseHost(projectId)}${suffix}`;
  }
  return port === null ? null : `http://localhost:${port}`;
}
