/**
 * The evidence of an HTTP answer.
 *
 * Which answer counts is decided here; how it is got over the wire is in `http_get.ts`.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import {
  expandVariables,
  missingVariables,
} from "../domain/expand_variables.ts";
import { safeCut } from "../domain/safe_cut.ts";
import { DeadlineError, withDeadline } from "../kit/deadline.ts";
import { TimeLimitError, withinTime } from "../kit/time_limit.ts";
import {
  type Complaint,
  type HealthProbe,
  MAX_PROBE_OUTPUT,
  type ProbeTarget,
  timeoutReason,
} from "./health_probe.ts";
import {
  type BodyNeed,
  type HttpAnswer,
  HttpFailure,
  httpGet,
} from "./http_get.ts";

/** As many as there may sensibly be between a health address and its answer. */
const MAX_REDIRECTS = 5;

/** How much of a body is searched. */
const MAX_BODY_BYTES = 64 * 1024;

/** How much of the body of a wrong answer is looked at, and how long that is waited for. */
const WRONG_BODY: BodyNeed = { bytes: 4 * MAX_PROBE_OUTPUT, patienceMs: 300 };

/** How long the search may take. */
const MATCH_LIMIT_MS = 500;

/**
 * Asks `health_url`, with variables of the task's environment in it expanded. Healthy if the status is the expected
 * one, whatever that is, and the body matches. Redirects are followed unless they are what is expected.
 */
export const httpProbe: HealthProbe = {
  kind: "http",
  applies: (target) => target.health.url !== null,
  check: async (target, { clock, signal }) => {
    const url = parseUrl(target);
    if (typeof url === "string") return url;
    try {
      return await withDeadline(
        { clock, ms: target.health.timeoutMs, signal },
        (within) => ask(url, target, within),
      );
    } catch (error) {
      if (error instanceof DeadlineError) return timeoutReason(target);
      if (error instanceof HttpFailure) return error.message;
      throw error;
    }
  },
};

/** The address to ask, or why there is none. */
function parseUrl({ health, env }: ProbeTarget): URL | string {
  const template = health.url ?? "";
  const missing = missingVariables(template, env);
  if (missing.length > 0) return `url error: $${missing[0]} is not set`;
  const url = URL.parse(expandVariables(template, env));
  if (url === null) return `url error: "${template}" is not a URL`;
  return isHttp(url) ? url : `url error: ${url.protocol} is not http or https`;
}

async function ask(
  url: URL,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<Complaint | string | null> {
  const { health } = target;
  const expected = health.expectedBody === null
    ? null
    : new RegExp(health.expectedBody);
  const body = (status: number): BodyNeed => {
    if (status !== health.expectedStatus) return WRONG_BODY;
    return { bytes: expected === null ? 0 : MAX_BODY_BYTES };
  };
  let at = url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const answer = await httpGet(at, { body, signal });
    const next = answer.status === health.expectedStatus
      ? null
      : redirectTarget(answer, at);
    if (next !== null) {
      at = next;
      continue;
    }
    if (answer.status !== health.expectedStatus) {
      const reason = `status ${answer.status} != ${health.expectedStatus}`;
      return complaint(target, reason, answer);
    }
    const reason = expected === null ? null : judgeBody(expected, answer.body);
    return reason === null ? null : complaint(target, reason, answer);
  }
  return `more than ${MAX_REDIRECTS} redirects`;
}

function complaint(
  { redactor }: ProbeTarget,
  reason: string,
  { body }: HttpAnswer,
): Complaint {
  const text = stripVTControlCharacters(body).trim();
  return text === ""
    ? { reason }
    : { reason, output: safeCut(text, { length: MAX_PROBE_OUTPUT, redactor }) };
}

/** Null if the body is as expected. An expression that never ends must not keep others waiting. */
function judgeBody(expected: RegExp, body: string): string | null {
  try {
    const isExpected = withinTime(MATCH_LIMIT_MS, () => expected.test(body));
    return isExpected ? null : "body mismatch";
  } catch (error) {
    if (!(error instanceof TimeLimitError)) throw error;
    return "health_expected_body takes too long";
  }
}

function redirectTarget(answer: HttpAnswer, from: URL): URL | null {
  if (![301, 302, 303, 307, 308].includes(answer.status)) return null;
  if (answer.location === null) return null;
  const to = URL.parse(answer.location, from);
  return to !== null && isHttp(to) ? to : null;
}

function isHttp(url: URL): boolean {
  return url.protocol === "http:" || url.protocol === "https:";
}
