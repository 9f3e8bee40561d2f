/**
 * The client of Cloudflare's API, version 4: one token, bounded time and size, retries where they can do no harm.
 *
 * Knows nothing of tunnels. The token goes to the base address and nowhere else: redirects are not followed, and no error
 * holds it.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import type { Clock } from "../../kit/clock.ts";
import { DeadlineError, withDeadline } from "../../kit/deadline.ts";
import type { Json, JsonObject } from "../../kit/json.ts";
import {
  CloudflareRefusal,
  complaintOf,
  isLimit,
  isObject,
  listOf,
  type RefusalFacts,
  shorten,
} from "./cloudflare_refusal.ts";
import { localFetch } from "./local_fetch.ts";
import { askedPauseMs, backoffMs, MAX_ASKED_PAUSE_MS } from "./request_pace.ts";

/** Cloudflare's own. */
const PUBLIC_BASE = "https://api.cloudflare.com/client/v4";

/** Time for one request with its answer, unless told. */
const REQUEST_LIMIT_MS = 30_000;

/** Largest answer. A page of fifty zones is a twentieth of it. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Most pages of a list: a hundred times what a large account has. */
const MAX_PAGES = 200;

/** How often one request is made, at most. */
const MAX_ATTEMPTS = 5;

/** What a client is made of. */
export interface CloudflareApiOptions {
  /** As {@linkcode apiBase} gives it. */
  readonly base: string;
  readonly token: string;
  readonly clock: Clock;
  readonly patience?: ApiPatience;
}

/** How long an answer is waited for. */
export interface ApiPatience {
  /** How often one request is made, at most. */
  readonly attempts: number;
  /** Time for one of them with its answer. */
  readonly limitMs: number;
}

const USUAL_PATIENCE: ApiPatience = {
  attempts: MAX_ATTEMPTS,
  limitMs: REQUEST_LIMIT_MS,
};

/** One request. */
interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below the base, with a leading slash; ids of it are plain. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
  /** Ends the sentence "Cannot …" of its error. */
  readonly doing: string;
  /** The permission of the token that it takes, as the dashboard names it. */
  readonly needs?: string;
}

/** A request as its callers give it. */
export type ApiCall = Omit<ApiRequest, "method">;

/**
 * The address of the API.
 *
 * @param override What `TASKMUX_CLOUDFLARE_API` says.
 * @returns Without a slash at its end.
 * @throws {TaskmuxError} E500 if it is no address, or none of this machine: whoever could set it could have the token.
 */
export function apiBase(override: string | null | undefined): string {
  const text = override?.trim() ?? "";
  if (text === "") return PUBLIC_BASE;
  const url = URL.parse(text);
  const isLocal = url !== null && /^https?:$/.test(url.protocol) &&
    /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (!isLocal || url.username !== "" || url.password !== "") {
    throw new TaskmuxError(
      "E500",
      "Cannot use TASKMUX_CLOUDFLARE_API: it must be the address of a server on this machine, such as http://127.0.0.1:8787/client/v4",
      { hint: "unset TASKMUX_CLOUDFLARE_API && taskmux daemon restart" },
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

/** Asks the API in the name of one token. */
export class CloudflareApi {
  readonly #options: CloudflareApiOptions;
  readonly #patience: ApiPatience;

  constructor(options: CloudflareApiOptions) {
    this.#options = options;
    this.#patience = options.patience ?? USUAL_PATIENCE;
  }

  /**
   * What is there. Asked again after a fault of the network, of the server, or of our pace.
   *
   * @throws {CloudflareRefusal}
   */
  async get(call: ApiCall, signal: AbortSignal): Promise<Json> {
    const { result } = await this.#ask({ ...call, method: "GET" }, signal);
    return result ?? null;
  }

  /**
   * All items of a list, page by page, each once.
   *
   * @param pageSize Most items the API gives at once.
   * @throws {CloudflareRefusal}
   */
  async list(
    call: ApiCall,
    pageSize: number,
    signal: AbortSignal,
  ): Promise<JsonObject[]> {
    const items = new Map<string, JsonObject>();
    for (let page = 1; page <= MAX_PAGES; page++) {
      const query = {
        ...call.query,
        page: `${page}`,
        per_page: `${pageSize}`,
      };
      const answer = await this.#ask({ ...call, query, method: "GET" }, signal);
      const found = listOf(answer.result).filter(isObject);
      // A list may move while it is read: what is seen twice is one.
      for (const item of found) items.set(idOf(item) ?? `#${items.size}`, item);
      if (isLastPage(answer.result_info, { page, pageSize, found })) {
        return [...items.values()];
      }
    }
    throw this.#refusal({
      ...about(call),
      reason: "refused",
      status: null,
      codes: [],
      words: `there are more than ${MAX_PAGES} pages`,
      isUncertain: false,
    });
  }

  /** Replaces. Repeated like {@linkcode CloudflareApi.get}: twice is as good as once. @throws {CloudflareRefusal} */
  async put(call: ApiCall, signal: AbortSignal): Promise<Json> {
    const { result } = await this.#ask({ ...call, method: "PUT" }, signal);
    return result ?? null;
  }

  /** Changes fields to given values. Repeated like {@linkcode CloudflareApi.get}. @throws {CloudflareRefusal} */
  async patch(call: ApiCall, signal: AbortSignal): Promise<Json> {
    const { result } = await this.#ask({ ...call, method: "PATCH" }, signal);
    return result ?? null;
  }

  /** Removes. What is not there (any more) is removed. @throws {CloudflareRefusal} */
  async delete(call: ApiCall, signal: AbortSignal): Promise<void> {
    try {
      await this.#ask({ ...call, method: "DELETE" }, signal);
    } catch (error) {
      if (!(error instanceof CloudflareRefusal) || !error.isMissing) {
        throw error;
      }
    }
  }

  /**
   * Makes something new. Made again only where the API said that it did nothing (429).
   *
   * @throws {CloudflareRefusal} With `isUncertain` if it may have been made: look before trying again.
   */
  async post(call: ApiCall, signal: AbortSignal): Promise<Json> {
    const { result } = await this.#ask({ ...call, method: "POST" }, signal);
    return result ?? null;
  }

  async #ask(request: ApiRequest, signal: AbortSignal): Promise<JsonObject> {
    const { clock } = this.#options;
    const { attempts } = this.#patience;
    for (let attempt = 1;; attempt++) {
      const outcome = await this.#once(request, signal);
      if (!("refusal" in outcome)) return outcome.answer;
      const { refusal, pauseMs } = outcome;
      const isLost = refusal.reason === "unreachable" ||
        refusal.reason === "garbled" || (refusal.status ?? 0) >= 500;
      const again = refusal.reason === "limited" ||
        isLost && request.method !== "POST";
      const pause = pauseMs ?? backoffMs(attempt, Math.random());
      if (!again || attempt >= attempts || pause > MAX_ASKED_PAUSE_MS) {
        throw refusal;
      }
      await clock.sleep(pause, signal);
    }
  }

  async #once(
    request: ApiRequest,
    signal: AbortSignal,
  ): Promise<
    | { readonly answer: JsonObject }
    | { readonly refusal: CloudflareRefusal; readonly pauseMs: number | null }
  > {
    const { clock } = this.#options;
    const { limitMs } = this.#patience;
    try {
      const deadline = { clock, ms: limitMs, signal };
      const { status, headers, text } = await withDeadline(
        deadline,
        (bounded) => this.#fetch(request, bounded),
      );
      const read = this.#read(request, status, text);
      if (!(read instanceof CloudflareRefusal)) return { answer: read };
      return { refusal: read, pauseMs: askedPauseMs(headers, clock.now()) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CloudflareRefusal) {
        return { refusal: error, pauseMs: null };
      }
      const words = faultWords(error, limitMs);
      if (words === null) throw error;
      const refusal = this.#refusal({
        ...about(request),
        reason: "unreachable",
        status: null,
        codes: [],
        words,
        isUncertain: request.method === "POST",
      });
      return { refusal, pauseMs: null };
    }
  }

  async #fetch(
    request: ApiRequest,
    signal: AbortSignal,
  ): Promise<{
    readonly status: number;
    readonly headers: Headers;
    readonly text: string;
  }> {
    const { method, path, query = {}, body } = request;
    const { base, token } = this.#options;
    if (!/^[\x21-\x7e]{1,512}$/.test(token)) {
      throw this.#refusal({
        ...about(request),
        reason: "refused",
        status: null,
        codes: [6111],
        words: "the API token holds characters that no token has",
        isUncertain: false,
      });
    }
    const search = new URLSearchParams(query).toString();
    const address = `${base}${path}${search === "" ? "" : `?${search}`}`;
    const asked = {
      method,
      headers: {
        accept: "application/json",
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    // To others than this machine a proxy only passes what it cannot read.
    const response = base.startsWith("http:")
      ? await localFetch(address, asked, signal)
      : await fetch(address, { ...asked, redirect: "manual", signal });
    const text = await boundedText(response.body ?? []);
    return { status: response.status, headers: response.headers, text };
  }

  /** The answer, if it is a success. */
  #read(
    request: ApiRequest,
    status: number,
    text: string,
  ): JsonObject | CloudflareRefusal {
    const isGood = status >= 200 && status < 300;
    const answer = parseObject(text);
    if (isGood && answer?.success === true) return answer;
    const complaint = answer === null ? null : complaintOf(answer);
    const codes = complaint?.codes ?? [];
    const isLimited = status === 429 || isLimit(codes);
    const isAnswer = answer !== null &&
      (complaint !== null || answer.success === false);
    return this.#refusal({
      ...about(request),
      reason: isLimited ? "limited" : isAnswer ? "refused" : "garbled",
      status,
      codes,
      words: complaint === null
        ? strangeWords(status, text)
        : `Cloudflare says "${complaint.words}", HTTP ${status}`,
      isUncertain: request.method === "POST" && !isLimited &&
        (status >= 500 || isGood && !isAnswer),
    });
  }

  #refusal(facts: RefusalFacts): CloudflareRefusal {
    const words = facts.words.replaceAll(this.#options.token, "[token]");
    return new CloudflareRefusal({ ...facts, words });
  }
}

function about(
  { doing, needs }: ApiCall,
): Pick<RefusalFacts, "doing" | "needs"> {
  return { doing, needs: needs ?? null };
}

/** The `id` of an item. */
export function idOf(item: JsonObject): string | null {
  return typeof item.id === "string" ? item.id : null;
}

function isLastPage(
  info: Json | undefined,
  { page, pageSize, found }: {
    readonly page: number;
    readonly pageSize: number;
    readonly found: readonly JsonObject[];
  },
): boolean {
  if (found.length === 0) return true;
  const numberOf = (name: string): number | null => {
    const value = isObject(info) ? info[name] : undefined;
    return typeof value === "number" && value >= 0 ? value : null;
  };
  const pages = numberOf("total_pages");
  if (pages !== null) return page >= pages;
  // A server may give less at once than was asked for.
  const size = Math.max(
    1,
    Math.min(pageSize, numberOf("per_page") ?? pageSize),
  );
  const total = numberOf("total_count");
  return total === null ? found.length < size : page * size >= total;
}

async function boundedText(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (bytes > MAX_ANSWER_BYTES) return "";
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What to say of an answer in which Cloudflare says nothing. */
function strangeWords(status: number, text: string): string {
  if (status >= 300 && status < 400) {
    return `HTTP ${status} leads elsewhere, and the API token does not go there`;
  }
  const title = /<title[^>]*>([^<]{1,200})/i.exec(text)?.[1];
  if (title !== undefined) {
    return `HTTP ${status} came with a web page, "${shorten(title)}"`;
  }
  if (text.trim() === "") return `HTTP ${status} came without an answer`;
  return `HTTP ${status} came with an answer that is not the API's`;
}

/** What is wrong with the network; null for what is no fault of it. */
function faultWords(error: unknown, limitMs: number): string | null {
  if (error instanceof DeadlineError) {
    return `no answer within ${limitMs / 1_000} s`;
  }
  if (error instanceof Deno.errors.NotCapable) {
    return "this daemon was started without the permission to reach api.cloudflare.com, which a restart gives it";
  }
  if (error instanceof TypeError || error instanceof Deno.errors.Http) {
    // "fetch failed" says less than what made it fail.
    const { cause } = error;
    return shorten(cause instanceof Error ? cause.message : error.message)
      .replace(/^error sending request for url \(\S*\): /, "");
  }
  if (
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.UnexpectedEof
  ) {
    return shorten(error.message);
  }
  return null;
}
