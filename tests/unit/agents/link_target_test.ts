/**
 * A repository brings its links along: what is written for it stays in it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { installEntry } from "../../../src/agents/client_settings.ts";
import {
  contextFiles,
  writeContext,
} from "../../../src/agents/context_files.ts";
import { linkTarget, namesOutside } from "../../../src/agents/link_target.ts";
import { MCP_CLIENTS } from "../../../src/agents/mcp_clients.ts";

async function homeWithProject(): Promise<
  { readonly home: string; readonly root: string } & AsyncDisposable
> {
  const home = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "tmx-links-" }),
  );
  const root = `${home}/.worktrees/shop`;
  await Deno.mkdir(root, { recursive: true });
  await Deno.mkdir(`${home}/.claude`);
  return {
    home,
    root,
    [Symbol.asyncDispose]: () => Deno.remove(home, { recursive: true }),
  };
}

Deno.test("namesOutside() tells how a target lies outside of a folder, however that is called", async () => {
  await using place = await homeWithProject();
  const { home, root } = place;
  await Deno.symlink(root, `${home}/here`);
  for (const folder of [root, `${home}/here`]) {
    assert.equal(await namesOutside(folder, `${root}/a/b`), null);
    assert.deepEqual(await namesOutside(folder, `${home}/.claude/x`), [
      ".claude",
      "x",
    ]);
  }
  await Deno.symlink("../../.claude/new.json", `${root}/link`);
  assert.equal(await linkTarget(`${root}/link`), `${home}/.claude/new.json`);
});

Deno.test("settings of a project that lead to those of the user are refused", async () => {
  await using place = await homeWithProject();
  const { home, root } = place;
  const client = MCP_CLIENTS.find(({ name }) => name === "claude-project")!;
  const path = `${root}/.mcp.json`;
  const settings = `${home}/.claude.json`;
  await Deno.writeTextFile(settings, "{}");
  await Deno.symlink(settings, path);
  const entry = { type: "http", url: "http://localhost:1/mcp" };
  await assert.rejects(installEntry(client, path, entry), {
    code: "E500",
    message:
      `Cannot edit "${path}": it leads to "${settings}", outside of the project`,
  });
  assert.equal(await Deno.readTextFile(settings), "{}");
  await Deno.remove(path);
  await Deno.symlink("kept.json", path);
  assert.equal(await installEntry(client, path, entry), "created");
  assert.match(await Deno.readTextFile(`${root}/kept.json`), /localhost:1/);
});

Deno.test("a file for agents that is one for all projects by a link is refused, other prose is not", async () => {
  await using place = await homeWithProject();
  const { home, root } = place;
  const memory = `${home}/.claude/CLAUDE.md`;
  await Deno.writeTextFile(memory, "# mine\n");
  await Deno.symlink(memory, `${root}/CLAUDE.md`);
  await Deno.symlink(`${home}/notes.md`, `${root}/AGENTS.md`);
  const [claude] = await contextFiles(root, ["CLAUDE.md"]);
  await assert.rejects(writeContext(claude!, "shop", { append: true }), {
    code: "E500",
    message: /is not of this project alone/,
  });
  assert.equal(await Deno.readTextFile(memory), "# mine\n");
  const [agents] = await contextFiles(root, ["AGENTS.md"]);
  await writeContext(agents!, "shop", { append: true });
  assert.match(await Deno.readTextFile(`${home}/notes.md`), /taskmux/);
});
