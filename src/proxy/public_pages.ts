/**
 * What a gate itself says to visitors. Nothing of this machine is in it, and nothing that a visitor sent.
 *
 * @module
 */

import { escapeHtml, PAGE_STYLE, pagePolicy } from "./refusal_page.ts";
import {
  preferredForm,
  type RefusalResponse,
  type RequestHeaders,
} from "./refusal_response.ts";
import type { Refusal } from "./router.ts";

/** What there is to say, in whichever form is asked for. */
export interface PublicWords {
  readonly status: number;
  /** One sentence, without a full stop. */
  readonly title: string;
  /** What to do about it. */
  readonly advice: string | null;
  /** Seconds. */
  readonly retryAfterS?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** When to ask again if nothing better is known. */
const RETRY_AFTER_S = 2;

/** Nobody is let in without a user name and a password. */
export const UNAUTHORIZED: PublicWords = {
  status: 401,
  title: "This site asks for a user name and a password",
  advice: null,
  headers: { "www-authenticate": 'Basic realm="private", charset="UTF-8"' },
};

/** Nobody is let in without a link. */
export const PRIVATE: PublicWords = {
  status: 403,
  title: "This site is private",
  advice: "Ask whoever runs it for a link.",
};

/** A link that lets nobody in. */
export const NO_SUCH_LINK: PublicWords = {
  status: 404,
  title: "This link is not valid",
  advice:
    "It was used already, has expired, or never was one. Ask whoever gave it to you for a new one.",
};

/** For what is asked of a link besides following it. */
export const NO_SUCH_METHOD: PublicWords = {
  status: 405,
  title: "This cannot be done with a link",
  advice: null,
  headers: { allow: "GET, HEAD, POST" },
};

/** For what is no request to one server. */
export const UNSERVABLE: PublicWords = {
  status: 400,
  title: "This request cannot be served",
  advice: null,
};

/** More is under way than is served at a time. */
export const BUSY: PublicWords = {
  status: 503,
  title: "Too many requests are under way",
  advice: "Try again in a moment.",
  retryAfterS: RETRY_AFTER_S,
};

/** Too many wrong passwords. @param retryAfterS Seconds. */
export function tooManyTries(retryAfterS: number): PublicWords {
  return {
    status: 429,
    title: "Too many wrong passwords",
    advice: "Try again later.",
    retryAfterS,
  };
}

/** What visitors are told of a task that does not answer. */
export function unavailable(
  { status, isTransient, retryAfterS }: Refusal,
): PublicWords {
  const retry = isTransient
    ? { retryAfterS: retryAfterS ?? RETRY_AFTER_S }
    : {};
  return status === 502
    ? { status, title: "This site did not answer", advice: null, ...retry }
    : {
      status: 503,
      title: "This site is not available now",
      advice: null,
      ...retry,
    };
}

/** The words as a page, as JSON or as text, whichever the request prefers. */
export function publicAnswer(
  asked: RequestHeaders,
  words: PublicWords,
): RefusalResponse {
  const { status, title, advice, retryAfterS } = words;
  const form = preferredForm(String(asked["accept"] ?? ""));
  const text = form === "text/html"
    ? page(title, advice === null ? "" : `<p>${escapeHtml(advice)}</p>`)
    : form === "application/json"
    ? `${JSON.stringify({ ok: false, status, error: title })}\n`
    : `${title}${advice === null ? "" : `\n${advice}`}\n`;
  return {
    ...answer(status, { form, text }),
    headers: {
      ...answer(status, { form, text }).headers,
      vary: "accept",
      ...words.headers,
      ...retryAfterS === undefined
        ? {}
        : { "retry-after": String(retryAfterS) },
    },
  };
}

/** The page of a link: with a button, as programs that look at links for a preview press none. */
export function linkPage(): RefusalResponse {
  const text = page(
    "You are invited to this site",
    '<p>The link works once, for this browser.</p><form method="post"><button type="submit">Continue</button></form>',
  );
  const { headers, ...rest } = answer(200, { form: "text/html", text });
  return {
    ...rest,
    headers: { ...headers, "content-security-policy": policy("'self'") },
  };
}

/** Leads to the site, with the cookie of a session. @param setCookie Value of `Set-Cookie`. */
export function welcome(setCookie: string): RefusalResponse {
  const { headers, ...rest } = answer(303, { form: "text/plain", text: "" });
  return {
    ...rest,
    headers: { ...headers, location: "/", "set-cookie": setCookie },
  };
}

/** Fields of everything that a gate says itself, in lower case. */
export const OWN_FIELDS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "cdn-cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-robots-tag": "noindex",
};

function answer(
  status: number,
  { form, text }: { readonly form: string; readonly text: string },
): RefusalResponse {
  const body = new TextEncoder().encode(text);
  return {
    status,
    headers: {
      "content-type": `${form}; charset=utf-8`,
      "content-length": String(body.length),
      ...OWN_FIELDS,
      ...form === "text/html"
        ? { "content-security-policy": policy("'none'") }
        : {},
    },
    body,
  };
}

function policy(formAction: "'none'" | "'self'"): string {
  return `${pagePolicy(formAction)}; frame-ancestors 'none'`;
}

function page(title: string, rest: string): string {
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    '<meta name="robots" content="noindex">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${PAGE_STYLE}</style></head><body><main>`,
    `<h1>${escapeHtml(title)}</h1>`,
    rest,
    "</main></body></html>",
    "",
  ].join("\n");
}
