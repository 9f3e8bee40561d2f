/**
 * The list of fault tests in `docs/reliability.md`: what each file says of itself.
 *
 * @module
 */

import { wrapped } from "./wrapped.ts";

const PAGE = new URL("../docs/reliability.md", import.meta.url);

const FOLDER = "tests/e2e/faults";

const BEGIN = "<!-- tests: begin, written by `deno task generate` -->";
const END = "<!-- tests: end -->";

/** The page as it should be, with a list of the tests that are there. */
export function reliabilityPage(): string {
  const page = Deno.readTextFileSync(PAGE);
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) {
    throw new Error("Cannot list fault tests: the page has no place for them");
  }
  const list = [...Deno.readDirSync(new URL(`../${FOLDER}`, import.meta.url))]
    .map(({ name }) => name)
    .filter((name) => name.endsWith("_test.ts"))
    .sort()
    .map((name) => wrapped(`- \`${name}\`: ${summaryOf(name)}`, "  "));
  const before = page.slice(0, begin + BEGIN.length);
  return `${before}\n\n${list.join("\n")}\n\n${page.slice(end)}`;
}

/** The doc comment at the top of a file, as one line. */
function summaryOf(name: string): string {
  const url = new URL(`../${FOLDER}/${name}`, import.meta.url);
  const [, comment] = /^\/\*\*\n([\s\S]*?) \* @module/
    .exec(Deno.readTextFileSync(url)) ?? [];
  if (comment === undefined) {
    throw new Error(`Cannot list ${FOLDER}/${name}: it does not say what for`);
  }
  return comment.replaceAll(/^ \* ?/gm, "").trim().replaceAll(/\s+/g, " ");
}
