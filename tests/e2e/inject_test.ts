/**
 * The block in CLAUDE.md, AGENTS.md and GEMINI.md, and the skill, through every command that writes them.
 */

import assert from "node:assert/strict";
import { contextBlock } from "../../src/agents/context_block.ts";
import type { TestProject } from "../support/project.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import { openTerminal } from "../support/terminal.ts";
import { testRepository } from "../support/worktrees.ts";

const TOML = 'name = "shop"\n\n[tasks]\nweb = "sleep 1000"\n';

const BLOCK = `${contextBlock("shop").join("\n")}\n`;

interface Written {
  readonly wrote: readonly { readonly path: string; readonly action: string }[];
  readonly warnings: readonly string[];
}

interface Initialised {
  readonly agent_files: Written["wrote"];
  readonly next: readonly { readonly command: string }[];
  readonly action: string;
  readonly session: string;
}

/** What is left to do. */
function commandsOf({ next }: Initialised): string[] {
  return next.map(({ command }) => command);
}

/** File names with what was done to them. */
function actions({ wrote }: Pick<Written, "wrote">): string[] {
  return wrote.map(({ path, action }) => `${path.split("/").at(-1)} ${action}`);
}

async function shop(taskmux: Taskmux, folder: string): Promise<TestProject> {
  return await taskmux.project(TOML, folder);
}

Deno.test("inject writes the block and takes it out again", async () => {
  await using taskmux = await testTaskmux();
  const project = await shop(taskmux, "a");
  const inject = (...args: string[]): Promise<Written> =>
    project.ok<Written>(["inject", ...args]);

  assert.deepEqual(await project.ok(["inject", "--print"]), {
    ok: true,
    block: BLOCK,
  });
  const { stdout } = await project.run(["inject", "--print"]);
  assert.equal(stdout, BLOCK);
  assert.equal(await project.read("AGENTS.md"), null);

  assert.deepEqual(actions(await inject()), [
    "CLAUDE.md created",
    "AGENTS.md created",
  ]);
  assert.equal(await project.read("CLAUDE.md"), BLOCK);
  await project.file("AGENTS.md", "# Ours\r\n\r\nText");
  assert.deepEqual(actions(await inject()), [
    "CLAUDE.md unchanged",
    "AGENTS.md updated",
  ]);
  assert.equal(
    await project.read("AGENTS.md"),
    `# Ours\r\n\r\nText\r\n\r\n${BLOCK.replaceAll("\n", "\r\n")}`,
  );
  assert.deepEqual(actions(await inject("gemini")), ["GEMINI.md created"]);

  const removed = await project.ok<{ removed: Written["wrote"] }>(
    ["inject", "all", "--remove"],
  );
  assert.deepEqual(actions({ wrote: removed.removed }), [
    "CLAUDE.md deleted",
    "AGENTS.md removed",
    "GEMINI.md deleted",
  ]);
  assert.equal(await project.read("CLAUDE.md"), null);
  assert.equal(await project.read("AGENTS.md"), "# Ours\r\n\r\nText\r\n");
  assert.deepEqual(
    (await project.ok(["inject", "--remove"]))["removed"],
    [],
  );

  await project.fails("E500", ["inject", "NOTES.md"]);
  const outside = { cwd: taskmux.home.root };
  await taskmux.fails("E100", ["inject", "AGENTS.md"], outside);
});

Deno.test("inject follows a link once, warns of markers, and is no way out of the project", async () => {
  await using taskmux = await testTaskmux();
  const project = await shop(taskmux, "b");
  await Deno.symlink("AGENTS.md", `${project.folder}/CLAUDE.md`);
  await project.file("AGENTS.md", "<!-- taskmux:start -->\nmine\n");
  await Deno.chmod(`${project.folder}/AGENTS.md`, 0o600);
  const { wrote, warnings } = await project.ok<Written>(["inject", "all"]);
  assert.deepEqual(actions({ wrote }), [
    "AGENTS.md updated",
    "GEMINI.md created",
  ]);
  assert.equal(
    await project.read("CLAUDE.md"),
    `<!-- taskmux:start -->\nmine\n\n${BLOCK}`,
  );
  assert((await Deno.lstat(`${project.folder}/CLAUDE.md`)).isSymlink);
  const { mode } = await Deno.stat(`${project.folder}/AGENTS.md`);
  assert.equal(mode! & 0o777, 0o600);
  assert.match(warnings.join(), /AGENTS\.md:1 has a marker/);

  const start = `${taskmux.home.root}/.profile`;
  await Deno.writeTextFile(start, "export A=1\n");
  await Deno.remove(`${project.folder}/GEMINI.md`);
  await Deno.symlink(start, `${project.folder}/GEMINI.md`);
  await project.fails("E500", ["inject", "GEMINI.md"]);
  assert.equal(await Deno.readTextFile(start), "export A=1\n");
});

Deno.test("add and remove render blocks again where they are, unless that is off", async () => {
  await using taskmux = await testTaskmux();
  const project = await shop(taskmux, "c");
  const stale = BLOCK.replace("— shop", "— $& \\1");
  const rewritten = async (...args: string[]): Promise<string[]> => {
    const answer = await project.ok<{ agent_files_rewritten: string[] }>(args);
    return answer.agent_files_rewritten;
  };
  await project.file("AGENTS.md", "# Ours\n");
  assert.deepEqual(await rewritten("add", "x", "true"), []);
  assert.equal(await project.read("AGENTS.md"), "# Ours\n");

  const path = `${project.folder}/AGENTS.md`;
  for (const args of [["add", "y", "true"], ["remove", "y"]]) {
    await project.file("AGENTS.md", `# Ours\n${stale}end`);
    assert.deepEqual(await rewritten(...args), [path]);
    assert.equal(await project.read("AGENTS.md"), `# Ours\n${BLOCK}end`);
  }
  assert.equal(await project.read("CLAUDE.md"), null);

  // The project's word counts more than the host's.
  await project.file("AGENTS.md", stale);
  await taskmux.ok(["config", "set", "auto_inject_agents", "false"]);
  assert.deepEqual(await rewritten("add", "y", "true"), []);
  await project.write(`auto_inject_agents = true\n${TOML}`);
  assert.deepEqual(await rewritten("add", "y", "true"), [path]);
  await taskmux.ok(["config", "set", "auto_inject_agents", "true"]);
  await project.write(`auto_inject_agents = false\n${TOML}`);
  await project.file("AGENTS.md", stale);
  assert.deepEqual(await rewritten("add", "y", "true"), []);
  assert.equal(await project.read("AGENTS.md"), stale);

  // What goes wrong there does not undo what was asked for.
  await project.write(TOML);
  await Deno.writeFile(path, new Uint8Array([0xff, 0xfe, 0x41]));
  const { warnings } = await project.ok<Written>(["add", "z", "true"]);
  assert.match(warnings.join(), /AGENTS\.md.*no UTF-8 text/);
  assert.match((await project.read("taskmux.toml"))!, /z = "true"|tasks\.z/);
});

Deno.test("in a linked worktree the block is that worktree's, with the project's name", async () => {
  await using taskmux = await testTaskmux();
  const repository = await testRepository(taskmux, TOML);
  const linked = await repository.add("feature");
  await linked.ok(["inject", "AGENTS.md"]);
  assert.equal(await linked.read("AGENTS.md"), BLOCK);
  assert.equal(await repository.main.read("AGENTS.md"), null);
});

Deno.test("init tells agents of the project, and what is left to do", async () => {
  await using taskmux = await testTaskmux();
  const { work, root } = taskmux.home;
  const folders = ["one", "two", "three", "four"].map((n) => `${work}/${n}`);
  const [one, two, three, four] = folders as [string, string, string, string];
  for (const folder of folders) await Deno.mkdir(folder);
  const bin = `${root}/bin`;
  await Deno.mkdir(bin);
  await Deno.writeTextFile(`${bin}/codex`, "", { mode: 0o755 });
  const init = (cwd: string, ...args: string[]): Promise<Initialised> =>
    taskmux.ok<Initialised>(["init", ...args], {
      cwd,
      env: { PATH: `${bin}:${Deno.env.get("PATH")}` },
    });

  const first = await init(one, "--defaults");
  assert.deepEqual(actions({ wrote: first.agent_files }), [
    "AGENTS.md created",
  ]);
  const commands = commandsOf(first);
  assert(commands.includes("taskmux inject --skill"), commands.join());
  const install = commands.find((line) => line.includes(" mcp install "));
  assert.match(install ?? "", / codex-project(?: |$)/);
  const words = install!.split(" ").slice(1);
  await taskmux.ok(["config", "set", "api_port", "18765"]);
  await taskmux.ok(words, { cwd: one });
  assert.match(await Deno.readTextFile(`${one}/.codex/config.toml`), /taskmux/);
  assert(!commandsOf(await init(one)).some((each) => each.includes(" mcp ")));

  await Deno.writeTextFile(`${two}/CLAUDE.md`, "# Mine\n");
  await taskmux.ok(["inject", "--skill"]);
  const skill = await Deno.readTextFile(
    `${root}/.claude/skills/taskmux/SKILL.md`,
  );
  const printed = await taskmux.run(["inject", "--skill", "--print"]);
  assert.equal(printed.stdout, skill);
  const second = await init(two);
  assert.deepEqual(actions({ wrote: second.agent_files }), [
    "CLAUDE.md updated",
  ]);
  assert(!commandsOf(second).some((words) => words.includes("--skill")));

  // Again: the file stays, a block that is out of date does not.
  const starter = await Deno.readTextFile(`${two}/taskmux.toml`);
  await Deno.writeTextFile(`${two}/CLAUDE.md`, BLOCK);
  await Deno.writeTextFile(`${two}/GEMINI.md`, "# Mine\n");
  const again = await init(two, "--name", "other");
  assert.equal(again.action, "exists");
  assert.deepEqual(actions({ wrote: again.agent_files }), [
    "CLAUDE.md updated",
  ]);
  assert.match(await Deno.readTextFile(`${two}/CLAUDE.md`), /— two\n/);
  assert.equal(await Deno.readTextFile(`${two}/taskmux.toml`), starter);

  assert.deepEqual((await init(three, "--no-inject")).agent_files, []);
  assert.ok(commandsOf(await init(three)).includes("taskmux inject"));
  const silent = commandsOf(await init(three, "--no-inject"));
  assert.ok(!silent.includes("taskmux inject"));
  await taskmux.ok(["config", "set", "auto_inject_agents", "false"]);
  assert.deepEqual((await init(four)).agent_files, []);

  const removed = await taskmux.ok<{ removed: Written["wrote"] }>(
    ["inject", "--skill", "--remove"],
  );
  assert.equal(removed.removed.length, 2);
  await assert.rejects(
    Deno.lstat(`${root}/.claude/skills/taskmux`),
    Deno.errors.NotFound,
  );
});

Deno.test("init and inject ask a person, who may choose or leave", async () => {
  await using taskmux = await testTaskmux();
  const { home } = taskmux;
  const folder = `${home.work}/asked`;
  await Deno.mkdir(folder);
  await using left = openTerminal(home, ["init"], folder);
  await left.shows("Project name");
  await left.type("\x03");
  assert.equal(await left.ended(), 130);
  assert.deepEqual([...Deno.readDirSync(folder)], []);

  await using terminal = openTerminal(home, ["init"], folder);
  await terminal.shows("Project name");
  await terminal.type("My Shop\r");
  await terminal.shows("Which files");
  // AGENTS.md is chosen already; CLAUDE.md comes first.
  await terminal.type(" ");
  await terminal.type("\r");
  assert.equal(await terminal.ended(), 0);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  assert.deepEqual(names, ["AGENTS.md", "CLAUDE.md", "taskmux.toml"]);
  assert.match(
    await Deno.readTextFile(`${folder}/CLAUDE.md`),
    /# Taskmux — my-shop\n/,
  );
});
