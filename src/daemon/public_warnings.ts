/**
 * What whoever starts or stops tasks has to know of their tunnels.
 *
 * @module
 */

import { audienceOf, type TunnelView } from "../domain/tunnel.ts";
import type { ErrorShape } from "../domain/error.ts";
import type { ProjectSupervisor } from "../supervisor/project_supervisor.ts";
import type { Services } from "./services.ts";

/** What became of a task. */
interface Outcome {
  readonly task: string;
  readonly action: string;
  readonly error: ErrorShape | null;
}

type Tunnels = Pick<Services, "tunnels">;

/** Tunnels by the names of their tasks, as they were. */
export type TunnelsBefore = ReadonlyMap<string, TunnelView>;

/** The tunnels of a project as they are now, before something is done to its tasks. Costs nothing where there are none. */
export function tunnelsBefore(
  { tunnels }: Tunnels,
  project: ProjectSupervisor,
): TunnelsBefore {
  const sessions = new Set([
    project.projectId,
    ...project.owner === null ? [] : [project.owner.projectId],
  ]);
  return new Map(
    tunnels.all().flatMap(({ session, task, view }) =>
      sessions.has(session) && project.homeOf(task).projectId === session
        ? [[task, view] as const]
        : []
    ),
  );
}

/** Of tasks that were started: those that their standing tunnel makes public now. */
export function openingWarnings(
  before: TunnelsBefore,
  outcomes: readonly Outcome[],
): string[] {
  return outcomes.flatMap(({ task, action, error }) => {
    const tunnel = before.get(task);
    const isOpening = tunnel !== undefined && error === null &&
      action !== "noop" && tunnel.standing && !tunnel.public &&
      tunnel.state !== "off";
    if (!isOpening) return [];
    const { public_hostname: hostname, public_url: url } = tunnel;
    const where = hostname === null ? url : `https://${hostname}`;
    return [
      `"${task}" becomes public${where === null ? "" : ` at ${where}`} (${
        audienceOf(tunnel)
      }), as "taskmux tunnel enable" was told; "taskmux tunnel down ${task}" closes it`,
    ];
  });
}

/** Of tasks that were taken down: those that others could reach until now. */
export function closingWarnings(
  before: TunnelsBefore,
  outcomes: readonly Outcome[],
): string[] {
  return outcomes.flatMap(({ task, error }) => {
    const tunnel = before.get(task);
    if (tunnel === undefined || error !== null || !tunnel.public) return [];
    const { public_url: url, standing } = tunnel;
    return [
      `"${task}" is no longer public at ${url}${
        standing ? "; it will be again when it runs" : ""
      }`,
    ];
  });
}
