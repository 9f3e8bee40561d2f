/**
 * Who is let in at a public gate: everybody, who knows a user name and a password (RFC 7617), or who came by a link that
 * works once.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { TaskmuxError } from "../domain/error.ts";
import type { Clock } from "../kit/clock.ts";
import { Semaphore } from "../kit/semaphore.ts";
import { fieldsOf, type RawHeaders, valuesOf } from "./end_to_end_headers.ts";
import { FailedTries } from "./failed_tries.ts";
import { SESSION_COOKIE } from "./public_headers.ts";
import {
  BUSY,
  linkPage,
  NO_SUCH_LINK,
  NO_SUCH_METHOD,
  PRIVATE,
  publicAnswer,
  tooManyTries,
  UNAUTHORIZED,
  welcome,
} from "./public_pages.ts";
import type { RefusalResponse, RequestHeaders } from "./refusal_response.ts";

/** What is known of a secret: enough to know it again, and not what it is. */
export interface Granted {
  /** SHA-256 of the secret, in base64url. */
  readonly hash: string;
  /** Wall time in milliseconds. */
  readonly expiresAt: number;
}

/** Who is let in. JSON, to be kept on disk; no secret is in it. */
export type AccessRecord =
  | { readonly kind: "open" }
  | {
    readonly kind: "basic";
    readonly user: string;
    /** Base64url. */
    readonly salt: string;
    /** Scrypt of the password with {@linkcode COST}, in base64url. */
    readonly hash: string;
  }
  | {
    readonly kind: "link";
    /** Links that nobody has used. */
    readonly links: readonly Granted[];
    readonly sessions: readonly Granted[];
  };

/** How much a guess costs: 16 MiB and some 30 ms. */
export const COST = { N: 16_384, r: 8, p: 1 } as const;

/** How long a link can be used. */
export const LINK_MS = 24 * 3_600_000;

/** How long a session lasts, if its tunnel does. */
export const SESSION_MS = 30 * 24 * 3_600_000;

/** Paths of the gate itself. */
const OWN_PATH = "/.taskmux/";

const LINK_PATH = `${OWN_PATH}link/`;

/** Links and sessions that are kept; of more the oldest end. */
const MOST_LINKS = 100;
const MOST_SESSIONS = 1_000;

const SECRET_BYTES = 32;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** Credentials that were right, so that not each request costs what a guess does. */
const MOST_PROVEN = 100;

/** Different credentials that wait to be looked at. */
const MOST_WAITING = 50;

/** How long nobody's credentials are looked at after wrong ones. */
const PAUSE_MS = 100;

const TOKEN_REGEXP = /^[A-Za-z0-9_-]{43}$/;

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
): Promise<AccessRecord> {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (user === "" || /[:\x00-\x1f\x7f]/.test(user)) {
    throw new TaskmuxError(
      "E104",
      "Cannot use this user name: it is empty, or has a colon or a control character",
    );
  }
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (password === "" || /[\x00-\x1f\x7f]/.test(password)) {
    throw new TaskmuxError(
      "E104",
      "Cannot use this password: it is empty, or has a control character",
    );
  }
  const salt = randomBytes(SALT_BYTES).toString("base64url");
  const hash = (await slowHash(password, salt)).toString("base64url");
  return { kind: "basic", user, salt, hash };
}

/** Who comes by a link is let in. There is none yet: see {@linkcode newLink}. */
export function linkRecord(): AccessRecord {
  return { kind: "link", links: [], sessions: [] };
}

/**
 * Adds a link. Its path is `/.taskmux/link/TOKEN`.
 *
 * @param lifeMs How long it can be used, in milliseconds.
 * @throws {TypeError} If the record is of another kind.
 */
export function newLink(
  record: AccessRecord,
  clock: Pick<Clock, "now">,
  lifeMs: number = LINK_MS,
): { readonly record: AccessRecord; readonly token: string } {
  if (record.kind !== "link") {
    throw new TypeError(`Cannot add a link: access is ${record.kind}`);
  }
  const token = randomBytes(SECRET_BYTES).toString("base64url");
  const now = clock.now();
  const links = [
    ...record.links.filter(({ expiresAt }) => expiresAt > now),
    { hash: quickHash(token), expiresAt: now + lifeMs },
  ].slice(-MOST_LINKS);
  return { record: { ...record, links }, token };
}

/** The path of a link. */
export function linkPath(token: string): string {
  return LINK_PATH + token;
}

/** A request, as far as it matters here. */
export interface AccessRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: RawHeaders;
  /** The same fields by their names in lower case. */
  readonly asked: RequestHeaders;
  /** Address that the provider tells. */
  readonly visitor: string | null;
}

/** What becomes of a request. */
export type AccessDecision =
  /** The task gets it, with these fields: what was for the gate is not among them. */
  | { readonly kind: "pass"; readonly headers: RawHeaders }
  | {
    readonly kind: "answer";
    readonly answer: RefusalResponse;
    /** Whether it was refused. */
    readonly isRefusal: boolean;
  };

/** Decides for each request. One for each gate. */
export class AccessControl {
  #record: AccessRecord;
  readonly #onChange: (record: AccessRecord) => void;
  readonly #clock: Clock;
  readonly #tries: FailedTries;
  readonly #turn = new Semaphore(1);
  /** Digests of credentials that were right, the oldest first. */
  readonly #proven = new Set<string>();
  /** Digests of credentials that are being looked at. */
  readonly #looking = new Map<string, Promise<boolean>>();
  #narrowed: () => void = () => {};

  /** @param onChange Keeps the record; what it throws, the request that changed it fails with. */
  constructor(
    record: AccessRecord,
    onChange: (record: AccessRecord) => void,
    clock: Clock,
  ) {
    this.#record = record;
    this.#onChange = onChange;
    this.#clock = clock;
    this.#tries = new FailedTries(() => clock.monotonic());
  }

  /** Who is let in now. */
  get record(): AccessRecord {
    return this.#record;
  }

  /** Whether not everybody is. */
  get isGuarded(): boolean {
    return this.#record.kind !== "open";
  }

  /** Lets others in from now on. Connections end if somebody may be among them who would not be let in any more. */
  replace(record: AccessRecord): void {
    const before = this.#record;
    this.#onChange(record);
    this.#record = record;
    this.#proven.clear();
    this.#looking.clear();
    if (isNarrower(record, before)) this.#narrowed();
  }

  /** Has this called when somebody may have come in who would not be let in any more. */
  onNarrowed(narrowed: () => void): void {
    this.#narrowed = narrowed;
  }

  /** @param signal Aborts when the gate ends. */
  async decide(
    request: AccessRequest,
    signal: AbortSignal,
  ): Promise<AccessDecision> {
    const record = this.#record;
    if (record.kind === "open") {
      return { kind: "pass", headers: request.headers };
    }
    return record.kind === "basic"
      ? await this.#decideBasic(request, record, signal)
      : this.#decideLink(request, record);
  }

  async #decideBasic(
    request: AccessRequest,
    record: AccessRecord & { readonly kind: "basic" },
    signal: AbortSignal,
  ): Promise<AccessDecision> {
    const { headers, asked, visitor } = request;
    const values = valuesOf(headers, "authorization");
    const [value] = values;
    const credentials = value === undefined || values.length > 1
      ? null
      : credentialsOf(value);
    if (value === undefined || credentials === null) {
      return refused(asked, UNAUTHORIZED);
    }
    const digest = quickHash(value);
    if (!this.#proven.has(digest)) {
      const known = this.#looking.get(digest);
      if (known === undefined) {
        const waitMs = this.#tries.begin(visitor);
        if (waitMs > 0) {
          return refused(asked, tooManyTries(Math.ceil(waitMs / 1_000)));
        }
        if (this.#looking.size >= MOST_WAITING) return refused(asked, BUSY);
      }
      const isRight = await (known ??
        this.#look(digest, () => this.#isRight(record, credentials, signal)));
      if (!isRight) return refused(asked, UNAUTHORIZED);
      if (this.#record !== record) return await this.decide(request, signal);
      this.#tries.forget(visitor);
      this.#remember(digest);
    }
    return { kind: "pass", headers: without(headers, "authorization") };
  }

  /** Looks at credentials once, however many requests bring them. */
  #look(digest: string, look: () => Promise<boolean>): Promise<boolean> {
    const looking = look().finally(() => {
      if (this.#looking.get(digest) === looking) this.#looking.delete(digest);
    });
    this.#looking.set(digest, looking);
    return looking;
  }

  async #isRight(
    record: AccessRecord & { readonly kind: "basic" },
    { user, password }: Credentials,
    signal: AbortSignal,
  ): Promise<boolean> {
    return await this.#turn.run(signal, async () => {
      const hash = await slowHash(password, record.salt);
      // Both are looked at, whichever is wrong.
      const isPassword = isEqual(hash, Buffer.from(record.hash, "base64url"));
      const isUser = isEqual(
        Buffer.from(quickHash(user)),
        Buffer.from(quickHash(record.user)),
      );
      if (isPassword && isUser) return true;
      await this.#clock.sleep(PAUSE_MS, signal);
      return false;
    });
  }

  #remember(digest: string): void {
    this.#proven.add(digest);
    if (this.#proven.size <= MOST_PROVEN) return;
    const [oldest] = this.#proven;
    if (oldest !== undefined) this.#proven.delete(oldest);
  }

  #decideLink(
    request: AccessRequest,
    record: AccessRecord & { readonly kind: "link" },
  ): AccessDecision {
    const { headers, asked, path } = request;
    const plain = path.split("?", 1)[0] ?? "";
    if (plain.startsWith(OWN_PATH)) return this.#follow(request, plain, record);
    const now = this.#clock.now();
    const isKnown = sessionsIn(headers).some((token) =>
      isGranted(record.sessions, token, now)
    );
    return isKnown
      ? { kind: "pass", headers: withoutSession(headers) }
      : refused(asked, PRIVATE);
  }

  #follow(
    { method, asked }: AccessRequest,
    path: string,
    record: AccessRecord & { readonly kind: "link" },
  ): AccessDecision {
    const now = this.#clock.now();
    const token = path.startsWith(LINK_PATH)
      ? path.slice(LINK_PATH.length)
      : "";
    if (!isGranted(record.links, token, now)) {
      return refused(asked, NO_SUCH_LINK);
    }
    if (method === "GET" || method === "HEAD") {
      return { kind: "answer", answer: linkPage(), isRefusal: false };
    }
    if (method !== "POST") return refused(asked, NO_SUCH_METHOD);
    // Nobody else has a turn between the look and the change.
    const used = quickHash(token);
    const session = randomBytes(SECRET_BYTES).toString("base64url");
    const next: AccessRecord = {
      kind: "link",
      links: record.links.filter(({ hash, expiresAt }) =>
        hash !== used && expiresAt > now
      ),
      sessions: [
        ...record.sessions.filter(({ expiresAt }) => expiresAt > now),
        { hash: quickHash(session), expiresAt: now + SESSION_MS },
      ].slice(-MOST_SESSIONS),
    };
    this.#onChange(next);
    this.#record = next;
    const cookie = `${SESSION_COOKIE}=${session}; Path=/; Max-Age=${
      SESSION_MS / 1_000
    }; Secure; HttpOnly; SameSite=Lax`;
    return { kind: "answer", answer: welcome(cookie), isRefusal: false };
  }
}

interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Null if they are none of RFC 7617. */
function credentialsOf(value: string): Credentials | null {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})[ \t]*$/i.exec(value)?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon === -1
    ? null
    : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function refused(
  asked: RequestHeaders,
  words: Parameters<typeof publicAnswer>[1],
): AccessDecision {
  return {
    kind: "answer",
    answer: publicAnswer(asked, words),
    isRefusal: true,
  };
}

function slowHash(password: string, salt: string): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  // As one text, however it was typed in (RFC 8265).
  const text = password.normalize("NFC");
  scrypt(
    text,
    Buffer.from(salt, "base64url"),
    HASH_BYTES,
    COST,
    (error, key) => error === null ? resolve(key as Buffer) : reject(error),
  );
  return promise;
}

function quickHash(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function isGranted(
  granted: readonly Granted[],
  token: string,
  now: number,
): boolean {
  if (!TOKEN_REGEXP.test(token)) return false;
  const hash = quickHash(token);
  return granted.some((each) => each.hash === hash && each.expiresAt > now);
}

const COOKIE_START = `${SESSION_COOKIE}=`;

function sessionsIn(headers: RawHeaders): string[] {
  return valuesOf(headers, "cookie").flatMap((value) => value.split(";"))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(COOKIE_START))
    .map((pair) => pair.slice(COOKIE_START.length));
}

/** Without the cookie of the gate. A field in which there was no other is gone; others stay byte by byte. */
function withoutSession(headers: RawHeaders): string[] {
  return [...fieldsOf(headers)].flatMap(([name, value]) => {
    if (name.toLowerCase() !== "cookie" || !value.includes(COOKIE_START)) {
      return [name, value];
    }
    const kept = value.split(";").filter((pair) =>
      !pair.trim().startsWith(COOKIE_START)
    );
    const rest = kept.join(";").trim();
    return rest === "" ? [] : [name, rest];
  });
}

function without(headers: RawHeaders, dropped: string): string[] {
  return [...fieldsOf(headers)].flatMap(([name, value]) =>
    name.toLowerCase() === dropped ? [] : [name, value]
  );
}

/** Whether somebody whom the record before let in is not let in by this one. */
function isNarrower(record: AccessRecord, before: AccessRecord): boolean {
  if (record.kind === "open") return false;
  if (record.kind === "basic") {
    return before.kind !== "basic" || before.hash !== record.hash ||
      before.user !== record.user;
  }
  if (before.kind !== "link") return true;
  const left = new Set(record.sessions.map(({ hash }) => hash));
  return before.sessions.some(({ hash }) => !left.has(hash));
}
