/**
 * Whether real agents, of the versions in `npm_client.ts`, read what `inject` writes and run the hooks of the README. No
 * model is asked.
 *
 * @module
 */

import assert from "node:assert/strict";
import { contextBlock } from "../../src/agents/context_block.ts";
import type { TestProject } from "../support/project.ts";
import { documentedHooks, installProgram } from "../support/session_hooks.ts";
import { type Taskmux, testTaskmux } from "../support/taskmux.ts";
import {
  type ClientRun,
  type NpmClient,
  npmClient,
  OFFLINE,
  runClient,
} from "./npm_client.ts";

const TOML = 'name = "shop"\n[tasks.web]\ncommand = "sleep 1000"\n';

/** A line of the block that nothing else says. */
const BLOCK_LINE = contextBlock("shop")[3]!;

/** How the skill's description begins. */
const SKILL_REGEXP = /Runs and inspects a project's dev servers/;

/** A project with every context file, the skill in the home, and an agent in there. */
interface World {
  readonly project: TestProject;
  readonly home: string;
  readonly run: ClientRun;
}

function test(
  client: NpmClient,
  body: (it: World, program: string) => Promise<void>,
) {
  Deno.test(`${client} reads what inject writes`, async () => {
    const program = await npmClient(client);
    await using taskmux = await testTaskmux({ env: OFFLINE });
    await body(await world(taskmux), program);
  });
}

async function world(taskmux: Taskmux): Promise<World> {
  const project = await taskmux.project(TOML);
  const { folder: cwd } = project;
  await new Deno.Command("git", { args: ["init", "--quiet"], cwd }).output();
  await project.ok(["inject", "all"]);
  await project.ok(["inject", "--skill"]);
  const { env, root: home } = taskmux.home;
  const PATH = await installProgram(taskmux.home);
  return {
    project,
    home,
    run: { cwd, env: { ...env, PATH: `${PATH}:${env["PATH"]}` } },
  };
}

/** Writes settings of the README; the task is up once the hooks have run. */
async function hooked(
  { project }: World,
  file: string,
  settings: object | undefined,
): Promise<void> {
  const path = `${project.folder}/${file}`;
  await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
  await Deno.writeTextFile(path, JSON.stringify(settings));
}

/** A model's port that refuses every question, and keeps what it was asked. */
class Refusal implements AsyncDisposable {
  readonly asked: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        this.asked.push(await request.text());
        const error = { code: 400, message: "no", status: "INVALID_ARGUMENT" };
        return Response.json({ type: "error", error }, { status: 400 });
      },
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

test("claude", async (it, program) => {
  const [settings] = await documentedHooks();
  await hooked(it, ".claude/settings.json", settings);
  await using model = new Refusal();
  // An empty one would make the project its home.
  const { CLAUDE_CONFIG_DIR: _empty, ...env } = it.run.env;
  await runClient(program, ["-p", "hi"], {
    ...it.run,
    env: { ...env, ANTHROPIC_API_KEY: "none", ANTHROPIC_BASE_URL: model.url },
  });
  const prompt = model.asked.join("\n");
  assert(prompt.includes(BLOCK_LINE), "CLAUDE.md is not in the prompt");
  assert(SKILL_REGEXP.test(prompt), "the skill is not in the prompt");
  assert(prompt.includes('Started task \\"web\\"'), "nor what the hook said");
  assert.equal((await it.project.task("web")).running, true);
  const [session] = [...Deno.readDirSync(`${it.home}/.claude/session-env`)];
  const folder = `${it.home}/.claude/session-env/${session!.name}`;
  const exported = [...Deno.readDirSync(folder)]
    .map(({ name }) => Deno.readTextFileSync(`${folder}/${name}`)).join("");
  assert.match(exported, /^export TASKMUX_PROJECT=shop$/m);
});

test("gemini", async (it, program) => {
  const [, settings] = await documentedHooks();
  await hooked(it, ".gemini/settings.json", settings);
  const security = { auth: { selectedType: "gemini-api-key" } };
  await Deno.mkdir(`${it.home}/.gemini`);
  await Deno.writeTextFile(
    `${it.home}/.gemini/settings.json`,
    JSON.stringify({ security }),
  );
  await using model = new Refusal();
  const run = {
    ...it.run,
    env: {
      ...it.run.env,
      GEMINI_API_KEY: "none",
      GOOGLE_GEMINI_BASE_URL: model.url,
      GEMINI_CLI_TRUST_WORKSPACE: "true",
    },
  };
  assert.match(await runClient(program, ["skills", "list"], run), SKILL_REGEXP);
  await runClient(program, ["-p", "hi"], run);
  const prompt = model.asked.join("\n");
  assert(prompt.includes(BLOCK_LINE), "GEMINI.md is not in the prompt");
  assert.equal((await it.project.task("web")).running, true);
});

test("codex", async (it, program) => {
  const { project, run, home } = it;
  const prompt = await runClient(program, ["debug", "prompt-input", "hi"], run);
  assert(prompt.includes(BLOCK_LINE), "AGENTS.md is not in the prompt");
  assert.match(prompt, SKILL_REGEXP);

  // In its sandbox there are no sockets.
  const fenced = ["sandbox", "--", "taskmux", "status"];
  assert.match(
    await runClient(program, fenced, run),
    /E600.*a sandbox around this command forbids sockets/,
  );

  const [, settings] = await documentedHooks();
  await hooked(it, ".codex/hooks.json", settings);
  await using model = new Refusal();
  await Deno.mkdir(`${home}/.codex`, { recursive: true });
  await Deno.writeTextFile(
    `${home}/.codex/config.toml`,
    `model_provider = "none"
model = "none"
[model_providers.none]
name = "none"
base_url = "${model.url}"
request_max_retries = 0
stream_max_retries = 0
[projects."${project.folder}"]
trust_level = "trusted"
`,
  );
  const hi = ["exec", "--dangerously-bypass-hook-trust", "hi"];
  const said = await runClient(program, hi, run);
  assert.match(said, /hook: SessionStart Completed/);
  assert.equal((await project.task("web")).running, true);
});

test("opencode", async ({ run }, program) => {
  const skills = await runClient(program, ["debug", "skill"], run);
  assert.match(skills, SKILL_REGEXP);
});
