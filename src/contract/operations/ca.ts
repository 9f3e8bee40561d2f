/**
 * Operations on the certificates of projects.
 *
 * @module
 */

import { z } from "zod";
import { call, scope } from "../operation.ts";

/** See the module. */
export const ca = {
  "ca.mint": call({
    summary: "Sign a new certificate for the names of a project",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({ scope }),
    result: z.looseObject({
      ok: z.literal(true),
      project: z.string(),
      /** Absolute path, PEM. */
      cert: z.string(),
      /** Absolute path, PEM, mode 0600. */
      key: z.string(),
      /** Names it is valid for. */
      names: z.array(z.string()),
      /** ISO time. */
      expires_at: z.string(),
    }),
    errors: ["E303", "E710"],
    since: "0.1.0",
  }),
};
