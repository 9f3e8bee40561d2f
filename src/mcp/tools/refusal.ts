/**
 * Refusals and failures of tools. A model gets the text alone, or the structure alone, so each says all of it.
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { closest } from "../../kit/did_you_mean.ts";
import type { Json, JsonObject } from "../../kit/json.ts";
import { shortText } from "./short_text.ts";
import { BYTES_PER_TOKEN } from "./arguments.ts";
import type { Brief } from "./tool.ts";

/** Most items of a list among the details. */
const MAX_ITEMS = 30;

/** Longest text among the details, in characters; of output the end is kept. */
const DETAIL_LENGTH = 600;

/** Longest sentence, in characters: some quote what they were given. */
const SENTENCE_LENGTH = 1_000;

/** Characters of all details together: about 500 tokens. */
const DETAILS_LENGTH = 2_000;

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
  const facts = factsOf(details);
  const slug = slugOf(error);
  return {
    structured: {
      ok: false,
      error_code,
      ...slug === null
        ? { error: sentence }
        : { error: slug, message: sentence },
      ...hint === undefined ? {} : { hint },
      // A name among them may mean something else in the answer of the tool.
      ...slug !== null
        ? Object.fromEntries(facts)
        : facts.length === 0
        ? {}
        : { details: Object.fromEntries(facts) },
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
      hint: "Ask the user",
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

/** The details that fit, and the names of the others. */
function factsOf(details: JsonObject): readonly (readonly [string, Json])[] {
  const facts = Object.entries(details).filter(([name]) => !SAID.has(name))
    .map(([name, value]) => [name, bounded(value)] as const);
  let length = 0;
  const fitting = facts.filter(([name, value]) => {
    const size = name.length + JSON.stringify(value).length;
    if (length + size > DETAILS_LENGTH) return false;
    length += size;
    return true;
  });
  const left = facts.filter((fact) => !fitting.includes(fact));
  return left.length === 0
    ? fitting
    : [...fitting, ["omitted", left.map(([name]) => name)]];
}

/** In the words of MCP: the session that was probably meant, the budget that would do. */
function hintOf({ code, hint, details }: TaskmuxError): string | undefined {
  const { session, known, least } = details ?? {};
  if (typeof least === "number") {
    return `max_tokens ${Math.ceil(least / BYTES_PER_TOKEN)}`;
  }
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
    const entries = Object.entries(value as JsonObject);
    const rest = entries.length - MAX_ITEMS;
    return {
      ...Object.fromEntries(
        entries.slice(0, MAX_ITEMS)
          .map(([name, each]) => [name, bounded(each)]),
      ),
      ...rest <= 0 ? {} : { "…": `and ${rest} more` },
    };
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
