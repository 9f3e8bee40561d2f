import assert from "node:assert/strict";
import { parse } from "smol-toml";
import { projectJsonSchema } from "../../../tools/json_schema.ts";
import { parseProject } from "../../../src/config/project_config.ts";
import { starterText } from "../../../src/config/starter.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import type { Json, JsonObject } from "../../../src/kit/json.ts";
import { ORIGINAL_PROJECTS } from "./original_examples.ts";

const PROJECT_KEYS = [
  "name",
  "auto_start",
  "auto_daemon",
  "auto_inject_agents",
  "env",
  "env_file",
  "hooks",
  "worktree",
  "tunnel",
  "tasks",
];

const TASK_KEYS = [
  "command",
  "shell",
  "cwd",
  "env",
  "env_file",
  "auto_start",
  "host",
  "host_path",
  "port",
  "depends_on",
  "scope",
  "health_url",
  "health_expected_status",
  "health_expected_body",
  "health_check",
  "ready_log",
  "health_interval",
  "health_timeout",
  "health_retries",
  "health_retries_tcp",
  "boot_grace",
  "restart_policy",
  "max_restarts",
  "restart_backoff",
  "success_exit_codes",
  "stop_signal",
  "stop_grace_period",
  "pids_limit",
  "watch",
  "watch_ignore",
  "log_file",
  "log_max_size",
  "log_max_files",
  "tunnel",
  "public_hostname",
  "hooks",
];

function at(schema: JsonObject, ...path: string[]): JsonObject {
  let found: Json = schema;
  for (const key of path) found = (found as JsonObject)[key]!;
  return found as JsonObject;
}

function taskSchema(): JsonObject {
  const entry = at(projectJsonSchema(), "properties", "tasks");
  const forms = at(entry, "additionalProperties")["anyOf"];
  return (forms as readonly JsonObject[])[1]!;
}

/** As much of a validator as the schema needs; an unknown keyword fails the test. */
function isValid(schema: JsonObject, value: unknown): boolean {
  return Object.entries(schema).every(([keyword, rule]) =>
    holds(keyword, rule, { schema, value })
  );
}

function holds(
  keyword: string,
  rule: Json,
  { schema, value }: { schema: JsonObject; value: unknown },
): boolean {
  const number = typeof value === "number" ? value : null;
  const text = typeof value === "string" ? value : null;
  const items = Array.isArray(value) ? value : [];
  const entries = typeOf(value) === "object"
    ? Object.entries(value as JsonObject)
    : [];
  switch (keyword) {
    case "type":
      return [rule].flat().some((type) =>
        type === typeOf(value) ||
        type === "number" && typeOf(value) === "integer"
      );
    case "enum":
      return (rule as readonly Json[]).includes(value as Json);
    case "anyOf":
      return (rule as readonly JsonObject[]).some((one) => isValid(one, value));
    case "not":
      return !isValid(rule as JsonObject, value);
    case "const":
      return value === rule;
    case "minimum":
      return number === null || number >= Number(rule);
    case "maximum":
      return number === null || number <= Number(rule);
    case "exclusiveMinimum":
      return number === null || number > Number(rule);
    case "maxLength":
      return text === null || text.length <= Number(rule);
    case "pattern":
      return text === null || new RegExp(String(rule), "u").test(text);
    case "items":
      return items.every((item) => isValid(rule as JsonObject, item));
    case "required":
      return typeOf(value) !== "object" ||
        (rule as string[]).every((key) => key in (value as JsonObject));
    case "propertyNames":
      return entries.every(([key]) => isValid(rule as JsonObject, key));
    case "properties":
      return entries.every(([key, item]) => {
        const own = (rule as JsonObject)[key];
        return own === undefined || isValid(own as JsonObject, item);
      });
    case "additionalProperties": {
      const known = schema["properties"] ?? {};
      const others = entries.filter(([key]) => !(key in (known as JsonObject)));
      return rule === false
        ? others.length === 0
        : others.every(([, item]) => isValid(rule as JsonObject, item));
    }
    case "$schema":
    case "$id":
    case "title":
    case "description":
    case "default":
    case "format":
      return true;
    default:
      throw new assert.AssertionError({ message: `Unknown: ${keyword}` });
  }
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value instanceof Date) return "date";
  if (typeof value === "number" && Number.isInteger(value)) return "integer";
  return typeof value;
}

function isAccepted(text: string): boolean {
  try {
    parseProject(text, "/x/taskmux.toml", { home: "/h" });
    return true;
  } catch (error) {
    if (error instanceof TaskmuxError) return false;
    throw error;
  }
}

/** The schema and the reader must be of one mind. */
function check(text: string, expected: boolean): void {
  assert.equal(isAccepted(text), expected, `reading ${text}`);
  assert.equal(isValid(projectJsonSchema(), parse(text)), expected, text);
}

Deno.test("the schema in the repository is the one of the code", async () => {
  const file = new URL(
    "../../../schema/taskmux.schema.json",
    import.meta.url,
  );
  assert.deepEqual(
    JSON.parse(await Deno.readTextFile(file)),
    projectJsonSchema(),
    "run: deno task generate",
  );
});

Deno.test("the schema knows exactly the keys of the design", () => {
  const keys = (schema: JsonObject): string[] =>
    Object.keys(at(schema, "properties")).sort();
  assert.deepEqual(keys(projectJsonSchema()), [...PROJECT_KEYS].sort());
  assert.deepEqual(keys(taskSchema()), [...TASK_KEYS].sort());
});

Deno.test("the reader takes exactly the keys of the schema", () => {
  const unknown = (text: string): unknown => {
    try {
      parseProject(text, "/x/taskmux.toml");
      return undefined;
    } catch (error) {
      if (error instanceof TaskmuxError) return error.details?.["keys"];
      throw error;
    }
  };
  // A date suits no key, but an unknown key is told as such.
  for (const key of PROJECT_KEYS) {
    assert.equal(unknown(`${key} = 2020-01-01`), undefined, key);
  }
  for (const key of TASK_KEYS) {
    const text = `[tasks.a]\n${key} = 2020-01-01`;
    assert.equal(unknown(text), undefined, key);
  }
  assert.deepEqual(unknown("nope = 1"), ["nope"]);
  assert.deepEqual(unknown("[tasks.a]\nnope = 1"), ["tasks.a.nope"]);
});

Deno.test("the schema describes every key", () => {
  const describe = (schema: JsonObject, path: string): void => {
    const properties = Object.entries(schema["properties"] ?? {});
    for (const [key, value] of properties as [string, JsonObject][]) {
      assert.equal(typeof value["description"], "string", path + key);
      describe(value, `${path}${key}.`);
    }
  };
  describe(projectJsonSchema(), "");
  describe(taskSchema(), "tasks.");
});

Deno.test("defaults in the schema are valid values", () => {
  const properties = {
    ...at(projectJsonSchema(), "properties"),
    ...at(taskSchema(), "properties"),
  };
  for (const [key, schema] of Object.entries(properties)) {
    const value = (schema as JsonObject)["default"];
    if (value === undefined) continue;
    assert.ok(isValid(schema as JsonObject, value), key);
  }
});

Deno.test("schema and reader agree on what is right", () => {
  for (const text of Object.values(ORIGINAL_PROJECTS)) check(text, true);
  check(starterText("shop"), true);
  check("", true);
  check('[tasks]\na = "x"\n[env]\nA = 1.5\nB = true', true);
  check(
    'tasks.b = "x"\n[tasks.a]\ncommand = "x"\ndepends_on.b = "started"',
    true,
  );
  check('[tasks.a]\ncommand = "x"\nlog_max_size = "1.5 mb"', true);
  check('[tasks.a]\ncommand = "x"\nwatch = "a"\nenv_file = ["b"]', true);
});

Deno.test("schema and reader agree on what is wrong", () => {
  check('name = "A"', false);
  check('name = ""', false);
  check('name = "a b"', false);
  check("nmae = 'a'", false);
  check("auto_start = 1", false);
  check("tasks = []", false);
  check("[tasks]\n'a b' = 'x'", false);
  check(`[tasks]\n${"a".repeat(101)} = 'x'`, false);
  check("[tasks]\na = 5", false);
  check("[tasks]\na = ' '", false);
  check("[tasks.a]", false);
  check("[hooks]\nbefore = 'x'", false);
  check("[worktree]\nmain_branches = 'x'", false);
  check("[tunnel.cloudflare]\napi_token = 'x'", false);
  check("[env]\n'A-B' = 1", false);
  check("[env]\nA = []", false);
  const lines = [
    "nope = 1",
    "port = 0",
    "port = 1.5",
    "port = '1'",
    "host = 'A'",
    "host = ''",
    "host_path = 'x'",
    "depends_on = 'a'",
    "depends_on = [1]",
    "restart_policy = 'never'",
    "restart_backoff = 0.5",
    "health_interval = 0",
    "stop_grace_period = -1",
    "stop_signal = 'KILL'",
    "success_exit_codes = [300]",
    "log_max_size = '10XB'",
    "log_max_size = 0",
    "log_max_files = -1",
    "tunnel = 'other'",
    "cwd = ''",
    "watch = [1]",
  ];
  for (const line of lines) check(`[tasks.a]\ncommand = 'x'\n${line}`, false);
});
