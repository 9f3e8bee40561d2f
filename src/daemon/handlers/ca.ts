/**
 * Handlers of the operations on the certificates of projects.
 *
 * @module
 */

import type { Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";

/** See the module. */
export function caHandlers(
  { certificates, projects }: Services,
): Pick<Handlers, "ca.mint"> {
  return {
    "ca.mint": async ({ scope }) => {
      const { projectId } = await projects.require(scope);
      const leaf = await certificates.mint(projectId);
      return {
        ok: true,
        project: projectId,
        cert: leaf.certificate,
        key: leaf.privateKey,
        names: [...leaf.names],
        expires_at: new Date(leaf.notAfter).toISOString(),
      };
    },
  };
}
