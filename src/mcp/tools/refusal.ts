/**
 * Refusals and failures of tools. A model gets the text alone, or the structure alone, so each says all of it.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { closest } from "../../kit/did_you_mean.ts";
import type { Json, JsonObject } from "../../kit/json.ts";
import { shortText } from "./short_text.ts";
import type { Brief } from "./tool.ts";

/** Most items of a list among the details. */
const MAX_ITEMS = 30;

/** Longest text among the details, in characters; of output the end is kept. */
const DETAIL_LENGTH = 600;

/** Longest sentence, in characters: some quote what they were given. */
const SENTENCE_LENGTH = 1_000;

/** Details that the sentence of the error says already. */
const SAID: ReadonlySet<string> = new Set([
  "problems",
  "refused",
  "results",
  "slug",
]);

/** An error as a brief. Those about sessions have the slug of the WebSocket API as `error`, the sentence as `message`. */
export function errorBrief(error: TaskmuxError): Brief {
  const { error_code, error: whole, details = {} } = error.toShape();
  const sentence = shortText(whole, SENTENCE_LENGTH);
  const hint = hintOf(error);
  const facts = Object.entries(details)
    .filter(([name]) => !SAID.has(name))
    .map(([name, value]) => [name, bounded(value)] as const);
  const slug = slugOf(error);
  return {
    structured: {
      ok: false,
      error_code,
      ...slug === null
        ? { error: sentence }
        : { error: slug, message: sentence },
      ...hint === undefined ? {} : { hint },
      ...Object.fromEntries(facts),
    },
    text: [
      `Error ${error_code}${slug === null ? "" : ` ${slug}`}: ${sentence}`,
      ...facts.flatMap(([name, value]) => detailText(name, value)),
      ...hint === undefined ? [] : [`hint: ${hint}`],
    ].join("\n"),
    isFailure: true,
  };
}

/** A project that is none of this connection's. */
export function pinViolation(
  pinned: string,
  requested: string,
): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot use session "${
      shortText(requested, 64)
    }": this connection is for "${pinned}"`,
    {
      hint: "Leave session out",
      details: {
        slug: "pin_violation",
        pinned_session: pinned,
        requested_session: shortText(requested, 64),
      },
    },
  );
}

/** A tool that acts, on a connection that may not. */
export function readOnly(tool: string): TaskmuxError {
  return new TaskmuxError(
    "E500",
    `Cannot call ${tool}: this connection may only look`,
    {
      hint: "Ask the user, or use the taskmux command line",
      details: { slug: "read_only" },
    },
  );
}

/** No project is named. @param sessions Those there are. */
export function missingSession(
  tool: string,
  sessions: { readonly [session: string]: string },
): TaskmuxError {
  const none = Object.keys(sessions).length === 0;
  return new TaskmuxError(
    "E500",
    `Cannot call ${tool}: it needs a session${
      none ? ", and none is registered" : ""
    }`,
    {
      hint: none
        ? "Run taskmux start in the folder of a project"
        : "Call it again with one of these sessions",
      details: { slug: "missing_session", sessions },
    },
  );
}

function slugOf({ code, details }: TaskmuxError): string | null {
  const slug = details?.["slug"];
  if (typeof slug === "string") return slug;
  return code === "E303" ? "unknown_session" : null;
}

/** For a session that is not there: the one that was probably meant. */
function hintOf({ code, hint, details }: TaskmuxError): string | undefined {
  const { session, known } = details ?? {};
  if (code !== "E303" || typeof session !== "string" || !Array.isArray(known)) {
    return hint;
  }
  const near = closest(session, known.map(String));
  return near === null
    ? "Run taskmux start in the folder of the project"
    : `did you mean "${near}"?`;
}

function bounded(value: Json): Json {
  if (typeof value === "string") {
    return value.length <= DETAIL_LENGTH
      ? value
      : `…${value.slice(1 - DETAIL_LENGTH)}`;
  }
  if (Array.isArray(value)) {
    const shown = value.slice(0, MAX_ITEMS).map(bounded);
    const rest = value.length - shown.length;
    return rest === 0 ? shown : [...shown, `and ${rest} more`];
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value as JsonObject).slice(0, MAX_ITEMS)
        .map(([name, each]) => [name, bounded(each)]),
    );
  }
  return value;
}

function detailText(name: string, value: Json): string[] {
  if (name === "output_tail") return ["it printed:", String(value)];
  if (Array.isArray(value)) {
    return value.length === 0
      ? []
      : [`${name}: ${value.map(plainText).join(", ")}`];
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value as JsonObject);
    return [
      `${name}: ${
        entries.map(([key, each]) => `${key} (${plainText(each)})`).join(", ")
      }`,
    ];
  }
  return value === null ? [] : [`${name}: ${value}`];
}

function plainText(value: Json): string {
  return typeof value === "object" && value !== null
    ? JSON.stringify(value)
    : String(value);
}
