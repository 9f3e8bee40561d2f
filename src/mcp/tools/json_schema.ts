/**
 * JSON Schemas of tools, as small as they can be: a model reads them in every conversation. What they leave out, ranges
 * and patterns, the arguments are checked for all the same.
 *
 * @module
 */

import { z } from "zod";
import type { Json } from "../../kit/json.ts";
import type { Tool } from "../sdk.ts";

type JsonSchema = Tool["inputSchema"];

/** Of arguments. */
export function inputSchema(schema: z.ZodObject): JsonSchema {
  return minimal(z.toJSONSchema(schema, { io: "input" }));
}

/** Of structured content. Nothing is required: a failure is answered in the same place. */
export function outputSchema(schema: z.ZodObject): JsonSchema {
  return minimal(z.toJSONSchema(schema, { io: "output" }));
}

/** Keywords that are kept; those of objects are handled below. */
const KEPT: ReadonlySet<string> = new Set([
  "type",
  "description",
  "enum",
  "items",
]);

function minimal(schema: z.core.JSONSchema.BaseSchema): JsonSchema {
  const { properties = {}, required = [] } = schema;
  const kept = Object.entries(properties).map((
    [name, value],
  ) => [name, property(value as Readonly<Record<string, unknown>>)]);
  return {
    type: "object",
    ...kept.length === 0 ? {} : { properties: Object.fromEntries(kept) },
    // What has a default may be left out.
    ...required.length === 0 ? {} : { required: [...required] },
  };
}

function property(schema: Readonly<Record<string, unknown>>): Json {
  const { anyOf, ...rest } = schema;
  if (Array.isArray(anyOf)) {
    // "Or null" is as good as absent.
    const [only, ...others] = anyOf.filter(({ type }) => type !== "null");
    if (others.length === 0) return property({ ...only, ...rest });
    return {};
  }
  const kept = Object.entries(rest).filter(([key]) => KEPT.has(key)).map((
    [key, value],
  ) => [key, key === "type" ? typeOf(value) : itemOf(key, value)]);
  const { default: preset } = schema;
  const isTelling = typeof preset === "number" ||
    typeof preset === "string";
  return {
    ...Object.fromEntries(kept),
    ...isTelling ? { default: preset } : {},
  };
}

function itemOf(key: string, value: unknown): unknown {
  if (key !== "items") return value;
  return property(value as Readonly<Record<string, unknown>>);
}

function typeOf(type: unknown): unknown {
  if (!Array.isArray(type)) return type;
  const [only, ...others] = type.filter((each) => each !== "null");
  return others.length === 0 ? only : type;
}
