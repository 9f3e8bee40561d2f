/**
 * The JSON Schema of `taskmux.toml`, for editors. Made from the same table of keys that reading uses.
 *
 * It cannot say everything: that dependencies exist and hosts are unique is only found by `taskmux check`.
 *
 * @module
 */

import type { JsonObject } from "../src/kit/json.ts";
import { PROJECT_FIELDS } from "../src/config/project_keys.ts";
import { tableSchema } from "../src/config/rule.ts";
import { SCHEMA_URL } from "../src/config/starter.ts";

/** The schema, draft 2020-12. */
export function projectJsonSchema(): JsonObject {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: SCHEMA_URL,
    title: "taskmux.toml",
    description: "A project of taskmux: its tasks and how they run",
    ...tableSchema(PROJECT_FIELDS),
  };
}
