/**
 * Writes what is derived from the code. With `--check` it writes nothing and fails if a file is not up to date.
 *
 * @module
 */

import { eventPage } from "./event_page.ts";
import { reliabilityPage } from "./fault_list.ts";
import { projectJsonSchema } from "./json_schema.ts";
import { operationFiles } from "./operation_types.ts";
import { toolPage } from "./tool_page.ts";

/** Path below the repository → the text it should have. */
const outputs: Readonly<Record<string, () => string>> = {
  "schema/taskmux.schema.json": () =>
    JSON.stringify(projectJsonSchema(), null, 2) + "\n",
  "docs/reliability.md": reliabilityPage,
  "docs/events.md": eventPage,
  ...Object.fromEntries(
    Object.entries(operationFiles()).map(([path, text]) => [path, () => text]),
  ),
  "docs/mcp.md": toolPage,
};

const isCheck = Deno.args.includes("--check");
const stale: string[] = [];
for (const [path, render] of Object.entries(outputs)) {
  const file = new URL(`../${path}`, import.meta.url);
  const wanted = render();
  if (await readOrNull(file) === wanted) continue;
  stale.push(path);
  if (!isCheck) await Deno.writeTextFile(file, wanted);
}
if (stale.length > 0) {
  const list = stale.join(", ");
  if (isCheck) {
    console.error(`Not up to date: ${list}\nhint: deno task generate`);
    Deno.exit(1);
  }
  console.error(`Wrote ${list}`);
}

async function readOrNull(file: URL): Promise<string | null> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
