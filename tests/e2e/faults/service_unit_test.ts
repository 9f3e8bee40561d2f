/**
 * The daemon under a service manager: the files, and a real systemd.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../../src/contract/mod.ts";
import { launchdPlist } from "../../../src/service/launchd_plist.ts";
import { systemdUnit } from "../../../src/service/systemd_unit.ts";
import { daemonCommand } from "../../support/deno_flags.ts";
import { PrivateSystemd } from "../../support/private_systemd.ts";
import {
  CAN_BE_OTHERS,
  privilegedPorts,
  type SecondUser,
  secondUser,
} from "../../support/sudo_user.ts";
import { isRunning } from "../../support/process_state.ts";
import { killIfThere, testTaskmux } from "../../support/taskmux.ts";
import { tempHome } from "../../support/temp_home.ts";
import { until } from "../../support/until.ts";

type DaemonStatus = Result<"daemon.status">;

interface Installed {
  readonly path: string;
  readonly action: string;
  readonly content: string;
  readonly next: string[];
}

/** Everything that service managers read in a way of their own. */
const ODD = `50% "of" $HOME \\ 'it' é & <b>`;

async function output(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    env,
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function isThere(program: string): Promise<boolean> {
  const { code } = await output("sh", ["-c", `command -v ${program}`]);
  if (code === 0) return true;
  assert.notEqual(Deno.env.get("CI"), "true", `CI has no ${program}`);
  console.error(`SKIPPED: there is no ${program}`);
  return false;
}

const HAS_ANALYZE = Deno.build.os === "linux" &&
  await isThere("systemd-analyze");

Deno.test("daemon install writes a unit of the user, once, and uninstall removes it", async () => {
  await using taskmux = await testTaskmux();
  const { root, home } = taskmux.home;
  const config = `${root}/config`;
  const env = { env: { XDG_CONFIG_HOME: config, USER: "nobody-here" } };
  const path = `${config}/systemd/user/taskmux.service`;
  const dry = await taskmux.ok<Installed>(
    ["daemon", "install", "--dry-run"],
    env,
  );
  assert.equal(dry.path, path);
  await assert.rejects(Deno.lstat(config), Deno.errors.NotFound);

  const first = await taskmux.ok<Installed>(["daemon", "install"], env);
  assert.deepEqual([first.path, first.action], [path, "installed"]);
  assert.deepEqual(first.next, [
    "systemctl --user daemon-reload",
    "systemctl --user enable --now taskmux.service",
    "loginctl enable-linger",
  ]);
  const text = await Deno.readTextFile(path);
  assert.equal(text, dry.content);
  const { args } = daemonCommand(taskmux.home.paths);
  for (const word of args) {
    if (word.startsWith("--allow")) assert(text.includes(`"${word}"`), word);
  }
  assert.match(text, /^ExecStart="\/\S+\/deno" "run" /m);
  assert(text.includes(`Environment="TASKMUX_HOME=${home}"\n`));
  const deep = { TASKMUX_HOME: `/tmp/${"deep/".repeat(20)}home` };
  await taskmux.fails("E500", ["daemon", "install", "--system", "--dry-run"], {
    env: deep,
  });
  const again = await taskmux.ok<Installed>(["daemon", "install"], env);
  assert.equal(again.action, "unchanged");

  const status = await taskmux.ok<DaemonStatus>(["daemon", "status"], env);
  assert.deepEqual(status.service, {
    managed: false,
    units: [{ scope: "user", path }],
  });
  const wants = `${config}/systemd/user/default.target.wants`;
  await Deno.mkdir(wants);
  await Deno.symlink(path, `${wants}/taskmux.service`);
  const gone = await taskmux.ok(["daemon", "uninstall"], env);
  assert.equal(gone["removed"], true);
  assert.deepEqual([...Deno.readDirSync(wants)], []);
  const none = await taskmux.ok(["daemon", "uninstall"], env);
  assert.equal(none["removed"], false);

  await Deno.writeTextFile(path, "[Service]\nExecStart=/bin/true\n");
  await taskmux.fails("E500", ["daemon", "install"], env);
  await taskmux.fails("E500", ["daemon", "uninstall"], env);
  assert.match(await Deno.readTextFile(path), /bin.true/);
});

Deno.test({
  name: "systemd understands the unit, whatever is in its values",
  ignore: !HAS_ANALYZE,
  fn: async () => {
    await using home = await tempHome();
    const unit = systemdUnit({
      scope: "user",
      owner: "ann",
      command: { program: "/bin/echo", args: ["--a", ODD, "*", "{x}", "$$"] },
      environment: { ODD },
    });
    const path = `${home.work}/taskmux.service`;
    await Deno.writeTextFile(path, unit);
    const verified = await output("systemd-analyze", [
      "--user",
      "verify",
      "--man=no",
      path,
    ], { XDG_RUNTIME_DIR: home.work });
    assert.equal(verified.code, 0, verified.text);
    const ours = verified.text.split("\n").filter((line) =>
      line.includes("taskmux.service")
    );
    assert.deepEqual(ours, []);
    assert.throws(() =>
      systemdUnit({
        scope: "user",
        owner: "ann",
        command: { program: "/bin/echo", args: ["a\nExecStart=/bin/false"] },
        environment: {},
      }), /control characters/);
  },
});

Deno.test({
  name: "the property list of launchd says the same",
  ignore: !await isThere("python3"),
  fn: async () => {
    const text = launchdPlist({
      scope: "system",
      owner: "ann",
      command: { program: "/bin/echo", args: ["--a", ODD] },
      environment: { ODD },
    });
    const script = "import plistlib, json, sys; " +
      "print(json.dumps(plistlib.loads(sys.argv[1].encode())))";
    const { code, text: json } = await output("python3", ["-c", script, text]);
    assert.equal(code, 0, json);
    const plist = JSON.parse(json);
    assert.deepEqual(plist.ProgramArguments, ["/bin/echo", "--a", ODD]);
    assert.deepEqual(plist.EnvironmentVariables, { ODD });
    assert.deepEqual(plist.KeepAlive, { SuccessfulExit: false });
    assert.equal(plist.RunAtLoad, true);
    assert.equal(plist.AbandonProcessGroup, true);
  },
});

Deno.test("a stop that comes while the daemon starts stops everything", async () => {
  await using taskmux = await testTaskmux();
  const project = await taskmux.project(`
name = "early"
[tasks.web]
command = "exec sleep 1000"
`);
  const { paths, env } = taskmux.home;
  await project.ok(["start"]);
  const web = await project.pid("web");
  const crashed = await taskmux.daemonPid();
  killIfThere(crashed!);
  await until(async () => !await isRunning(crashed!));
  // Made anew when the next one has claimed the folder, long before it is ready.
  await Deno.remove(paths.daemonLock);
  const { program, args } = daemonCommand(paths, ["--foreground"]);
  const daemon = new Deno.Command(program, {
    args,
    env,
    clearEnv: true,
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(() => isFile(paths.daemonLock));
  daemon.kill("SIGTERM");
  const { code, signal } = await daemon.status;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  assert.equal(await isRunning(web), false);
});

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const TOML = `
name = "unit"
[tasks.web]
command = "exec sleep 1000"
[tasks.gone]
command = "setsid setsid env -i sleep 1001 & exec sleep 1002"
stop_grace_period = 0.1
`;

/** What runs under the unit, all as the user. */
async function up(user: SecondUser): Promise<DaemonStatus> {
  return await until(async () => {
    const run = await user.run("user", ["daemon", "status", "--json"]);
    const status = run.json() as DaemonStatus;
    return status.running ? status : null;
  }, { timeoutMs: 60_000, what: "a daemon" });
}

async function pidsOf(user: SecondUser): Promise<(number | null)[]> {
  const { tasks } = await user.ok<Result<"task.status">>("user", ["status"]);
  return tasks.map(({ pid }) => pid);
}

/** Starts the systemd of a user, as a login does. @returns A way to say `systemctl --user`. */
async function userManager(
  manager: PrivateSystemd,
  user: SecondUser,
): Promise<(...args: string[]) => Promise<string>> {
  const runtime = `${user.root}/runtime`;
  await user.folder(runtime);
  for (const name of ["passwd", "group"]) {
    await manager.try(
      "mount",
      "--bind",
      `${user.root}/${name}`,
      `/etc/${name}`,
    );
  }
  await manager.try(
    "systemd-run",
    "--unit=user-manager",
    `--uid=${user.uid}`,
    `--gid=${user.uid}`,
    "--property=Delegate=yes",
    "--property=KillMode=mixed",
    `--setenv=XDG_RUNTIME_DIR=${runtime}`,
    `--setenv=HOME=${user.home}`,
    "/lib/systemd/systemd",
    "--user",
    "--unit=basic.target",
  );
  const systemctl = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await user.command(
      "user",
      ["systemctl", "--user", ...args],
      { XDG_RUNTIME_DIR: runtime },
    ).output();
    const decoder = new TextDecoder();
    return decoder.decode(stdout) + decoder.decode(stderr);
  };
  await until(async () =>
    /running|degraded/.test(await systemctl("is-system-running"))
  );
  return systemctl;
}

const systemd = CAN_BE_OTHERS
  ? await PrivateSystemd.start()
  : "needs Linux, root, unshare and setpriv";
if (typeof systemd === "string") {
  console.error(`SKIPPED: the test with a real systemd: ${systemd}`);
} else {
  await systemd[Symbol.asyncDispose]();
}

Deno.test({
  name:
    "systemd starts it, starts it again after a crash with the same tasks, and stops everything",
  ignore: typeof systemd === "string",
  fn: async () => {
    const [https, redirect] = privilegedPorts(2);
    await using user = await secondUser(
      `api_port = 0\nproxy_https_port = ${https}\n` +
        `proxy_http_redirect_port = ${redirect}\n`,
    );
    await user.write(`${user.home}/work/taskmux.toml`, TOML);
    const manager = await PrivateSystemd.start();
    assert(typeof manager !== "string", String(manager));
    await using _ = manager;
    user.enter = manager.enter;
    const unit = "taskmux.service";
    const system = ["--system"];
    const state = () => manager.property(unit, "ActiveState");

    // One that was started by hand makes room for that of systemd.
    await user.ok("user", ["start"]);
    const byHand = await up(user);
    const tasks = () => pidsOf(user);
    const pids = await tasks();
    const refused = await user.run("user", ["daemon", "install", ...system]);
    assert.match(refused.stderr, /only root may[^]*sudo env/);
    await user.ok("sudo", ["daemon", "install", ...system]);
    await manager.try("systemctl", "daemon-reload");
    await manager.try("systemctl", "start", unit);
    const first = await until(async () => {
      const status = await up(user);
      return status.service.managed ? status : null;
    });
    assert.notEqual(first.pid, byHand.pid);
    assert.equal(first.proxy["https_port"], https);
    assert.notDeepEqual(first.proxy["https_bound"], []);
    assert.deepEqual(await tasks(), pids);
    assert.equal(await state(), "active");

    await manager.try("kill", "-KILL", String(first.pid));
    const second = await until(async () => {
      const status = await up(user);
      return status.pid === first.pid ? null : status;
    });
    assert.equal(second.service.managed, true);
    assert.equal(second.keeper.pid, first.keeper.pid);
    assert.equal(second.proxy["https_port"], https);
    assert.deepEqual(await tasks(), pids);

    // Its user may replace it, without root: systemd starts the next one, as root.
    const { pid } = await user.ok("user", ["daemon", "restart"]);
    assert.notEqual(pid, second.pid);
    const third = await up(user);
    assert.equal(third.pid, pid);
    assert.equal(third.service.managed, true);
    assert.equal(third.proxy["https_port"], https);
    assert.notDeepEqual(third.proxy["https_bound"], []);
    assert.deepEqual(await tasks(), pids);
    assert.equal(await manager.property(unit, "MainPID"), String(pid));

    // What a cold start needs: with a fresh keeper.
    await manager.try("systemctl", "stop", unit);
    assert.deepEqual(await user.processes(), [], "nothing is left");
    assert.equal(await state(), "inactive");
    assert.deepEqual(await user.rootsFiles(), []);

    await manager.try("systemctl", "start", unit);
    await user.ok("user", ["start"]);
    await user.ok("user", ["daemon", "stop"]);
    await until(async () => await state() === "inactive");
    assert.deepEqual(await user.processes(), []);
    const gone = await user.ok("sudo", ["daemon", "uninstall", ...system]);
    assert.equal(gone["removed"], true);
  },
});

Deno.test({
  name: "the systemd of a user does the same without root",
  ignore: typeof systemd === "string",
  fn: async () => {
    await using user = await secondUser(
      "api_port = 0\nproxy_enabled = false\n",
    );
    await user.write(`${user.home}/work/taskmux.toml`, TOML);
    const manager = await PrivateSystemd.start();
    assert(typeof manager !== "string", String(manager));
    await using _ = manager;
    user.enter = manager.enter;
    const systemctl = await userManager(manager, user);
    const { next } = await user.ok<Installed>("user", ["daemon", "install"]);
    // Exactly what the user is told to type.
    for (const line of next) {
      const [program, , ...args] = line.split(" ");
      if (program === "systemctl") await systemctl(...args);
    }
    const first = await up(user);
    assert.equal(first.service.managed, true);
    await user.ok("user", ["start"]);
    const pids = await pidsOf(user);
    await manager.try("kill", "-KILL", String(first.pid));
    const second = await until(async () => {
      const status = await up(user);
      return status.pid === first.pid ? null : status;
    });
    assert.equal(second.keeper.pid, first.keeper.pid);
    assert.deepEqual(await pidsOf(user), pids);
    await systemctl("stop", "taskmux.service");
    await until(async () =>
      (await systemctl("is-active", "taskmux.service")).includes("inactive")
    );
    assert.equal((await user.run("user", ["daemon", "pid"])).code, 6);
    await user.ok("user", ["daemon", "uninstall"]);
    await manager.try("systemctl", "stop", "user-manager");
  },
});
