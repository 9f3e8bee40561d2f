/**
 * Names without the daemon: told from disk, and changed by a command that runs as root on behalf of a user.
 *
 * @module
 */

import { loadHostConfig } from "../config/host_config.ts";
import type { Paths } from "../config/paths.ts";
import type { Result } from "../contract/mod.ts";
import { EtcHosts } from "../resolvers/etc_hosts.ts";
import { namesInHosts } from "../resolvers/hosts_block.ts";
import { openResolver } from "../resolvers/open_resolver.ts";
import type { ResolverChange } from "../resolvers/resolver.ts";
import { readSystemFile } from "../resolvers/system_file.ts";
import { thisMachine } from "../resolvers/this_machine.ts";
import { NO_DAEMON } from "./kept_runs.ts";

/** Nothing of this is waited for. */
const NEVER = new AbortController().signal;

/** The answer of `dns.status`: what is in the hosts file. Whether names resolve, only a daemon can find out. */
export async function readDnsStatus(
  { home, hostConfig }: Paths,
): Promise<Result<"dns.status">> {
  const { config, warnings } = await loadHostConfig(hostConfig);
  const machine = thisMachine({ home, addresses: [], canRun: false });
  const hosts = new EtcHosts(machine);
  const { installed, path, detail } = await hosts.status([]);
  const text = await readSystemFile(path ?? "") ?? "";
  return {
    ok: true,
    resolver: config.hostResolver,
    configured: config.hostResolver,
    tld: config.dns.managedTld,
    port: null,
    active: false,
    installed,
    current: false,
    path,
    detail: `${NO_DAEMON}; ${detail}`,
    resolves: null,
    addresses: [],
    names: namesInHosts(text, home) ?? [],
    unresolved: [],
    skipped: [],
    problems: [...warnings],
    hint: "taskmux daemon start",
  };
}

/**
 * Does as root what the daemon of a user may not.
 *
 * @param status What that daemon told.
 * @throws {TaskmuxError} E720 if it cannot be had.
 */
export async function changeAsRoot(
  action: "install" | "uninstall",
  { home }: Paths,
  status: Result<"dns.status">,
): Promise<ResolverChange> {
  const { addresses, tld, resolver, names } = status;
  const machine = thisMachine({ home, addresses, canRun: false });
  const delegation = { tld, port: status.port ?? 0 };
  const effort = { sudo: false };
  if (action === "install") {
    const name = resolver === "auto" ? "noop" : resolver;
    const way = openResolver(name, machine, delegation);
    return await way.install(names, effort, NEVER);
  }
  const changes: ResolverChange[] = [];
  for (const name of ["etc_hosts", "dns_server"] as const) {
    const way = openResolver(name, machine, delegation);
    const { installed } = await way.status([], NEVER);
    if (installed) changes.push(await way.uninstall(effort, NEVER));
  }
  return {
    changed: changes.some(({ changed }) => changed),
    next: changes.flatMap(({ next }) => next),
  };
}
