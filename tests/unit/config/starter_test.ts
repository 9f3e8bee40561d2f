import assert from "node:assert/strict";
import { parseProject } from "../../../src/config/project_config.ts";
import { SCHEMA_URL, starterText } from "../../../src/config/starter.ts";

Deno.test("starterText gives a file that is right and starts nothing", () => {
  const project = parseProject(starterText("my-shop"), "/code/x/taskmux.toml");
  assert.equal(project.name, "my-shop");
  assert.equal(project.tasks.size, 0);
});

Deno.test("starterText shows tasks that are right once uncommented", () => {
  const text = starterText("shop")
    .replaceAll(/^# (\[|[a-z_]+ = )/gm, "$1");
  const project = parseProject(text, "/code/x/taskmux.toml");
  assert.deepEqual([...project.tasks.keys()], ["web", "api", "db"]);
  assert.equal(project.tasks.get("web")!.wantsPort, true);
});

Deno.test("starterText names the schema of this version first", async () => {
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)),
  );
  const [first] = starterText("shop").split("\n");
  assert.equal(first, `#:schema ${SCHEMA_URL}`);
  assert.match(SCHEMA_URL, new RegExp(`@taskmux/cli/${version}/schema/`));
});
