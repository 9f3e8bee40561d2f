/**
 * The names that lead to a task: what resolvers resolve and the DNS server answers.
 *
 * @module
 */

import { APEX, CATCH_ALL, fullHostName } from "../domain/host_name.ts";
import type { Project } from "./project.ts";

/** Hosts that lead to ports which are no task's. */
export interface AliasNames {
  /** Those of a project. */
  of(projectId: string): readonly { readonly host: string }[];
}

/**
 * Full names of all hosts and aliases of all projects, running or not, sorted; a catch-all begins with `*.`. A project
 * that has any of them has its own name as well, which leads to a page.
 */
export function namesToResolve(
  projects: readonly Pick<Project, "id" | "supervisor">[],
  { tld, aliases }: {
    readonly tld: string;
    readonly aliases?: AliasNames | undefined;
  },
): string[] {
  const names = projects.flatMap(({ id, supervisor }) => {
    const hosts = [
      ...hostsOf(supervisor?.runners ?? []),
      ...(aliases?.of(id) ?? []).map(({ host }) => host),
    ];
    const all = hosts.length === 0 ? [] : [APEX, ...hosts];
    return all.map((host) => fullHostName({ projectId: id, host }, tld));
  });
  return [...new Set(names)].sort();
}

/** Whether a full name stands for every name below another one. */
export function isCatchAllName(name: string): boolean {
  return name.startsWith(`${CATCH_ALL}.`);
}

function hostsOf(
  runners: readonly { readonly spec: { readonly host: string | null } }[],
): string[] {
  return runners.flatMap(({ spec: { host } }) => host ?? []);
}
