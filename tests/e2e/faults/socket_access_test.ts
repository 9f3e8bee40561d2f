/**
 * What another user of the machine can reach: nothing. Most of it needs root, to be that other user.
 *
 * @module
 */

import assert from "node:assert/strict";
import { resolvePaths } from "../../../src/config/paths.ts";
import { cliCommand, daemonCommand } from "../../support/deno_flags.ts";
import { walk } from "../../support/files.ts";
import { type Json, Taskmux, testTaskmux } from "../../support/taskmux.ts";
import { type TempHome, tempHome } from "../../support/temp_home.ts";

const WEB =
  'name = "web"\n[tasks.web]\ncommand = "echo hello; exec sleep 1000"\n';

const OTHER_USER = 65534;

const IS_ROOT = Deno.build.os === "linux" && Deno.uid() === 0;

function mode(path: string): number {
  return (Deno.lstatSync(path).mode ?? 0) & 0o777;
}

/** The command line under a umask, as a shell profile may set one. */
async function withUmask(
  { home }: Taskmux,
  umask: string,
  args: readonly string[],
): Promise<Json> {
  const command = cliCommand(home.paths, ["--json", ...args]);
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `umask ${umask}; exec "$@"`, "sh", command.program]
      .concat(command.args),
    cwd: `${home.work}/project`,
    env: home.env,
    clearEnv: true,
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Says which of its arguments are files that can be read, or folders that can be looked into or written to. */
const REACH_FILES = `
for path; do
  { cat "$path" || ls "$path/" || : > "$path/x"; } >/dev/null 2>&1 && echo "$path"
done`;

/** Says which of its arguments are sockets that somebody can connect to. */
const CONNECT = `
for path; do
  python3 -c "import socket,sys;socket.socket(socket.AF_UNIX).connect(sys.argv[1])" "$path" 2>/dev/null && echo "$path"
done`;

/** What a script, run as nobody, says of these paths. */
async function reachedByNobody(
  script: string,
  paths: readonly string[],
): Promise<string[]> {
  const user = ["--reuid", `${OTHER_USER}`, "--regid", `${OTHER_USER}`];
  const { stdout } = await new Deno.Command("setpriv", {
    args: [...user, "--clear-groups", "sh", "-c", script, "sh", ...paths],
    cwd: "/",
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean);
}

/** That what was written here is for this user alone, and that nobody else gets at it. */
async function checkPrivate({ home }: Taskmux): Promise<void> {
  const { paths } = home;
  assert.equal(mode(paths.home), 0o700);
  assert.equal(mode(paths.runDir), 0o700);
  const sockets = [paths.daemonSocket, paths.keeperSocket, paths.httpSocket];
  for (const socket of sockets) assert.equal(mode(socket), 0o600, socket);
  if (!IS_ROOT) return;
  // So that it is the folders of taskmux that keep nobody out, not that of the test.
  await Deno.chmod(home.root, 0o755);
  await Deno.writeTextFile(`${home.root}/open`, "", { mode: 0o644 });
  using _control = Deno.listen({
    transport: "unix",
    path: `${home.root}/control`,
  });
  await Deno.chmod(`${home.root}/control`, 0o666);
  const open = [`${home.root}/open`, `${home.root}/control`];
  assert.deepEqual(await reachedByNobody(REACH_FILES, open), [open[0]]);
  assert.deepEqual(await reachedByNobody(CONNECT, open), [open[1]]);
  const everything: string[] = [];
  for (const folder of [paths.home, paths.runDir]) {
    everything.push(folder);
    for await (const path of walk(folder)) everything.push(path);
  }
  assert.deepEqual(await reachedByNobody(REACH_FILES, everything), []);
  assert.deepEqual(await reachedByNobody(CONNECT, sockets), []);
}

const HOMES: Readonly<
  Record<string, (home: TempHome) => Promise<void>>
> = {
  "a new home": async ({ home }) => {
    await Deno.mkdir(home);
  },
  "a home that was open to all": async ({ home }) => {
    await Deno.mkdir(`${home}/run`, { recursive: true });
    await Deno.chmod(home, 0o777);
    await Deno.chmod(`${home}/run`, 0o777);
  },
  "a home that is a link": async ({ home, root }) => {
    await Deno.mkdir(`${root}/elsewhere`, { mode: 0o755 });
    await Deno.symlink(`${root}/elsewhere`, home);
  },
};

for (const [what, prepare] of Object.entries(HOMES)) {
  for (const umask of ["000", "077"]) {
    Deno.test(`${what} is for its user alone, with umask ${umask}`, async () => {
      await using taskmux = await testTaskmux({ hostConfig: null });
      const { home } = taskmux.home;
      await prepare(taskmux.home);
      await Deno.writeTextFile(`${home}/config.toml`, "api_port = 0\n");
      const project = await taskmux.project(WEB);
      const started = await withUmask(taskmux, umask, ["start"]);
      assert.equal(started["ok"], true, JSON.stringify(started));
      await project.when("web", "running");
      const link = Deno.lstatSync(home).isSymlink;
      if (!link) await checkPrivate(taskmux);
      else assert.equal(mode(Deno.realPathSync(home)), 0o700);
    });
  }
}

/** A home so deep that its sockets lie elsewhere: in a folder where anybody may be first, as in `/tmp`. */
async function deepTaskmux(): Promise<Taskmux> {
  const short = await tempHome();
  const home = `${short.home}/${"deep/".repeat(25)}home`;
  const runtime = `${short.root}/runtime`;
  await Deno.mkdir(home, { recursive: true });
  await Deno.writeTextFile(`${home}/config.toml`, "api_port = 0\n");
  await Deno.mkdir(runtime);
  await Deno.chmod(runtime, 0o1777);
  const env = { TASKMUX_HOME: home, XDG_RUNTIME_DIR: runtime };
  const paths = resolvePaths(env);
  assert(paths.runDir.startsWith(`${runtime}/`));
  const deep = { ...short, home, paths, env: { ...short.env, ...env } };
  return new Taskmux(deep, null);
}

Deno.test("sockets outside of a deep home are for its user alone", async () => {
  await using taskmux = await deepTaskmux();
  const project = await taskmux.project(WEB);
  const started = await withUmask(taskmux, "000", ["start"]);
  assert.equal(started["ok"], true, JSON.stringify(started));
  await project.when("web", "running");
  await checkPrivate(taskmux);
});

/** What whoever was first in the runtime folder prepared there. */
const SQUATS: Readonly<Record<string, (paths: TempHome) => Promise<void>>> = {
  "a folder that is open to all": async ({ paths: { runDir } }) => {
    await Deno.mkdir(runDir);
    await Deno.chmod(runDir, 0o777);
    await Deno.chown(runDir, OTHER_USER, OTHER_USER);
  },
  "a folder that may be entered": async ({ paths: { runDir } }) => {
    await Deno.mkdir(runDir, { mode: 0o755 });
    await Deno.chown(runDir, OTHER_USER, OTHER_USER);
  },
  "a link to a folder of ours": async ({ paths: { runDir }, root }) => {
    await Deno.mkdir(`${root}/ours`, { mode: 0o755 });
    await Deno.symlink(`${root}/ours`, runDir);
  },
};

// The CLI told its whole environment to whoever listened there.
for (const [what, prepare] of Object.entries(SQUATS)) {
  Deno.test({
    name: `${what} in the place of the runtime folder is not trusted`,
    ignore: !IS_ROOT && !what.includes("link"),
    fn: async () => {
      await using taskmux = await deepTaskmux();
      const project = await taskmux.project(WEB);
      const { paths, env } = taskmux.home;
      await prepare(taskmux.home);
      const before = mode(Deno.realPathSync(paths.runDir));
      using squatter = Deno.listen({
        transport: "unix",
        path: paths.daemonSocket,
      });
      const visit = squatter.accept().then(() => "visited", () => "alone");
      for (const args of [["status"], ["start"], ["daemon", "stop"]]) {
        const { error } = await project.fails("E600", args);
        assert.match(error, /made by another user/);
      }
      const command = daemonCommand(paths);
      const daemon = await new Deno.Command(command.program, {
        args: command.args,
        env,
        clearEnv: true,
      }).output();
      assert.equal(daemon.success, false);
      assert.match(
        new TextDecoder().decode(daemon.stderr),
        /belongs to another user/,
      );
      squatter.close();
      assert.equal(await visit, "alone");
      assert.equal(mode(Deno.realPathSync(paths.runDir)), before);
      await Deno.remove(paths.runDir, { recursive: true });
    },
  });
}

Deno.test({
  name: "what others left in a home that was open to all is not taken for ours",
  ignore: !IS_ROOT,
  fn: async () => {
    await using taskmux = await testTaskmux({ hostConfig: null });
    const project = await taskmux.project(WEB);
    const { home } = taskmux.home;
    await Deno.mkdir(home);
    await Deno.chmod(home, 0o777);
    const planted = `${home}/config.toml`;
    await Deno.writeTextFile(planted, "api_port = 0\n");
    await Deno.chown(planted, OTHER_USER, OTHER_USER);
    for (let n = 0; n < 2; n++) {
      const { error } = await project.fails("E600", ["start"]);
      assert.match(error, /config\.toml.*belongs to another user/);
    }
    await Deno.remove(planted);
    await Deno.writeTextFile(planted, "api_port = 0\n");
    await project.ok(["start"]);
    assert.equal(mode(home), 0o700);
  },
});
