/**
 * The events of tunnels, as they are told to everybody.
 *
 * @module
 */

import type { AccessRecord } from "../../proxy/public_access.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { TunnelRecord } from "./tunnel_notes.ts";
import type { CloseReason } from "./tunnel_verdict.ts";

/** What is to be told; `url` is the public address, null where there is none. */
export type TunnelNews =
  & { readonly url: string | null }
  & (
    | {
      readonly event: "tunnel_opened";
      readonly access: AccessRecord["kind"];
      /** Wall milliseconds; null = it has no end. */
      readonly expiresAt: number | null;
    }
    | { readonly event: "tunnel_recovered" }
    | { readonly event: "tunnel_failed"; readonly reason: string }
    | { readonly event: "tunnel_closed"; readonly reason: CloseReason }
  );

/** Emits the event of a tunnel, as of now. */
export function tellTunnel(
  { host, projectId }: ProjectSupervisor,
  { task, backend }: TunnelRecord,
  news: TunnelNews,
): void {
  host.emit({
    event: news.event,
    session: projectId,
    task,
    at: host.clock.now(),
    data: { backend, public_url: news.url, ...factsOf(news) },
  });
}

function factsOf(news: TunnelNews): Readonly<Record<string, string | number>> {
  switch (news.event) {
    case "tunnel_opened":
      return {
        access: news.access,
        ...news.expiresAt === null ? {} : { expires_at: news.expiresAt / 1000 },
      };
    case "tunnel_recovered":
      return {};
    case "tunnel_failed":
    case "tunnel_closed":
      return { reason: news.reason };
  }
}
