/**
 * The commands, outputs, answers and configurations of README, the pages it leads to, and agent skill, tried one by one.
 *
 * A page tells its test what a reader does not need to know in a comment before a block: `<!-- test: down -->` = nothing
 * runs before it (else the project of "60 seconds" does), `<!-- test: skip, REASON -->`. What readers see counts, too:
 * `# exit N` after a command, and the command in the paragraph before a JSON answer.
 */

import assert from "node:assert/strict";
import { cliCommand, REPOSITORY } from "../support/deno_flags.ts";
import { type CodeBlock, codeBlocks, codeNames } from "../support/markdown.ts";
import { freePort } from "../support/free_port.ts";
import type { TestProject } from "../support/project.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";

/** Bounds one line of a page. */
const LINE_LIMIT_MS = 60_000;

/** Where the pages say that they are. */
const PAGE_HOME = "/home/ada";

/** Commands that only Ctrl-C ends. */
const ENDLESS_REGEXP =
  /^taskmux (?:.* )?(?:-f|--follow|watch)(?: |$)|^taskmux daemon *(?:#|$)/;

/** One command line and what the page says about it. */
interface Line {
  readonly text: string;
  readonly exit: number;
  /** Null = the page does not show it. */
  readonly output: string | null;
}

/** A terminal in the folder of the demo project, where `taskmux` is installed as the README says. */
class Terminal {
  readonly #taskmux: Taskmux;
  readonly #project: TestProject;
  readonly #demo: string;

  constructor(taskmux: Taskmux, project: TestProject, demo: string) {
    this.#taskmux = taskmux;
    this.#project = project;
    this.#demo = demo;
  }

  static async open(taskmux: Taskmux, demo: string): Promise<Terminal> {
    const { root, paths } = taskmux.home;
    const { program, args } = cliCommand(paths, []);
    const project = await taskmux.project(demo, "demo");
    // The folder of a task in an example.
    await Deno.mkdir(`${project.folder}/api`);
    await Deno.mkdir(`${root}/bin`);
    await Deno.writeTextFile(
      `${root}/bin/taskmux`,
      `#!/bin/sh\nexec ${program} ${args.join(" ")} "$@"\n`,
      { mode: 0o755 },
    );
    return new Terminal(taskmux, project, demo);
  }

  /** Brings everything into the state in which a block begins. */
  async prepare({ directive }: CodeBlock): Promise<void> {
    if ((await this.#project.read("taskmux.toml")) !== this.#demo) {
      await this.#project.replace(this.#demo);
    }
    if (directive === "down") {
      const { code } = await this.#project.run(["daemon", "stop"]);
      assert(code === 0 || code === 6);
    } else {
      const { code, stderr } = await this.#project.run(
        ["start", "--if-stopped", "--wait"],
      );
      assert.equal(code, 0, stderr);
    }
  }

  /** Types a line and checks what the page says about it. */
  async type(line: Line): Promise<void> {
    const child = this.#spawn(`exec 2>&1\n${line.text}`);
    const { code, stdout } = await child.output();
    const output = new TextDecoder().decode(stdout);
    assert.equal(code, line.exit, `${line.text}\n${output}`);
    if (line.output !== null) {
      assert.equal(
        comparable(this.#onPage(output)),
        comparable(line.output),
        line.text,
      );
    }
  }

  /** Types a line that goes on until Ctrl-C, which is pressed as soon as it prints something. */
  async typeAndInterrupt({ text }: Line): Promise<void> {
    const child = this.#spawn(`exec 2>&1; exec ${text}`);
    const reader = child.stdout.getReader();
    const { done } = await reader.read();
    assert.equal(done, false, `${text} printed nothing`);
    child.kill("SIGINT");
    while (!(await reader.read()).done);
    const [{ code }] = await Promise.all([
      child.status,
      child.stderr.cancel(),
    ]);
    assert(code === 0 || code === 130, `${text} exited with ${code}`);
  }

  /** The JSON that a command prints, whether it succeeds or not. */
  async ask(text: string): Promise<unknown> {
    const { stdout, stderr } = await this.#spawn(text).output();
    assert.equal(new TextDecoder().decode(stderr), "", text);
    return JSON.parse(new TextDecoder().decode(stdout));
  }

  /** Checks a configuration as a file of its own, beside the env files that it names. */
  async check(toml: string): Promise<void> {
    for (const [, name = ""] of toml.matchAll(/^env_file = "(.+)"$/gm)) {
      await this.#project.file(name, "");
    }
    await this.#project.file("other.toml", toml);
    const answer = await this.#project.ok([
      "check",
      "--config",
      "other.toml",
    ]);
    assert.deepEqual(answer["errors"], []);
  }

  #spawn(script: string): Deno.ChildProcess {
    const { root, env } = this.#taskmux.home;
    return new Deno.Command("/bin/sh", {
      args: ["-c", script],
      cwd: this.#project.folder,
      env: { ...env, PATH: `${root}/bin:${env["PATH"] ?? ""}` },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(LINE_LIMIT_MS),
    }).spawn();
  }

  #onPage(output: string): string {
    return output
      .replaceAll(this.#taskmux.home.home, `${PAGE_HOME}/.taskmux`)
      .replaceAll(this.#project.folder, `${PAGE_HOME}/demo`);
  }
}

/** The command lines of a block. */
function linesOf({ language, text }: CodeBlock): Line[] {
  if (language === "console") {
    return text.split(/^\$ /m).slice(1).map((part) => {
      const end = part.indexOf("\n");
      return line(part.slice(0, end), part.slice(end + 1));
    });
  }
  return text.replaceAll("\\\n", " ").split("\n")
    .filter((each) => each.trim() !== "" && !each.startsWith("#"))
    .map((each) => line(each, null));
}

function line(text: string, output: string | null): Line {
  return { text, output, exit: Number(/# exit (\d+)/.exec(text)?.[1] ?? 0) };
}

/** Without what differs from run to run: numbers, run ids, and the widths of columns that hold them. */
function comparable(output: string): string {
  return output.trimEnd()
    .replaceAll(/\b[0-9a-f]{12}\b/g, "RUN")
    .replaceAll(/\d+/g, "0")
    .replaceAll(/ +/g, " ");
}

/** Whether an answer has every key of an example, with values of the same kind. Null fits any kind. */
function assertShape(actual: unknown, example: unknown, path: string): void {
  if (actual === null || example === null) return;
  if (Array.isArray(example)) {
    assert(Array.isArray(actual), `${path} is no list`);
    const [item] = example;
    if (typeof item === "object") assert(actual.length > 0, `${path} is empty`);
    for (const each of actual) assertShape(each, item ?? null, `${path}[]`);
  } else if (typeof example === "object") {
    assert(typeof actual === "object", `${path} is no object`);
    for (const [key, value] of Object.entries(example)) {
      assert(Object.hasOwn(actual, key), `${path}.${key} is missing`);
      assertShape(
        (actual as Record<string, unknown>)[key],
        value,
        `${path}.${key}`,
      );
    }
  } else assert.equal(typeof actual, typeof example, path);
}

async function tryBlock(block: CodeBlock, terminal: Terminal): Promise<void> {
  if (block.language === "toml") return await terminal.check(block.text);
  await terminal.prepare(block);
  if (block.language === "json") {
    const command = codeNames(block.lead)
      .find((name) => /^taskmux .* --json$/.test(name));
    assert(command, "no command is said to answer this");
    const example: unknown = JSON.parse(block.text);
    assertShape(await terminal.ask(command), example, command);
    return;
  }
  for (const each of linesOf(block)) {
    if (ENDLESS_REGEXP.test(each.text)) await terminal.typeAndInterrupt(each);
    else await terminal.type(each);
  }
}

for (
  const page of [
    "README.md",
    "docs/agents.md",
    "docs/names.md",
    "docs/programs.md",
    "skills/taskmux/SKILL.md",
  ]
) {
  Deno.test(`${page} tells the truth`, async (t) => {
    const read = (path: string): string =>
      Deno.readTextFileSync(`${REPOSITORY}/${path}`);
    const demo = codeBlocks(read("README.md"))
      .find(({ language }) => language === "toml");
    assert(demo);
    // Agents are told the port, so it has to be one that stays.
    await using taskmux = await testTaskmux({
      hostConfig: `api_port = ${freePort()}\nproxy_enabled = false\n`,
    });
    const terminal = await Terminal.open(taskmux, demo.text);
    for (const block of codeBlocks(read(page))) {
      const skipped = /^skip, (.{10,})$/.exec(block.directive)?.[1];
      await t.step({
        name: `line ${block.line}${skipped ? ` (${skipped})` : ""}`,
        ignore: skipped !== undefined,
        fn: () => tryBlock(block, terminal),
      });
    }
  });
}
