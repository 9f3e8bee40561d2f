/**
 * The types of the client for TypeScript, written out from the contract: a package that is published needs types that can
 * be read without running an inference, and its users need no zod.
 *
 * @module
 */

import { z } from "zod";
import { contract, type Name } from "../src/contract/mod.ts";
import type { Json, JsonObject } from "../src/kit/json.ts";

/** Beyond it a type goes over several lines. */
const MAX_WIDTH = 100;

/** The folder of the files, below the repository. */
const FOLDER = "src/client/operations";

/** Path → text of every file of types. */
export function operationFiles(): Record<string, string> {
  const groups = Map.groupBy(askable(), (name) => name.split(".")[0]!);
  const files: Record<string, string> = {};
  for (const [group, names] of groups) {
    files[`${FOLDER}/${group}.ts`] =
      header(`Parameters and answers of \`${group}.*\`.`) +
      interfaceOf(`${titled(group)}Operations`, names);
  }
  const imports = [...groups.keys()].map((group) =>
    `import type { ${titled(group)}Operations } from "./${group}.ts";\n`
  );
  const parents = [...groups.keys()].map((group) =>
    `    ${titled(group)}Operations`
  );
  files[`${FOLDER}/mod.ts`] = header("What the daemon can be asked.") +
    imports.join("") +
    "\n" +
    [...groups.keys()].map((group) =>
      `export type { ${titled(group)}Operations } from "./${group}.ts";\n`
    ).join("") +
    `\n/** Name of an operation → its parameters and its answer. */\n` +
    `export interface Operations\n  extends\n${parents.join(",\n")} {}\n`;
  return files;
}

/** Calls that are not for the command line only. */
function askable(): Name[] {
  return (Object.keys(contract) as Name[])
    .filter((name) =>
      contract[name].kind === "call" && contract[name].permission !== "admin"
    )
    .toSorted();
}

function header(about: string): string {
  return `// deno-fmt-ignore-file
/**
 * ${about} Generated from the contract by \`deno task generate\`.
 *
 * @module
 */

`;
}

function interfaceOf(name: string, operations: readonly Name[]): string {
  const members = operations.map((name) => {
    const { summary, ...spec } = contract[name];
    const params = schemaOf(spec.params, "input");
    const result = schemaOf(spec.result, "output");
    return `  /** ${summary}. */\n  readonly "${name}": {\n` +
      `    readonly params: ${typeOf(params, 4, 17)};\n` +
      `    readonly result: ${typeOf(result, 4, 17)};\n  };\n`;
  });
  return `/** See the module. */\nexport interface ${name} {\n${
    members.join("")
  }}\n`;
}

function titled(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): JsonObject {
  // JSON Schema is JSON.
  return z.toJSONSchema(schema, { io }) as JsonObject;
}

/** @param indent Where the line begins. @param used Characters before the type in its line. */
function typeOf(
  schema: Json | undefined,
  indent: number,
  used: number,
): string {
  const flat = render(asSchema(schema), null);
  if (indent + used + flat.length <= MAX_WIDTH) return flat;
  return render(asSchema(schema), indent);
}

function asSchema(schema: Json | undefined): JsonObject {
  return typeof schema === "object" && schema !== null && !Array.isArray(schema)
    ? schema as JsonObject
    : {};
}

/** @param indent Null = all in one line. */
function render(schema: JsonObject, indent: number | null): string {
  const { const: constant, enum: values, anyOf, type } = schema;
  if (constant !== undefined) return JSON.stringify(constant);
  if (Array.isArray(values)) {
    return values.map((value) => JSON.stringify(value)).join(" | ");
  }
  if (Array.isArray(anyOf)) {
    return anyOf.map((each) => inner(each, indent)).join(" | ");
  }
  if (Array.isArray(type)) {
    return type.map((each) => render({ ...schema, type: each }, indent))
      .join(" | ");
  }
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return `readonly ${bracketed(inner(schema["items"], indent))}[]`;
    case "object":
      return objectType(schema, indent);
    default:
      return "unknown";
  }
}

function inner(schema: Json | undefined, indent: number | null): string {
  return indent === null
    ? render(asSchema(schema), null)
    : typeOf(schema, indent, 20);
}

function bracketed(type: string): string {
  const isSimple = /^\w+$/.test(type) ||
    (type.startsWith("{") && type.endsWith("}") && !type.includes("} | "));
  return isSimple ? type : `(${type})`;
}

function objectType(schema: JsonObject, indent: number | null): string {
  const known = Object.entries(asSchema(schema["properties"]));
  const required = schema["required"];
  const rest = schema["additionalProperties"];
  const isOptional = (name: string): boolean =>
    !Array.isArray(required) || !required.includes(name);
  const step = indent === null ? null : indent + 2;
  const members = known.map(([name, type]) => {
    const key = /^[a-z_]\w*$/i.test(name) ? name : JSON.stringify(name);
    const start = `readonly ${key}${isOptional(name) ? "?" : ""}: `;
    return start +
      (step === null
        ? render(asSchema(type), null)
        : typeOf(type, step, start.length + 1));
  });
  const isOpen = rest !== undefined && rest !== false;
  if (isOpen) {
    // Known members must fit the index signature, so beside them it says nothing.
    const type = known.length > 0 ? "unknown" : inner(rest, step);
    members.push(`readonly [key: string]: ${type}`);
  }
  if (members.length === 0) return "Readonly<Record<string, never>>";
  if (step === null) return `{ ${members.join("; ")} }`;
  const lines = members.map((member) => `${" ".repeat(step)}${member};\n`);
  return `{\n${lines.join("")}${" ".repeat(indent!)}}`;
}
