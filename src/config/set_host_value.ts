/**
 * Changing the settings of the host one key at a time. Apart from reading them, for that needs no parser that keeps places.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { closest } from "../kit/did_you_mean.ts";
import type { Json } from "../kit/json.ts";
import { setValue } from "./edit_toml.ts";
import { HOST_FIELDS } from "./host_keys.ts";
import { ProblemList } from "./problem.ts";
import type { Field, Fields } from "./rule.ts";
import { TomlDocument } from "./toml_document.ts";
import type { TomlValue } from "./toml_value.ts";

/** A changed file, not yet written. */
export interface HostEdit {
  readonly text: string;
  /** The value as it was understood. */
  readonly value: Json;
}

/**
 * Sets one key in the text of the settings; the rest stays as it is, byte for byte.
 *
 * @param key Dotted, such as `tunnel.cloudflare.zone_id`.
 * @param written What the user typed. The key decides what it is: `123` stays text where text is wanted; a list is
 * separated by commas, or is JSON.
 * @throws {TaskmuxError} E104 if the key is unknown or is a table, or the value does not suit it; E101 if the text is not TOML.
 */
export function setHostValue(
  text: string,
  key: string,
  written: string,
): HostEdit {
  const field = fieldOf(key);
  const path = key.split(".");
  const value = valueOf(written, field);
  const document = new TomlDocument("", "config.toml");
  const problems = new ProblemList();
  const read = field.rule.read({ document, problems, path, value });
  const [first] = problems.locate(document);
  if (read === undefined || first !== undefined) {
    const hint = first?.hint;
    throw new TaskmuxError("E104", first?.message ?? `Cannot set "${key}"`, {
      ...(hint === undefined ? {} : { hint }),
      details: { key },
    });
  }
  return { text: setValue(text, path, value), value: value as Json };
}

function fieldOf(key: string): Field<unknown> {
  let fields: Fields | undefined = HOST_FIELDS;
  let field: Field<unknown> | undefined;
  let known = "";
  for (const part of key.split(".")) {
    field = fields !== undefined && Object.hasOwn(fields, part)
      ? fields[part]
      : undefined;
    if (field === undefined) {
      const near = fields === undefined
        ? known.slice(0, -1)
        : nearKey(part, fields, known);
      throw refusal(key, "there is no such setting", near);
    }
    fields = field.rule.fields;
    known += `${part}.`;
  }
  if (field !== undefined && fields === undefined) return field;
  throw refusal(key, "it is a table, only a key in it can be set", null);
}

function nearKey(part: string, fields: Fields, known: string): string | null {
  const near = closest(part, Object.keys(fields));
  if (near !== null) return known + near;
  return dottedKeys(HOST_FIELDS).find((key) => key.endsWith(`.${part}`)) ??
    null;
}

function refusal(
  key: string,
  state: string,
  near: string | null,
): TaskmuxError {
  return new TaskmuxError("E104", `Cannot set "${key}": ${state}`, {
    hint: near === null ? "taskmux config show" : `did you mean "${near}"?`,
    details: { key },
  });
}

function dottedKeys(fields: Fields, prefix = ""): string[] {
  return Object.entries(fields).flatMap(([key, { rule }]) =>
    rule.fields === undefined
      ? [prefix + key]
      : dottedKeys(rule.fields, `${prefix}${key}.`)
  );
}

/** Unfit text stays text, so that the rule can complain of what was typed. */
function valueOf(written: string, { rule }: Field<unknown>): TomlValue {
  switch (rule.json["type"]) {
    case "boolean": {
      const word = written.trim().toLowerCase();
      return word === "true" || word === "false" ? word === "true" : written;
    }
    case "integer":
    case "number":
      return /^\s*[+-]?\d+(\.\d+)?\s*$/.test(written)
        ? Number(written)
        : written;
    case "array":
      return written.trim().startsWith("[")
        ? listOf(written)
        : written.split(",").map((part) => part.trim()).filter((part) =>
          part !== ""
        );
    default:
      return written;
  }
}

function listOf(written: string): TomlValue {
  try {
    const value: unknown = JSON.parse(written);
    const isList = Array.isArray(value) &&
      value.every((item) => typeof item === "string");
    return isList ? value : written;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return written;
  }
}
