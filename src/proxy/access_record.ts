/**
 * Who is let in at a public gate, as it is kept on disk: no secret is in it, only what is needed to know one again.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { TaskmuxError } from "../domain/error.ts";
import type { Clock } from "../kit/clock.ts";

/** What is known of a secret that was given away. */
export interface Granted {
  /** SHA-256 of the secret, in base64url. */
  readonly hash: string;
  /** Wall time in milliseconds. */
  readonly expiresAt: number;
}

/** Who knows a user name and a password. */
export interface BasicRecord {
  readonly kind: "basic";
  readonly user: string;
  /** Base64url. */
  readonly salt: string;
  /** Scrypt of the password with {@linkcode COST}, in base64url. */
  readonly hash: string;
}

/** Who came by a link. */
export interface LinkRecord {
  readonly kind: "link";
  /** Links that nobody has used, the oldest first. */
  readonly links: readonly Granted[];
  /** The oldest first. */
  readonly sessions: readonly Granted[];
}

/** Who is let in. JSON. */
export type AccessRecord = { readonly kind: "open" } | BasicRecord | LinkRecord;

/** How much a guess costs: 16 MiB and some 30 ms. */
export const COST = { N: 16_384, r: 8, p: 1 } as const;

/** How long a link can be used. */
export const LINK_MS = 24 * 3_600_000;

/** How long a session lasts, if its tunnel does. */
export const SESSION_MS = 30 * 24 * 3_600_000;

/** Paths of the gate itself. */
export const OWN_PATH = "/.taskmux/";

/** What the paths of links begin with. */
export const LINK_PATH: string = `${OWN_PATH}link/`;

/** Links and sessions that are kept; of more the oldest end. */
const MOST_LINKS = 100;
const MOST_SESSIONS = 1_000;

const SECRET_BYTES = 32;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

const SECRET_REGEXP = /^[A-Za-z0-9_-]{43}$/;

/** Everybody is let in. */
export function openRecord(): AccessRecord {
  return { kind: "open" };
}

/**
 * Who knows these is let in.
 *
 * @throws {TaskmuxError} E104 for a user name that cannot be sent (RFC 7617 §2), or one of both that is empty.
 */
export async function basicRecord(
  user: string,
  password: string,
): Promise<BasicRecord> {
  if (user === "" || user.includes(":") || hasControls(user)) {
    throw new TaskmuxError(
      "E104",
      "Cannot use this user name: it is empty, or has a colon or a control character",
    );
  }
  if (password === "" || hasControls(password)) {
    throw new TaskmuxError(
      "E104",
      "Cannot use this password: it is empty, or has a control character",
    );
  }
  const salt = randomBytes(SALT_BYTES).toString("base64url");
  const hash = (await slowHash(password, salt)).toString("base64url");
  return { kind: "basic", user: user.normalize("NFC"), salt, hash };
}

/** Whether these are the right ones. What is wrong cannot be told by how long it takes. */
export async function isRight(
  record: BasicRecord,
  { user, password }: { readonly user: string; readonly password: string },
): Promise<boolean> {
  const hash = await slowHash(password, record.salt);
  const isPassword = isEqual(hash, Buffer.from(record.hash, "base64url"));
  const isUser = isEqual(
    Buffer.from(quickHash(user.normalize("NFC"))),
    Buffer.from(quickHash(record.user)),
  );
  return isPassword && isUser;
}

/** Who comes by a link is let in. There is none yet: see {@linkcode newLink}. */
export function linkRecord(): LinkRecord {
  return { kind: "link", links: [], sessions: [] };
}

/**
 * Adds a link. Its path is {@linkcode linkPath}.
 *
 * @param lifeMs How long it can be used, in milliseconds.
 * @throws {TypeError} If the record is of another kind.
 */
export function newLink(
  record: AccessRecord,
  clock: Pick<Clock, "now">,
  lifeMs: number = LINK_MS,
): { readonly record: LinkRecord; readonly token: string } {
  if (record.kind !== "link") {
    throw new TypeError(`Cannot add a link: access is ${record.kind}`);
  }
  const token = newSecret();
  const links = withGranted(record.links, MOST_LINKS, {
    token,
    now: clock.now(),
    lifeMs,
  });
  return { record: { ...record, links }, token };
}

/** The path of a link. */
export function linkPath(token: string): string {
  return LINK_PATH + token;
}

/**
 * Uses a link up.
 *
 * @param now Wall time in milliseconds.
 * @returns The secret of the session that begins; null = the link lets nobody in.
 */
export function useLink(
  record: LinkRecord,
  token: string,
  now: number,
): { readonly record: LinkRecord; readonly session: string } | null {
  if (!isGranted(record.links, token, now)) return null;
  const used = quickHash(token);
  const session = newSecret();
  const sessions = withGranted(record.sessions, MOST_SESSIONS, {
    token: session,
    now,
    lifeMs: SESSION_MS,
  });
  const links = record.links.filter(({ hash }) => hash !== used);
  return { record: { kind: "link", links, sessions }, session };
}

/** Whether a secret is among these. @param now Wall time in milliseconds. */
export function isGranted(
  granted: readonly Granted[],
  token: string,
  now: number,
): boolean {
  if (!SECRET_REGEXP.test(token)) return false;
  const hash = quickHash(token);
  return granted.some((each) => each.hash === hash && each.expiresAt > now);
}

/** Whether somebody whom `before` let in may not be let in by `record`. */
export function isNarrower(
  record: AccessRecord,
  before: AccessRecord,
): boolean {
  if (record.kind === "open") return false;
  if (record.kind === "basic") {
    return before.kind !== "basic" || before.hash !== record.hash ||
      before.user !== record.user;
  }
  if (before.kind !== "link") return true;
  const left = new Set(record.sessions.map(({ hash }) => hash));
  return before.sessions.some(({ hash }) => !left.has(hash));
}

/** A record from its JSON; null if it is none. Whoever cannot read one lets nobody in. */
export function parseAccessRecord(value: unknown): AccessRecord | null {
  if (!isObject(value)) return null;
  const { kind, user, salt, hash, links, sessions } = value;
  if (kind === "open") return { kind };
  if (kind === "basic") {
    return typeof user === "string" && typeof salt === "string" &&
        typeof hash === "string" && hash.length === base64Length(HASH_BYTES)
      ? { kind, user, salt, hash }
      : null;
  }
  return kind === "link" && isGrantedList(links) && isGrantedList(sessions)
    ? { kind, links, sessions }
    : null;
}

/** SHA-256 in base64url, of what nobody can guess. */
export function quickHash(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

function withGranted(
  granted: readonly Granted[],
  most: number,
  { token, now, lifeMs }: {
    readonly token: string;
    readonly now: number;
    readonly lifeMs: number;
  },
): Granted[] {
  return [
    ...granted.filter(({ expiresAt }) => expiresAt > now),
    { hash: quickHash(token), expiresAt: now + lifeMs },
  ].slice(-most);
}

function slowHash(password: string, salt: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(
    // One text, however it was typed in (RFC 8265).
    password.normalize("NFC"),
    Buffer.from(salt, "base64url"),
    HASH_BYTES,
    COST,
    (error, key) => error === null ? resolve(key as Buffer) : reject(error),
  );
  return promise;
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function hasControls(text: string): boolean {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  return /[\x00-\x1f\x7f-\x9f]/.test(text);
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes * 4 / 3);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isGrantedList(value: unknown): value is Granted[] {
  return Array.isArray(value) &&
    value.every((each: unknown) =>
      isObject(each) && typeof each["hash"] === "string" &&
      typeof each["expiresAt"] === "number"
    );
}
