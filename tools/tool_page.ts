/**
 * The list of tools in `docs/mcp.md`, from what clients are told.
 *
 * @module
 */

import { contract } from "../src/contract/mod.ts";
import { TOOLS } from "../src/mcp/tools/offered_tools.ts";
import { wrapped } from "./wrapped.ts";

const PAGE = new URL("../docs/mcp.md", import.meta.url);

const BEGIN = "<!-- tools: begin, written by `deno task generate` -->";
const END = "<!-- tools: end -->";

/** A property of a schema, as the page shows it. */
interface Property {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly default?: string | number;
  readonly description?: string;
}

/** The page as it should be, with every tool. */
export function toolPage(): string {
  const page = Deno.readTextFileSync(PAGE);
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) {
    throw new Error("Cannot list tools: the page has no place for them");
  }
  const sections = Object.values(TOOLS).map(section);
  const before = page.slice(0, begin + BEGIN.length);
  return `${before}\n\n${sections.join("\n\n")}\n\n${page.slice(end)}`;
}

function section(tool: typeof TOOLS[keyof typeof TOOLS]): string {
  const { name, description, inputSchema, outputSchema } = tool.declare({
    isPinned: true,
  });
  const needed = inputSchema.required ?? [];
  const args = Object.entries(inputSchema.properties ?? {}).map(
    ([arg, property]) =>
      argumentItem(arg, property as Property, needed.includes(arg)),
  );
  const keys = Object.keys(outputSchema?.properties ?? {});
  const answer = `Answers \`${keys.join("`, `")}\`.`;
  const kind = tool.isActing
    ? contract[tool.operation].effect === "destructive"
      ? "acts, and may end something"
      : "acts"
    : "only looks";
  return [
    `### ${name}`,
    wrapped(`${description}. It ${kind}. ${answer}`),
    ...args.length === 0 ? [] : [args.join("\n")],
  ].join("\n\n");
}

function argumentItem(
  name: string,
  property: Property,
  isNeeded: boolean,
): string {
  const { type, enum: words, default: preset, description } = property;
  const facts = [
    words === undefined ? type : words.map((word) => `\`${word}\``).join(", "),
    ...isNeeded ? ["must be given"] : [],
    ...preset === undefined ? [] : [`\`${preset}\` by default`],
  ];
  const more = description === undefined ? "" : `: ${description}`;
  return wrapped(`- \`${name}\` (${facts.join(", ")})${more}`, "  ");
}
