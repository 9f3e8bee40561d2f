/**
 * A daemon that starts as root on behalf of a user, who may be hostile. Needs root, and a mount namespace.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../../src/contract/mod.ts";
import { handOver } from "../../../src/privilege/hand_over.ts";
import { openOwnerFunctions } from "../../../src/privilege/privilege_libc.ts";
import { procFiles, testLibc } from "../../support/processes.ts";
import {
  CAN_BE_OTHERS,
  privilegedPorts,
  type SecondUser,
  secondUser,
} from "../../support/sudo_user.ts";
import { lives } from "../../support/processes.ts";
import { until } from "../../support/until.ts";

type DaemonStatus = Result<"daemon.status">;

const OWNER_FUNCTIONS = CAN_BE_OTHERS ? openOwnerFunctions(testLibc()) : null;

if (!CAN_BE_OTHERS) {
  console.error(
    "SKIPPED: tests of the privilege drop need Linux, root, unshare and setpriv",
  );
}

/** Values of a line of `/proc/PID/task/TID/status`, of each thread. */
function ofThreads(pid: number, name: string): string[] {
  const files = procFiles();
  return files.numbers(`/proc/${pid}/task`).map((tid) => {
    const text = files.text(`/proc/${pid}/task/${tid}/status`) ?? "";
    const line = new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text);
    return (line?.[1] ?? "").trim().split(/\s+/).join(" ");
  });
}

function assertIsUser(user: SecondUser, pid: number): void {
  const { uid, groups } = user;
  const four = Array(4).fill(uid).join(" ");
  const threads = ofThreads(pid, "Uid");
  assert(threads.length > 0, `${pid} has threads`);
  for (const ids of [...threads, ...ofThreads(pid, "Gid")]) {
    assert.equal(ids, four);
  }
  for (const each of ofThreads(pid, "Groups")) {
    assert.equal(each, groups.join(" "));
  }
  for (const name of ["CapPrm", "CapEff", "CapInh", "CapAmb"]) {
    for (const each of ofThreads(pid, name)) assert.match(each, /^0+$/);
  }
}

async function whenUp(user: SecondUser): Promise<DaemonStatus> {
  return await until(async () => {
    const status = await user.ok<DaemonStatus>("user", ["daemon", "status"]);
    return status.running ? status : null;
  }, { what: "a daemon", timeoutMs: 60_000 });
}

async function ownerOf(path: string): Promise<number | null> {
  return (await Deno.lstat(path)).uid;
}

/** What a connection gets before it is closed. */
async function ask(port: number, request: string): Promise<string> {
  const hostname = "127.0.0.1";
  using connection = await Deno.connect({ hostname, port });
  try {
    await connection.write(new TextEncoder().encode(request));
    return await new Response(connection.readable).text();
  } catch (error) {
    // Closed at once, in the middle of our writing.
    if (error instanceof Deno.errors.ConnectionReset) return "";
    if (error instanceof Deno.errors.BrokenPipe) return "";
    throw error;
  }
}

/** What an earlier sudo may have left: files, folders and a link of root. */
async function leaveRootsFiles(user: SecondUser): Promise<void> {
  await Deno.mkdir(`${user.denoDir}/gen/file`, { recursive: true });
  await Deno.writeTextFile(`${user.denoDir}/gen/file/a.js`, "");
  await Deno.mkdir(`${user.paths.home}/projects/old`, { recursive: true });
  await Deno.writeTextFile(`${user.paths.home}/events.jsonl`, "");
  await Deno.symlink("nowhere", `${user.denoDir}/gen/dangling`);
}

/** What the task has said, once it was started so many times. */
async function saidBy(user: SecondUser, starts: number): Promise<string[]> {
  return await until(async () => {
    const { lines } = await user.ok<{ lines: string[] }>("user", [
      "logs",
      "web",
    ]);
    const texts = lines.map((line) => line.slice(LOG_STAMP_LENGTH));
    return texts.length >= 3 * starts ? texts : null;
  });
}

/** `2026-01-01T00:00:00.000 ` */
const LOG_STAMP_LENGTH = 24;

const TOML = `
name = "drop"
[tasks.web]
command = 'id -u; id -G; echo "$HOME $USER $LOGNAME ${"${SUDO_USER:-none}"}"; exec sleep 1000'
restart_policy = "always"
`;

Deno.test({
  name:
    "sudo taskmux daemon holds the ports of root, is the user otherwise, and leaves nothing to root",
  ignore: !CAN_BE_OTHERS,
  fn: async () => {
    const [https, redirect] = privilegedPorts(2);
    await using user = await secondUser(
      `api_port = 0\nproxy_https_port = ${https}\n` +
        `proxy_http_redirect_port = ${redirect}\n`,
    );
    await user.write(`${user.home}/work/taskmux.toml`, TOML);
    await leaveRootsFiles(user);
    // With the user's own cache, as on macOS or with sudo -E: Deno writes into it as root.
    const foreground = user.spawn("sudo", ["daemon"], {
      DENO_DIR: user.denoDir,
    });
    const ended = foreground.output();
    const { pid, proxy, keeper, warnings } = await whenUp(user);
    assert(pid !== null && keeper.pid !== null);
    assert.deepEqual(warnings, []);
    assertIsUser(user, pid);
    assertIsUser(user, keeper.pid);
    assert.deepEqual(proxy, {
      enabled: true,
      bound: false,
      port: null,
      reason: "no task has a host",
      https_port: https,
      https_bound: ["127.0.0.1", "::1"],
      redirect_port: redirect,
      redirect_bound: ["127.0.0.1", "::1"],
      instead: [],
      needs_root: true,
    });
    assert.match(
      await ask(redirect!, "GET / HTTP/1.1\r\nhost: any.localhost\r\n\r\n"),
      /^HTTP\/1\.1 503 [^]*connection: close[^]*no task has a host/,
    );
    assert.equal(await ask(https!, "anything"), "");

    // The CLI of the user talks to it, and so does that of sudo.
    await user.ok("user", ["start"]);
    await user.ok("sudo", ["restart", "web"]);
    const expected = [
      String(user.uid),
      user.groups.join(" "),
      `${user.home} ${user.name} ${user.name} none`,
    ];
    assert.deepEqual(await saidBy(user, 2), [...expected, ...expected]);

    await assertServes(user, { https: https!, redirect: redirect! });

    // Only root's next daemon could have the ports.
    const refused = await user.run("user", ["daemon", "restart", "--json"]);
    assert.equal(refused.json()["error_code"], "E500", refused.stdout);
    const before = await user.ok<Result<"task.status">>("sudo", ["status"]);
    await user.ok("sudo", ["daemon", "restart"]);
    assert((await ended).success, "the one in the foreground ended well");
    const after = await whenUp(user);
    assert.notEqual(after.pid, pid);
    assert.equal(after.proxy["port"], https);
    assert.equal(after.proxy["bound"], true);
    assertIsUser(user, after.pid!);
    const { tasks } = await user.ok<Result<"task.status">>("user", ["status"]);
    assert.equal(tasks[0]?.pid, before.tasks[0]?.pid, "tasks ran on");

    await user.ok("sudo", ["daemon", "stop"]);
    assert.deepEqual(await user.rootsFiles(), []);
    assert.equal((await Deno.stat(user.paths.home)).mode! & 0o777, 0o700);
  },
});

/** With the first name both ports are served, by the user. */
async function assertServes(
  user: SecondUser,
  { https, redirect }: { readonly https: number; readonly redirect: number },
): Promise<void> {
  await user.write(`${user.home}/work/taskmux.toml`, `${TOML}host = "web"\n`);
  await user.ok("user", ["restart"]);
  const { proxy } = await whenUp(user);
  assert.equal(proxy["port"], https);
  const host = "web.drop.localhost";
  assert.match(
    await ask(redirect, `GET /x HTTP/1.1\r\nhost: ${host}\r\n\r\n`),
    new RegExp(`\r\nlocation: https://${host}:${https}/x\r\n`),
  );
}

Deno.test({
  name: "links of a hostile user lead root to no foreign file",
  ignore: !CAN_BE_OTHERS,
  fn: async () => {
    await using user = await secondUser(
      "api_port = 0\nproxy_enabled = false\n",
    );
    const secret = `${user.root}/secret`;
    await Deno.mkdir(`${secret}/folder`, { recursive: true });
    const files = ["linked", "aimed", "folder/inside", "config"];
    for (const name of files) {
      await Deno.writeTextFile(`${secret}/${name}`, `top secret = ${name}\n`, {
        mode: 0o600,
      });
    }
    const { home, hostConfig } = user.paths;
    await Deno.link(`${secret}/linked`, `${home}/linked`);
    await Deno.symlink(`${secret}/aimed`, `${home}/daemon.log`);
    await Deno.symlink(`${secret}/folder`, `${user.denoDir}/gen`);
    await Deno.symlink(`${secret}/folder`, `${home}/projects`);

    // The log leads to where the user may not write, so it is no daemon of theirs.
    const run = await user.run("sudo", ["daemon", "start", "--json"]);
    assert.equal(run.json()["error_code"], "E600", run.stdout);
    await Deno.remove(`${home}/daemon.log`);

    // Settings are read with the user's rights: what root could read is not told.
    await Deno.remove(hostConfig);
    await Deno.symlink(`${secret}/config`, hostConfig);
    const nosy = await user.run("sudo", ["daemon", "start", "--json"]);
    assert.notEqual(nosy.code, 0);
    assert(!`${nosy.stdout}${nosy.stderr}`.includes("top secret"));
    await Deno.remove(hostConfig);

    // The whole folder somewhere else.
    await Deno.rename(home, `${home}.real`);
    await Deno.symlink(secret, home);
    const moved = await user.run("sudo", ["daemon", "start", "--json"]);
    assert.notEqual(moved.code, 0);
    await Deno.remove(home);
    await Deno.rename(`${home}.real`, home);

    for (const name of files) {
      assert.equal(await ownerOf(`${secret}/${name}`), 0, name);
      assert.equal(
        await Deno.readTextFile(`${secret}/${name}`),
        `top secret = ${name}\n`,
      );
    }
    assert.deepEqual(
      [...Deno.readDirSync(secret)].map(({ name }) => name).sort(),
      ["aimed", "config", "folder", "linked"],
    );
  },
});

Deno.test({
  name: "folders that become links while root walks lead it nowhere",
  ignore: !CAN_BE_OTHERS,
  fn: async () => {
    await using user = await secondUser("api_port = 0\n");
    const victim = `${user.root}/victim`;
    const trap = `${user.denoDir}/trap`;
    const names = Array.from({ length: 200 }, (_, index) => `f${index}`);
    for (const folder of [victim, `${trap}/sub`, `${user.denoDir}/aside`]) {
      await Deno.mkdir(folder, { recursive: true });
      for (const name of names) {
        await Deno.writeTextFile(`${folder}/${name}`, "");
      }
    }
    await Deno.chown(trap, user.uid, user.uid);
    // sub is now this folder, now a link to the victim, thousands of times a second.
    const swapper = user.command("user", [
      "perl",
      "-e",
      'my ($t, $v) = @ARGV; symlink($v, "$t/link"); ' +
      '$| = 1; print "go\\n"; ' +
      'for (;;) { rename("$t/sub", "$t/kept"); rename("$t/link", "$t/sub"); ' +
      'rename("$t/sub", "$t/link"); rename("$t/kept", "$t/sub"); }',
      trap,
      victim,
    ]).spawn();
    try {
      const reader = swapper.stdout.getReader();
      await reader.read();
      await reader.cancel();
      const { uid, home, name } = user;
      const target = { uid, gid: uid, home, name, shell: "/bin/sh" };
      let changed = 0;
      for (let round = 0; round < 60; round++) {
        const { changed: now } = handOver(OWNER_FUNCTIONS!, target, [
          user.denoDir,
        ]);
        changed += now;
        // Work for the next round.
        await new Deno.Command("sh", {
          args: ["-c", `chown -h root ${user.denoDir}/aside/*`],
        }).output();
      }
      assert(changed > 5_000, `${changed} entries were handed over`);
    } finally {
      swapper.kill("SIGKILL");
      await swapper.status;
      await swapper.stderr.cancel();
    }
    for (const name of names) {
      assert.equal(await ownerOf(`${victim}/${name}`), 0, name);
    }
  },
});

Deno.test({
  name: "sudo taskmux start works for the user, and names who has the port",
  ignore: !CAN_BE_OTHERS,
  fn: async () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using user = await secondUser(
      `api_port = 0\nproxy_https_port = ${taken.addr.port}\n` +
        "proxy_http_redirect_port = 0\n",
    );
    await user.write(`${user.home}/work/taskmux.toml`, TOML);
    const none = await user.run("sudo", ["status", "--json"]);
    assert.equal(none.code, 0, none.stdout);
    for (
      const args of [
        ["init"],
        ["inject", "all"],
        ["inject", "--skill"],
        ["add", "x", "true"],
        ["daemon", "install"],
      ]
    ) {
      const { stdout } = await user.run("sudo", [...args, "--json"]);
      assert.equal(JSON.parse(stdout).error_code, "E500", stdout);
    }
    assert.deepEqual(await user.rootsFiles(), []);

    await user.ok("sudo", ["start"]);
    const status = await whenUp(user);
    assertIsUser(user, status.pid!);
    assert.deepEqual(
      status.warnings,
      [
        `127.0.0.1:${taken.addr.port} is taken by a process of another user`,
      ].map((text) => `proxy: ${text}`),
    );
    assert.deepEqual(status.proxy["https_bound"], ["::1"]);
    const { tasks } = await user.ok<Result<"task.status">>("user", ["status"]);
    const pid = tasks[0]?.pid ?? 0;
    assert.equal((ofThreads(pid, "Uid"))[0]?.split(" ")[0], String(user.uid));
    assert.deepEqual(await user.rootsFiles(), []);

    // Without root there is nothing to give up.
    const plain = await user.run("user", ["daemon", "start", "--json"], {
      SUDO_UID: "0",
      SUDO_GID: "0",
      SUDO_USER: "root",
    });
    assert.equal(plain.json()["action"], "already_running");
    // What root reads after a crash, with a journal of the database that nobody has put away.
    Deno.kill(status.pid!, "SIGKILL");
    await until(() => !lives(status.pid!));
    for (const args of [["status"], ["events"], ["logs"], ["daemon", "list"]]) {
      await user.ok("sudo", args);
    }
    assert.deepEqual(await user.rootsFiles(), []);
    await user.ok("user", ["stop"]);
    await user.ok("user", ["daemon", "stop"]);
    assert(!lives(pid));
    await user.ok("sudo", ["status"]);
    assert.deepEqual(await user.rootsFiles(), []);
  },
});
