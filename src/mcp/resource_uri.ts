/**
 * Addresses of resources.
 *
 * @module
 */

/** What an address names. */
export type ResourceName =
  | { readonly kind: "status" | "projects" | "events" }
  | { readonly kind: "logs"; readonly session: string; readonly task: string };

/** The state of every task. */
export const STATUS_URI = "taskmux://status";

/** Every project. */
export const PROJECTS_URI = "taskmux://projects";

/** What happened last. */
export const EVENTS_URI = "taskmux://events/recent";

/** RFC 6570. */
export const LOGS_TEMPLATE = "taskmux://logs/{session}/{task}";

/** Longest address that is looked at. */
const MAX_LENGTH = 1_024;

/** The address of a task's log. */
export function logsUri(session: string, task: string): string {
  return `taskmux://logs/${encodeURIComponent(session)}/${
    encodeURIComponent(task)
  }`;
}

/** Null = an address of nothing. */
export function parseResourceUri(uri: string): ResourceName | null {
  switch (uri) {
    case STATUS_URI:
      return { kind: "status" };
    case PROJECTS_URI:
      return { kind: "projects" };
    case EVENTS_URI:
      return { kind: "events" };
  }
  if (uri.length > MAX_LENGTH) return null;
  const [, session, task] = /^taskmux:\/\/logs\/([^/]+)\/([^/]+)$/.exec(uri) ??
    [];
  if (session === undefined || task === undefined) return null;
  try {
    return {
      kind: "logs",
      session: decodeURIComponent(session),
      task: decodeURIComponent(task),
    };
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}
