/**
 * What the addresses of a project's tasks and aliases are made of, while it is supervised.
 *
 * @module
 */

import type { AddressBook } from "../domain/address.ts";
import type { Route } from "../domain/alias.ts";
import { isTunnelProgram } from "../domain/tunnel.ts";
import type { SupervisorHost } from "./host.ts";
import type { TaskRunner } from "./task_runner.ts";

/** A project, as far as addresses depend on it. */
export interface AddressedProject {
  readonly projectId: string;
  readonly host: Pick<SupervisorHost, "aliases" | "proxy" | "tunnel">;
  readonly runners: readonly TaskRunner[];
  homeOf(task: string): { readonly projectId: string };
  portOf(runner: TaskRunner): number | null;
}

/** Of all tasks, shared ones too; the program of a tunnel has no address that anybody is to visit. O(tasks). */
export function addressBookOf(project: AddressedProject): AddressBook {
  const { host, projectId } = project;
  return {
    projectId,
    proxy: host.proxy(),
    tasks: project.runners.filter((runner) => !isTunnelProgram(runner.spec))
      .map((runner) => routeOf(project, runner)),
    aliases: host.aliases(projectId),
  };
}

function routeOf(project: AddressedProject, runner: TaskRunner): Route {
  const { name, spec: { host, hostPath } } = runner;
  const { projectId } = project.homeOf(name);
  const tunnel = project.host.tunnel(projectId, name);
  const publicUrl = tunnel?.public ? tunnel.public_url : null;
  return {
    name,
    host,
    hostPath,
    port: project.portOf(runner),
    ...publicUrl === null ? {} : { publicUrl },
    ...projectId === project.projectId ? {} : { projectId },
  };
}
