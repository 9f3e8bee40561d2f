/**
 * The hooks of the README, run as agents run hooks: no terminal, an event as JSON on stdin, few variables, a limit.
 */

import assert from "node:assert/strict";
import { cliCommand, REPOSITORY } from "../support/deno_flags.ts";
import { codeBlocks } from "../support/markdown.ts";
import { readIfThere, testTaskmux } from "../support/taskmux.ts";

/** What agents give a hook at most. */
const LIMIT_MS = 60_000;

const TOML = `
name = "hooked"
[tasks.web]
command = "echo up; exec sleep 1000"
host = "web"
health_check = "true"
`;

interface Hook {
  readonly command: string;
  readonly timeout: number;
}

/** The hooks of every agent in the README. */
async function documentedHooks(): Promise<Hook[]> {
  const readme = await Deno.readTextFile(`${REPOSITORY}/README.md`);
  return codeBlocks(readme)
    .filter(({ language, text }) =>
      language === "json" && text.includes('"SessionStart"')
    )
    .flatMap(({ text }) => {
      const { hooks } = JSON.parse(text) as {
        hooks: Record<string, { hooks: Hook[] }[]>;
      };
      return Object.values(hooks).flat().flatMap((group) => group.hooks);
    });
}

Deno.test("the hooks of the README end in time, ask nothing and are short", async (t) => {
  await using taskmux = await testTaskmux();
  const { home } = taskmux;
  const project = await taskmux.project(TOML);
  const elsewhere = await taskmux.project("[tasks]\n", "elsewhere");
  const { program, args } = cliCommand(home.paths, []);
  await Deno.mkdir(`${home.root}/bin`);
  await Deno.writeTextFile(
    `${home.root}/bin/taskmux`,
    `#!/bin/sh\nexec ${program} ${args.join(" ")} "$@"\n`,
    { mode: 0o755 },
  );
  const envFile = `${home.root}/claude-env`;
  const run = async (
    command: string,
    stdin: "piped" | "null",
  ): Promise<{ code: number; stdout: string; stderr: string }> => {
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", command],
      cwd: command.includes("CLAUDE") ? elsewhere.folder : project.folder,
      clearEnv: true,
      env: {
        PATH: `${home.root}/bin:${
          program.replace(/\/[^/]*$/, "")
        }:/usr/bin:/bin`,
        HOME: home.root,
        TASKMUX_HOME: home.home,
        DENO_DIR: home.env["DENO_DIR"]!,
        CLAUDECODE: "1",
        CLAUDE_PROJECT_DIR: project.folder,
        CLAUDE_ENV_FILE: envFile,
        SHELL: "/usr/bin/fish",
      },
      stdin,
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(LIMIT_MS),
    }).spawn();
    if (stdin === "piped") {
      const writer = child.stdin.getWriter();
      await writer.write(
        new TextEncoder().encode('{"hook_event_name":"SessionStart"}\n'),
      );
      // Open until the hook is over, as some agents leave it.
      const { code, stdout, stderr } = await child.output();
      await writer.abort();
      return { code, ...texts(stdout, stderr) };
    }
    // Ends only when nobody holds the streams any more, so not even the new daemon.
    const { code, stdout, stderr } = await child.output();
    return { code, ...texts(stdout, stderr) };
  };

  const hooks = await documentedHooks();
  assert.equal(hooks.length, 3);
  for (const stdin of ["null", "piped"] as const) {
    for (const { command, timeout } of hooks) {
      await t.step(`${command} with stdin ${stdin}`, async () => {
        assert(timeout === 60_000 || timeout <= 60);
        const { code, stdout, stderr } = await run(command, stdin);
        assert.equal(code, 0, stderr);
        assert.equal(stderr, "");
        assert(stdout.split("\n").length <= 3, stdout);
        // deno-lint-ignore no-control-regex
        assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f]/);
      });
    }
  }

  await t.step("the session's shell has the addresses", async () => {
    const text = await readIfThere(envFile);
    assert.match(text, /^export TASKMUX_URL_WEB=http/m);
    const shell = await new Deno.Command("/bin/sh", {
      args: ["-c", `. "${envFile}" && printf %s "$TASKMUX_PROJECT"`],
    }).output();
    assert.equal(new TextDecoder().decode(shell.stdout), "hooked");
  });

  await t.step("ensure, and a task that does not come up", async () => {
    const up = await run("taskmux ensure web --timeout 30", "null");
    assert.equal(up.code, 0, up.stderr);
    assert(up.stdout.split("\n").length <= 3, up.stdout);

    await project.replace(
      `${TOML}[tasks.bad]\ncommand = "echo broken >&2; exit 3"\nhealth_check = "false"\nrestart_policy = "no"\n`,
    );
    await project.ok(["check"]);
    const bad = await run("taskmux ensure bad --timeout 30", "null");
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /bad[\s\S]*broken/);
  });
});

function texts(
  stdout: Uint8Array,
  stderr: Uint8Array,
): { stdout: string; stderr: string } {
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
