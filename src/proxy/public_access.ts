/**
 * Who is let in at a public gate: everybody, who knows a user name and a password (RFC 7617), or who came by a link that
 * works once.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Clock } from "../kit/clock.ts";
import { Semaphore } from "../kit/semaphore.ts";
import {
  type AccessRecord,
  type BasicRecord,
  isGranted,
  isNarrower,
  isRight,
  LINK_PATH,
  type LinkRecord,
  OWN_PATH,
  quickHash,
  SESSION_MS,
  useLink,
} from "./access_record.ts";
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
  type PublicWords,
  tooManyTries,
  UNAUTHORIZED,
  welcome,
} from "./public_pages.ts";
import type { RefusalResponse, RequestHeaders } from "./refusal_response.ts";

export {
  type AccessRecord,
  basicRecord,
  LINK_MS,
  linkPath,
  linkRecord,
  newLink,
  openRecord,
  parseAccessRecord,
} from "./access_record.ts";

/** Credentials that were right, so that not each request costs what a guess does. */
const MOST_PROVEN = 100;

/** Different credentials that wait to be looked at. */
const MOST_WAITING = 50;

/** How long nobody's credentials are looked at after wrong ones. */
const PAUSE_MS = 100;

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
    record: BasicRecord,
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
      const isProven = await (known ??
        this.#look(digest, () => this.#isRight(record, credentials, signal)));
      if (!isProven) return refused(asked, UNAUTHORIZED);
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
    record: BasicRecord,
    credentials: Credentials,
    signal: AbortSignal,
  ): Promise<boolean> {
    return await this.#turn.run(signal, async () => {
      if (await isRight(record, credentials)) return true;
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
    record: LinkRecord,
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
    record: LinkRecord,
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
    // Nobody else has a turn between the look and the change.
    const used = method === "POST" ? useLink(record, token, now) : null;
    if (used === null) return refused(asked, NO_SUCH_METHOD);
    this.#onChange(used.record);
    this.#record = used.record;
    const cookie = `${SESSION_COOKIE}=${used.session}; Path=/; Max-Age=${
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
  words: PublicWords,
): AccessDecision {
  return {
    kind: "answer",
    answer: publicAnswer(asked, words),
    isRefusal: true,
  };
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
