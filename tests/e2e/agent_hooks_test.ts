/**
 * The hooks of the README, run as agents run hooks: no terminal, an event as JSON on stdin, few variables, a limit.
 */

import assert from "node:assert/strict";
import { documentedHooks, installProgram } from "../support/session_hooks.ts";
import { readIfThere, testTaskmux } from "../support/taskmux.ts";
import type { TempHome } from "../support/temp_home.ts";

/** What agents give a hook at most. */
const LIMIT_MS = 60_000;

const TOML = `
name = "hooked"
[tasks.web]
command = "echo up; exec sleep 1000"
host = "web"
health_check = "true"
`;

const BROKEN = `
[tasks.bad]
command = "echo broken >&2; exit 3"
health_check = "false"
restart_policy = "no"
`;

/** What a hook did. */
interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An agent whose hooks run in a project, or in another folder where they say which project they mean. */
class Agent {
  readonly envFile: string;
  readonly #home: TempHome;
  readonly #project: string;
  readonly #elsewhere: string;
  readonly #path: string;

  constructor(
    home: TempHome,
    { path, project, elsewhere }: {
      readonly path: string;
      readonly project: string;
      readonly elsewhere: string;
    },
  ) {
    this.#home = home;
    this.#path = path;
    this.#project = project;
    this.#elsewhere = elsewhere;
    this.envFile = `${home.root}/claude-env`;
  }

  /** Ends only when nobody holds the streams any more, so not even a new daemon. */
  async run(command: string, stdin: "piped" | "null" = "null"): Promise<Ran> {
    const { root, home, env } = this.#home;
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", command],
      cwd: command.includes("CLAUDE") ? this.#elsewhere : this.#project,
      clearEnv: true,
      env: {
        PATH: this.#path,
        HOME: root,
        TASKMUX_HOME: home,
        DENO_DIR: env["DENO_DIR"]!,
        CLAUDECODE: "1",
        CLAUDE_PROJECT_DIR: this.#project,
        CLAUDE_ENV_FILE: this.envFile,
        SHELL: "/usr/bin/fish",
      },
      stdin,
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(LIMIT_MS),
    }).spawn();
    // An event that nobody may wait to read, on a pipe that stays open.
    const writer = stdin === "piped" ? child.stdin.getWriter() : null;
    await writer?.write(
      new TextEncoder().encode('{"hook_event_name":"SessionStart"}\n'),
    );
    const { code, stdout, stderr } = await child.output();
    await writer?.abort();
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  }
}

Deno.test("the hooks of docs/agents.md end in time, ask nothing and are short", async (t) => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(TOML);
  const elsewhere = await taskmux.project("[tasks]\n", "elsewhere");
  const agent = new Agent(taskmux.home, {
    path: await installProgram(taskmux.home),
    project: project.folder,
    elsewhere: elsewhere.folder,
  });
  const hooks = (await documentedHooks())
    .flatMap((settings) => Object.values(settings.hooks).flat())
    .flatMap((group) => group.hooks);
  assert.equal(hooks.length, 3);
  for (const stdin of ["null", "piped"] as const) {
    for (const { command, timeout } of hooks) {
      await t.step(`${command} with stdin ${stdin}`, async () => {
        assert(timeout === 60_000 || timeout <= 60);
        const { code, stdout, stderr } = await agent.run(command, stdin);
        assert.equal(code, 0, stderr);
        assert.equal(stderr, "");
        assert(stdout.split("\n").length <= 3, stdout);
        // deno-lint-ignore no-control-regex
        assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f]/);
      });
    }
  }

  await t.step("the session's shell has the addresses", async () => {
    const text = await readIfThere(agent.envFile);
    assert.match(text, /^export TASKMUX_URL_WEB=http/m);
    const shell = await new Deno.Command("/bin/sh", {
      args: ["-c", `. "${agent.envFile}" && printf %s "$TASKMUX_PROJECT"`],
    }).output();
    assert.equal(new TextDecoder().decode(shell.stdout), "hooked");
  });

  await t.step("ensure, and a task that does not come up", async () => {
    const up = await agent.run("taskmux ensure web --timeout 30");
    assert.equal(up.code, 0, up.stderr);
    assert(up.stdout.split("\n").length <= 3, up.stdout);
    await project.replace(`${TOML}${BROKEN}`);
    const bad = await agent.run("taskmux ensure bad --timeout 30");
    assert.equal(bad.code, 1, bad.stdout);
    assert.match(bad.stderr, /bad[\s\S]*broken/);
  });
});
