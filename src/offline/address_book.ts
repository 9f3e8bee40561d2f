/**
 * Addresses as they will be once a daemon runs.
 *
 * @module
 */

import { loadHostConfig } from "../config/host_config.ts";
import type { Paths } from "../config/paths.ts";
import type { AddressBook } from "../domain/address.ts";
import type { ProxyBinding } from "../domain/task_url.ts";
import { recallBinding } from "../store/binding_note.ts";
import type { Store } from "../store/store.ts";
import type { ProjectFiles } from "./project_files.ts";

/**
 * What addresses of a project are made of: its files, the ports that were assigned before, and where the proxy listened
 * last.
 *
 * @throws {TaskmuxError} E101 or E104 if the host's settings cannot be used.
 */
export async function readAddressBook(
  paths: Paths,
  { identity: { projectId }, tasks, store }: ProjectFiles,
): Promise<AddressBook> {
  return {
    projectId,
    proxy: await readBinding(paths, store),
    tasks: [...tasks.values()].map(
      ({ name, host, hostPath, port, wantsPort }) => {
        const leased = store?.leases.leaseOf(projectId, name) ?? null;
        return {
          name,
          host,
          hostPath,
          port: wantsPort ? port ?? leased : null,
        };
      },
    ),
    aliases: store?.aliases.of(projectId) ?? [],
  };
}

/** The proxy as the next daemon will probably have it. */
async function readBinding(
  paths: Paths,
  store: Store | null,
): Promise<ProxyBinding> {
  const { config: { proxy, dns } } = await loadHostConfig(paths.hostConfig);
  const note = store === null
    ? null
    : recallBinding(store.meta, proxy.httpsPort);
  const port = note === null ? proxy.httpsPort : note.port;
  return {
    // Any free port: nobody knows which before it is bound.
    bound: proxy.enabled && port !== null && port !== 0,
    httpsPort: port ?? proxy.httpsPort,
    tld: dns.managedTld,
  };
}
