import assert from "node:assert/strict";
import { lintProject } from "../../../src/config/lint.ts";
import type { LintOptions } from "../../../src/config/lint.ts";
import { parseProject } from "../../../src/config/project_config.ts";

async function withFolder(
  run: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/bin`);
    await Deno.writeTextFile(`${folder}/bin/tool`, "#!/bin/sh\n");
    await Deno.chmod(`${folder}/bin/tool`, 0o755);
    await Deno.writeTextFile(`${folder}/bin/text`, "");
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Findings as `code task`. */
async function lint(
  folder: string,
  text: string,
  options?: LintOptions,
): Promise<string[]> {
  const project = parseProject(text, `${folder}/taskmux.toml`);
  const searchPath = `${folder}/gone:relative::${folder}/bin`;
  const issues = await lintProject(project, options ?? { searchPath });
  return issues.map(({ code, task }) => `${code} ${task}`);
}

Deno.test("lintProject finds nothing wrong with what is right", async () => {
  await withFolder(async (folder) => {
    const text = '[tasks.a]\ncommand = "tool --x"\ncwd = "bin"\n' +
      'health_url = "http://localhost:$PORT/x"\n';
    assert.deepEqual(await lint(folder, text), []);
  });
});

Deno.test("lintProject misses folders", async () => {
  await withFolder(async (folder) => {
    const text = '[tasks.a]\ncommand = "tool"\ncwd = "gone"\n' +
      '[tasks.b]\ncommand = "tool"\ncwd = "bin/tool"\n';
    const project = parseProject(text, `${folder}/taskmux.toml`);
    const [first, second] = await lintProject(project);
    assert.deepEqual(first, {
      severity: "error",
      code: "cwd_missing",
      task: "a",
      message: `Folder "${folder}/gone" does not exist`,
    });
    assert.equal(second?.task, "b");
  });
});

Deno.test("lintProject misses env files", async () => {
  await withFolder(async (folder) => {
    const text = 'env_file = ["there.env", "gone.env"]\n' +
      '[tasks.a]\ncommand = "tool"\nenv_file = "bin"\n';
    await Deno.writeTextFile(`${folder}/there.env`, "A=1\n");
    const issues = await lintProject(
      parseProject(text, `${folder}/taskmux.toml`),
    );
    assert.deepEqual(
      issues.map(({ severity, code, message }) => [severity, code, message]),
      ["gone.env", "bin"].map((name) => [
        "error",
        "env_file_missing",
        `Env file "${folder}/${name}" does not exist`,
      ]),
    );
  });
});

Deno.test("lintProject looks for simple commands only", async () => {
  await withFolder(async (folder) => {
    const check = async (command: string, isMissed: boolean): Promise<void> => {
      const text = `[tasks.a]\ncommand = ${JSON.stringify(command)}\n`;
      const expected = isMissed ? ["command_not_found a"] : [];
      assert.deepEqual(await lint(folder, text), expected, command);
    };
    await check("nothere", true);
    await check("text", true);
    await check("bin", true);
    await check("'nothere' x", true);
    await check("A=1 B='2 3' nothere", true);
    await check("./bin/nothere", true);
    await check("/nothere/x", true);
    await check("tool", false);
    await check("A=1 tool", false);
    await check('"tool" "a b"', false);
    await check("./bin/tool", false);
    await check("cd bin", false);
    await check("exec nothere", false);
    await check("A=1", false);
    await check("PATH=/x nothere", false);
    await check("nothere 'open", false);
    for (const syntax of "|&;<>()$`\\*?[]{}~\n") {
      await check(`nothere ${syntax} x`, false);
    }
  });
});

Deno.test("lintProject cannot look where it does not know the path", async () => {
  await withFolder(async (folder) => {
    const shell = '[tasks.a]\ncommand = "nothere"\nshell = "fish"\n';
    assert.deepEqual(await lint(folder, shell), []);
    const own = '[tasks.a]\ncommand = "nothere"\nenv = { PATH = "/x" }\n';
    assert.deepEqual(await lint(folder, own), []);
    assert.deepEqual(await lint(folder, 'tasks.a = "nothere"', {}), []);
    assert.deepEqual(await lint(folder, 'tasks.a = "./nothere"', {}), [
      "command_not_found a",
    ]);
  });
});

Deno.test("lintProject checks health URLs", async () => {
  await withFolder(async (folder) => {
    const check = async (url: string, code: string | null): Promise<void> => {
      const text = `[tasks.a]\ncommand = "tool"\nhealth_url = "${url}"\n` +
        'env = { HOST_NAME = "localhost", FAR = "example.com" }\n';
      const expected = code === null ? [] : [`${code} a`];
      assert.deepEqual(await lint(folder, text), expected, url);
    };
    await check("http://localhost:$PORT", null);
    await check("http://127.0.0.1:${PORT}/x", null);
    await check("http://127.1.2.3/", null);
    await check("http://[::1]:$PORT/", null);
    await check("https://api.shop.localhost/health", null);
    await check("http://0.0.0.0:$PORT", null);
    await check("http://$HOST_NAME:$PORT/", null);
    await check("http://$FAR/", "health_url_not_local");
    await check("http://$UNKNOWN/", null);
    await check("$BASE/health", null);
    await check("https://example.com/", "health_url_not_local");
    await check("http://localhost.example.com/", "health_url_not_local");
    await check("http://10.0.0.1/", "health_url_not_local");
    await check("localhost:$PORT", "health_url_invalid");
    await check("/health", "health_url_invalid");
    await check("ftp://localhost/", "health_url_invalid");
    await check("http://", "health_url_invalid");
  });
});

Deno.test("lintProject warns of dependencies that do not start by themselves", async () => {
  await withFolder(async (folder) => {
    const text = `[tasks.db]
command = "tool"
auto_start = false
[tasks.a]
command = "tool"
depends_on = ["db"]
[tasks.b]
command = "tool"
auto_start = false
depends_on = ["db"]
`;
    assert.deepEqual(await lint(folder, text), ["dep_not_auto_started a"]);
  });
});

Deno.test("lintProject warns of a task that waits for requests which nobody can make", async () => {
  await withFolder(async (folder) => {
    const task = (name: string, host: string): string =>
      `[tasks.${name}]\ncommand = "tool"\nauto_start = "on-request"\n${host}`;
    const text = task("a", "") + task("b", 'host = "b"\n');
    assert.deepEqual(await lint(folder, text), ["on_request_without_host a"]);
  });
});

Deno.test("lintProject puts errors first, then tasks and codes in order", async () => {
  await withFolder(async (folder) => {
    const text = `[tasks.b]
command = "nothere"
health_url = "x"
[tasks.a]
command = "nothere"
[tasks.c]
command = "tool"
cwd = "gone"
`;
    assert.deepEqual(await lint(folder, text), [
      "cwd_missing c",
      "command_not_found a",
      "command_not_found b",
      "health_url_invalid b",
    ]);
  });
});

Deno.test("lintProject ends when it is told to", async () => {
  const project = parseProject('tasks.a = "x"', "/x/taskmux.toml");
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(lintProject(project, { signal }), /enough/);
});
