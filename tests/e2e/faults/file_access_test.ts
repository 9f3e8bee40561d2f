/**
 * Files of the state folder, and ports, that the user may not use. Needs root, to be a user who is not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { killDaemon } from "../../support/crashes.ts";
import { cliCommand } from "../../support/deno_flags.ts";
import {
  AS_SECOND_USER,
  CAN_CHANGE_USER,
  giveToSecondUser,
} from "../../support/second_user.ts";
import { type Json, type Taskmux, testTaskmux } from "../../support/taskmux.ts";

if (!CAN_CHANGE_USER) {
  console.warn("SKIPPED: tests of file access need Linux and root");
}

const WEB = 'name = "web"\n[tasks.web]\ncommand = "exec sleep 1000"\n';

/** The first port that any user may bind. */
async function firstFreePort(): Promise<number> {
  const path = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  // The permissions of a test do not reach there.
  const { stdout } = await new Deno.Command("cat", { args: [path] }).output();
  return Number(new TextDecoder().decode(stdout));
}

async function begin(taskmux: Taskmux) {
  const project = await taskmux.project(WEB);
  const env = await giveToSecondUser(taskmux.home);
  await project.ok(["start"], { env });
  return { project, env, web: await project.pid("web") };
}

Deno.test({
  name:
    "a file that may not be used is named, and keeps the daemon that is there",
  ignore: !CAN_CHANGE_USER,
  fn: async () => {
    await using taskmux = await testTaskmux({
      launcher: AS_SECOND_USER,
      expectedErrors: /Permission denied|Cannot use/,
    });
    const { project, env, web } = await begin(taskmux);
    const { paths } = taskmux.home;
    const daemon = await taskmux.daemonPid();
    const files = [
      paths.daemonLock,
      paths.daemonLog,
      paths.database,
      paths.eventsMirror,
      paths.registry,
    ];
    for (const file of files) {
      await Deno.chmod(file, 0);
      const { error, hint } = await taskmux.fails("E900", [
        "daemon",
        "restart",
      ], { env });
      assert.equal(error, `Cannot use "${file}": permission denied`);
      assert(hint);
      assert.equal(await taskmux.daemonPid(), daemon, file);
      await Deno.chmod(file, 0o600);
    }
    // Without a daemon it is what prevents the start.
    await killDaemon(taskmux);
    await Deno.chmod(paths.daemonLock, 0);
    const { error } = await project.fails("E600", ["start"], { env });
    assert.match(error, /"\S+daemon\.lock": permission denied$/);
    await Deno.chmod(paths.daemonLock, 0o600);
    await taskmux.ok(["daemon", "start"], { env });
    assert.equal(await project.pid("web"), web);
  },
});

Deno.test({
  name: "a folder that may not be read fails no other check of doctor",
  ignore: !CAN_CHANGE_USER,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const { paths } = taskmux.home;
    await Deno.mkdir(paths.projects, { recursive: true, mode: 0o700 });
    const env = await giveToSecondUser(taskmux.home);
    await Deno.chmod(paths.projects, 0);
    // Without the capability to read everything.
    const [program = "", ...args] = AS_SECOND_USER.filter((word) =>
      !word.includes("dac_read_search")
    );
    const words = cliCommand(paths, ["--json", "doctor"]);
    const { stdout } = await new Deno.Command(program, {
      args: [...args, words.program, ...words.args],
      cwd: "/",
      env: { ...taskmux.home.env, ...env },
      clearEnv: true,
    }).output();
    const { checks } = JSON.parse(new TextDecoder().decode(stdout)) as {
      checks: Json[];
    };
    const names = checks.filter(({ status }) => status === "fail")
      .map(({ name }) => name);
    assert.deepEqual(names, ["python_taskmux"]);
  },
});

Deno.test({
  name: "a port of the API that only root may bind is a warning",
  ignore: !CAN_CHANGE_USER,
  fn: async () => {
    const port = await firstFreePort() - 1;
    if (port < 1) return console.warn("SKIPPED: any user may bind any port");
    await using taskmux = await testTaskmux({
      launcher: AS_SECOND_USER,
      hostConfig: `api_port = ${port}\n`,
    });
    const { env } = await begin(taskmux);
    const { warnings } = await taskmux.ok<{ warnings: string[] }>([
      "daemon",
      "status",
    ], { env });
    const told = `API: port ${port} is for root only`;
    assert(warnings.some((text) => text.startsWith(told)), `${warnings}`);
  },
});
