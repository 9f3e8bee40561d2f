import assert from "node:assert/strict";
import { editProject } from "../../../src/config/edit_project.ts";
import { addTask } from "../../../src/config/edit_toml.ts";

const TOML = '\uFEFF# mine\r\nname = "shop"\r\n';

async function withFile(work: (config: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    const config = `${folder}/taskmux.toml`;
    await Deno.writeTextFile(config, TOML);
    await work(config);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a change keeps what an editor saves meanwhile", () =>
  withFile(async (config) => {
    const saved = `${TOML}[tasks.db]\r\ncommand = "true"\r\n`;
    let made = 0;
    const { after } = await editProject({ config, home: "/h" }, (text) => {
      if (made++ === 0) Deno.writeTextFileSync(config, saved);
      return addTask(text, "api", { command: "sleep 1" });
    });
    assert.equal(made, 2);
    assert.deepEqual([...after.tasks.keys()], ["db", "api"]);
    const text = await Deno.readTextFile(config);
    assert.ok(text.startsWith(saved.trimEnd()), text);
  }));

Deno.test("a file that something else keeps writing is left to that", () =>
  withFile(async (config) => {
    let saved = "";
    let made = 0;
    const edited = editProject({ config, home: "/h" }, (text) => {
      saved = `${TOML}# ${made++}\r\n`;
      Deno.writeTextFileSync(config, saved);
      return addTask(text, "api", { command: "sleep 1" });
    });
    await assert.rejects(edited, { code: "E900" });
    assert.equal(made, 5);
    assert.equal(await Deno.readTextFile(config), saved);
    assert.equal([...Deno.readDirSync(config.replace(/[^/]+$/, ""))].length, 1);
  }));
