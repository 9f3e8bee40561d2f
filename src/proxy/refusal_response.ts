/**
 * What a refusal is in HTTP: a page for browsers, JSON for programs that ask for it, else text. Pure.
 *
 * Nothing of the request is repeated in it but names that were parsed, and those are escaped.
 *
 * @module
 */

import type { ErrorCode } from "../domain/error_codes.ts";
import { pagePolicy, refusalPage } from "./refusal_page.ts";
import type { Refusal } from "./router.ts";

/** When to ask again if nothing better is known. */
const RETRY_AFTER_S = 2;

/** Control characters have no business in an answer. */
// deno-lint-ignore no-control-regex
const CONTROL_REGEXP = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** The code in JSON; other words are failures of the proxy itself. */
const ERROR_CODES: Readonly<Record<string, ErrorCode>> = {
  foreign_host: "E500",
  bad_request: "E500",
  unknown_project: "E303",
  unknown_name: "E700",
  not_running: "E202",
  stopped_by_hand: "E202",
  no_port: "E202",
  failed: "E403",
  starting: "E602",
  too_many_wait: "E602",
  too_many_requests: "E602",
  too_many_tunnels: "E602",
  project_broken: "E303",
  stranger: "E214",
  upstream_dead: "E403",
  upstream_failed: "E403",
};

/** Headers of a request, in lower case. */
export type RequestHeaders = Readonly<
  Record<string, string | readonly string[] | undefined>
>;

/** An answer, ready to be sent. A `HEAD` gets it without the body. */
export interface RefusalResponse {
  readonly status: number;
  /** `content-length` among them; none is of one hop only. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * The answer to a request that is refused.
 *
 * @param headers Those of the request; only `accept` is looked at.
 * @param options `method` of the request: only a page that was got asks again by itself.
 */
export function refusalResponse(
  headers: RequestHeaders,
  refusal: Refusal,
  options: { readonly method?: string | undefined } = {},
): RefusalResponse {
  const plain = withoutControls(refusal);
  const retryAfterS = plain.isTransient
    ? plain.retryAfterS ?? RETRY_AFTER_S
    : null;
  const form = preferredForm(String(headers["accept"] ?? ""));
  const isGet = (options.method ?? "GET") === "GET";
  const body = new TextEncoder().encode(
    form === "text/html"
      ? refusalPage(plain, { refreshS: isGet ? retryAfterS : null })
      : form === "application/json"
      ? `${JSON.stringify(asJson(plain))}\n`
      : asText(plain),
  );
  return {
    status: plain.status,
    headers: {
      "content-type": `${form}; charset=utf-8`,
      "content-length": String(body.length),
      "cache-control": "no-store",
      vary: "accept",
      "x-content-type-options": "nosniff",
      ...form === "text/html"
        ? { "content-security-policy": pagePolicy() }
        : {},
      ...retryAfterS === null ? {} : { "retry-after": String(retryAfterS) },
    },
    body,
  };
}

/** What an answer can be. */
export type Form = "text/html" | "application/json" | "text/plain";

/** The form with the greatest weight; of equals the page, as browsers list it first. Nothing said is text. */
export function preferredForm(accept: string): Form {
  const weights = new Map<string, number>();
  for (const part of accept.toLowerCase().split(",")) {
    const [type = "", ...parameters] = part.split(";").map((each) =>
      each.trim()
    );
    const q = parameters.find((each) => each.startsWith("q="));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    if (!weights.has(type)) weights.set(type, weight >= 0 ? weight : 0);
  }
  const html = weights.get("text/html") ?? 0;
  const json = weights.get("application/json") ?? 0;
  const text = weights.get("text/plain") ?? 0;
  if (html > 0 && html >= json && html >= text) return "text/html";
  return json > 0 && json >= text ? "application/json" : "text/plain";
}

function asJson(refusal: Refusal): Record<string, unknown> {
  return {
    ok: false,
    error_code: ERROR_CODES[refusal.code] ?? "E900",
    error: refusal.message,
    reason: refusal.code,
    hint: refusal.hint,
    session: refusal.projectId,
    task: refusal.task,
    state: refusal.state,
    transient: refusal.isTransient,
    lines: refusal.lines ?? [],
  };
}

function asText({ message, lines = [], hint }: Refusal): string {
  return [
    `taskmux: ${message}`,
    ...lines.map((line) => `  | ${line}`),
    ...hint === null ? [] : [`type: ${hint}`],
    "",
  ].join("\n");
}

function withoutControls(refusal: Refusal): Refusal {
  const clean = (text: string): string =>
    text.replaceAll(CONTROL_REGEXP, "").toWellFormed();
  return {
    ...refusal,
    message: clean(refusal.message),
    hint: refusal.hint === null ? null : clean(refusal.hint),
    lines: (refusal.lines ?? []).map(clean),
  };
}
