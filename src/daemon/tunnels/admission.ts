/**
 * Who is to be let in, from what a caller asked for. What is secret in it is told to that caller, once.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { Clock } from "../../kit/clock.ts";
import type { TunnelAccess } from "../../domain/tunnel.ts";
import {
  type AccessRecord,
  basicRecord,
  LINK_MS,
  linkRecord,
  newLink,
  openRecord,
} from "../../proxy/public_access.ts";

/** The user of a name without one. */
const DEFAULT_USER = "taskmux";

/** 80 random bits. */
const PASSWORD_BYTES = 10;

/** What a caller asked for. */
export interface AdmissionWish {
  readonly access?: TunnelAccess | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** See the module. */
export interface Admission {
  readonly record: AccessRecord;
  readonly user: string | null;
  /** Only one that was made up. */
  readonly password: string | null;
  /** Of a new link. */
  readonly token: string | null;
  /** Wall milliseconds; null = there is no new link. */
  readonly linkExpiresAt: number | null;
}

/**
 * What becomes of who is let in.
 *
 * @param before How it is; null = it is not public. What is not asked for stays.
 * @throws {TaskmuxError} E500 for a user or password without `basic`.
 */
export async function newAdmission(
  before: AccessRecord | null,
  { access = before?.kind ?? "open", user, password }: AdmissionWish,
  clock: Pick<Clock, "now">,
): Promise<Admission> {
  const nothing = {
    user: null,
    password: null,
    token: null,
    linkExpiresAt: null,
  };
  if (access !== "basic" && (user ?? password) !== undefined) {
    throw new TaskmuxError(
      "E500",
      `Cannot use a ${
        user === undefined ? "password" : "user"
      } with access "${access}"`,
      { hint: "--auth basic" },
    );
  }
  switch (access) {
    case "open":
      return {
        ...nothing,
        record: before?.kind === "open" ? before : openRecord(),
      };
    case "basic": {
      const isKept = before?.kind === "basic" && password === undefined &&
        (user === undefined || user === before.user);
      if (isKept) return { ...nothing, record: before, user: before.user };
      const name = user ??
        (before?.kind === "basic" ? before.user : DEFAULT_USER);
      const word = password ?? madeUp();
      return {
        ...nothing,
        record: await basicRecord(name, word),
        user: name,
        password: password === undefined ? word : null,
      };
    }
    case "link": {
      const base = before?.kind === "link" ? before : linkRecord();
      const { record, token } = newLink(base, clock);
      return {
        ...nothing,
        record,
        token,
        linkExpiresAt: clock.now() + LINK_MS,
      };
    }
  }
}

/** Letters and digits that nobody takes for each other. */
function madeUp(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(PASSWORD_BYTES * 2));
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  return [...bytes].map((byte) => letters[byte % letters.length]).join("");
}
