/**
 * `taskmux env` in the shells that people have, with values that try to be more than values.
 *
 * @module
 */

import assert from "node:assert/strict";
import { cliCommand } from "../support/deno_flags.ts";
import { canRun } from "../support/optional_tool.ts";
import type { TestProject } from "../support/project.ts";
import { type Json, type Taskmux, testTaskmux } from "../support/taskmux.ts";

/** Legal as a branch of git and as a path of a URL; run by a shell, it would leave a file. */
const BRANCH = "feat/it's\"$(touch${IFS}ran)`touch${IFS}ran`;&|<>(){}!#%é";

/** zsh takes it for the path of a program. */
const EQUALS_BRANCH = "=ls";

const CONFIG = `name = "shop"
[tasks.api-1]
command = "serve"
host = "api"
host_path = '''/a\\b'c"d$HOME\`touch\${IFS}ran\`$(touch\${IFS}ran);#&|<>(){}!*?~%s\\\\'''
[tasks.every]
command = "serve"
host = "*"
[tasks.root]
command = "serve"
host = "@"
[tasks.plain]
command = "serve"
port = 4100
`;

/** Of a proxy that never gets to bind this port: nothing is served here. */
const HOST_CONFIG = `api_port = 0
proxy_https_port = 9443
dns_managed_tld = "test"
host_resolver = "noop"
`;

/** Shell → how it takes the variables over, and prints them. */
const SHELLS: readonly (readonly [
  name: string,
  flags: readonly string[],
  take: string,
])[] = [
  ["bash", ["--norc"], 'eval "$(taskmux env)"'],
  ["dash", [], 'eval "$(taskmux env)"'],
  ["zsh", ["-f"], 'eval "$(taskmux env)"'],
  ["fish", ["-N"], "taskmux env | source"],
];

/** A project on a branch, and `taskmux` on the PATH. Nothing runs in it. */
async function checkout(
  taskmux: Taskmux,
  folder: string,
): Promise<TestProject> {
  const { root, paths } = taskmux.home;
  const { program, args } = cliCommand(paths, []);
  await Deno.mkdir(`${root}/bin`);
  await Deno.writeTextFile(
    `${root}/bin/taskmux`,
    `#!/bin/sh\nexec ${program} ${args.join(" ")} "$@"\n`,
    { mode: 0o755 },
  );
  const project = await taskmux.project(CONFIG, folder);
  await git(project, "init", "-q", "-b", BRANCH);
  return project;
}

async function git({ folder }: TestProject, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("git", {
    args,
    cwd: folder,
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** Runs a program in the folder and gives the variables with this prefix that `env -0` prints at its end. */
async function variablesAfter(
  taskmux: Taskmux,
  { folder }: TestProject,
  [program, ...args]: readonly [string, ...string[]],
  prefix = "TASKMUX_",
): Promise<Record<string, string>> {
  const { env, root } = taskmux.home;
  const { stdout, stderr, success } = await new Deno.Command(program, {
    args,
    cwd: folder,
    env: { ...env, SHELL: program, PATH: `${root}/bin:${env["PATH"]}` },
    clearEnv: true,
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(success, `${program}: ${text}${new TextDecoder().decode(stderr)}`);
  return Object.fromEntries(
    text.split("\0").filter((line) =>
      line.startsWith(prefix) && !line.startsWith("TASKMUX_HOME=")
    ).map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

Deno.test("every shell gets the values as they are, and runs nothing of them", async (t) => {
  await using taskmux = await testTaskmux({
    hostConfig: HOST_CONFIG,
  });
  const project = await checkout(taskmux, "it's a $HOME");
  const { env } = await project.ok<{ readonly env: Record<string, string> }>(
    ["env"],
  );
  const url = "https://api.shop.test:9443/a\\b'c\"d$HOME`touch${IFS}ran`" +
    "$(touch${IFS}ran);#&|<>(){}!*?~%s\\\\";
  assert.deepEqual(env, {
    TASKMUX_PROJECT: "shop",
    TASKMUX_PROJECT_ID: "shop",
    TASKMUX_BASE_HOST: "shop.test",
    TASKMUX_IS_LINKED: "0",
    TASKMUX_BRANCH: BRANCH,
    TASKMUX_URL_API_1: url,
    TASKMUX_URL_ROOT: "https://shop.test:9443",
    TASKMUX_URL_PLAIN: "http://localhost:4100",
  });
  for (const [shell, flags, take] of SHELLS) {
    if (!canRun(`taskmux env in ${shell}`, [shell, "-c", ":"])) continue;
    await t.step(shell, async () => {
      const script = `${take}; env -0`;
      assert.deepEqual(
        await variablesAfter(taskmux, project, [shell, ...flags, "-c", script]),
        env,
      );
      assert.equal(await project.read("ran"), null);
    });
  }
  await git(project, "symbolic-ref", "HEAD", `refs/heads/${EQUALS_BRANCH}`);
  if (canRun("taskmux env in zsh", ["zsh", "-c", ":"])) {
    const script = 'eval "$(taskmux env --no-urls --prefix MY_)"; env -0';
    const own = await variablesAfter(
      taskmux,
      project,
      ["zsh", "-f", "-c", script],
      "MY_",
    );
    assert.deepEqual(Object.keys(own), [
      "MY_PROJECT",
      "MY_PROJECT_ID",
      "MY_BASE_HOST",
      "MY_IS_LINKED",
      "MY_BRANCH",
    ]);
    assert.equal(own["MY_BRANCH"], EQUALS_BRANCH);
  }
  assert.equal(await taskmux.daemonPid(), null, "nothing was started");
  // A daemon that was never told of the project says the same.
  await taskmux.ok(["daemon", "start"]);
  const { env: told } = await project.ok<{ readonly env: Json }>(["env"]);
  assert.deepEqual(told, { ...env, TASKMUX_BRANCH: EQUALS_BRANCH });
  assert.equal((await project.ok(["url", "api-1"]))["url"], url);
  const branchNow = async () =>
    (await project.ok<{ readonly env: Json }>(["env"])).env["TASKMUX_BRANCH"];
  // Nor does one that manages it know of a branch from before.
  await project.write("name = 'shop'");
  await project.ok(["daemon", "register"]);
  assert.equal(await branchNow(), EQUALS_BRANCH);
  await git(project, "symbolic-ref", "HEAD", "refs/heads/later");
  assert.equal(await branchNow(), "later");
});

Deno.test("the lines for direnv work in direnv, and again after a change of branch", async () => {
  if (!canRun("taskmux env --direnv", ["direnv", "version"])) return;
  await using taskmux = await testTaskmux();
  // In a folder with a dollar sign direnv finds nothing, whatever the file says.
  const project = await checkout(taskmux, "a shop");
  const bad = await project.fails("E500", ["env", "--direnv", "--prefix", "-"]);
  assert.match(bad.error, /prefix/);
  await project.fails("E500", ["env", "--direnv", "--shell", "fish"]);
  const { stdout } = await project.run(["env", "--direnv", "--prefix", "MY_"]);
  await project.file(".envrc", stdout);
  const inDirenv = (script: string) =>
    variablesAfter(taskmux, project, ["bash", "-c", script], "MY_");
  const hook = 'eval "$(direnv export bash)"';
  const first = await inDirenv(
    `direnv allow && ${hook} && env -0 && git symbolic-ref HEAD refs/heads/other && touch -d @4000000000 .git/HEAD`,
  );
  assert.equal(first["MY_BRANCH"], BRANCH);
  assert.equal(first["MY_URL_PLAIN"], "http://localhost:4100");
  // In the same shell, where direnv only reads .envrc again if something that it watches has changed.
  const second = await inDirenv(
    `${hook}; git symbolic-ref HEAD refs/heads/third; touch -d @4100000000 .git/HEAD; ${hook}; env -0`,
  );
  assert.equal(second["MY_BRANCH"], "third");
  assert.equal(await project.read("ran"), null);
});
