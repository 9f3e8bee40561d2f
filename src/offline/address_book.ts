/**
 * Addresses as they will be once a daemon runs.
 *
 * @module
 */

import { loadHostConfig } from "../config/host_config.ts";
import { isProxyForbidden } from "../config/proxy_forbidden.ts";
import type { AddressBook } from "../domain/address.ts";
import { expectedBinding } from "../store/binding_note.ts";
import { type Disk, homeOf, type ProjectFiles } from "./project_files.ts";

/**
 * What addresses of a project are made of: its files, the ports that were assigned before, and where the proxy listened
 * last.
 *
 * @throws {TaskmuxError} E101 or E104 if the host's settings cannot be used.
 */
export async function readAddressBook(
  { paths, env }: Disk,
  project: ProjectFiles,
): Promise<AddressBook> {
  const { identity: { projectId }, tasks, store } = project;
  const { config } = await loadHostConfig(paths.hostConfig);
  const proxy = expectedBinding(config, store?.meta ?? null);
  return {
    projectId,
    // As of a daemon that this shell would start.
    proxy: isProxyForbidden(env()) ? { ...proxy, bound: false } : proxy,
    tasks: [...tasks.values()].map((each) => {
      const { name } = each;
      const home = homeOf(project, name);
      const { host, hostPath, port, wantsPort } = home.tasks.get(name) ?? each;
      const { projectId } = home.identity;
      const leased = store?.leases.leaseOf(projectId, name) ?? null;
      return {
        name,
        host,
        hostPath,
        port: wantsPort ? port ?? leased : null,
        ...home === project ? {} : { projectId },
      };
    }),
    aliases: store?.aliases.of(projectId) ?? [],
  };
}
