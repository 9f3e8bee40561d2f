/**
 * A state folder on a disk that is full. Needs the right to mount a small one.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isRunning } from "../../support/process_state.ts";
import { testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

async function run(program: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(program, {
    args,
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** A file system of a few megabytes in a folder. */
class SmallDisk implements AsyncDisposable {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  static async at(folder: string): Promise<SmallDisk> {
    await Deno.mkdir(folder, { recursive: true });
    const options = "size=4m,mode=700";
    assert(await run("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder));
    return new SmallDisk(folder);
  }

  /** Fills every byte. */
  async fill(): Promise<void> {
    using file = await Deno.open(`${this.#folder}/fill`, {
      create: true,
      append: true,
    });
    for (let size = 64 * 1024; size > 0;) {
      try {
        await file.write(new Uint8Array(size));
      } catch {
        size = Math.floor(size / 2);
      }
    }
  }

  async empty(): Promise<void> {
    await Deno.remove(`${this.#folder}/fill`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", "-l", this.#folder);
  }
}

async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const folder = await Deno.makeTempDir({ prefix: "tmx-mount-" });
  try {
    await using _ = await SmallDisk.at(folder);
    return true;
  } catch {
    return false;
  } finally {
    await Deno.remove(folder);
  }
}

// A stop of that moment never returned, a start left what it had started behind, and a daemon that crashed did not come
// back. Events were told as stored and were not.
Deno.test({
  name:
    "on a full disk every action works, and what it changed is stored as soon as there is room",
  ignore: !await canMount(),
  fn: async () => {
    await using taskmux = await testTaskmux({ hostConfig: null });
    await using disk = await SmallDisk.at(taskmux.home.home);
    const { home } = taskmux.home;
    await Deno.writeTextFile(`${home}/config.toml`, "api_port = 0\n");
    const project = await taskmux.project(`
name = "full"
[tasks.web]
command = "exec sleep 1000"
[tasks.talk]
command = "touch in; exec tail -n +1 -f in"
[tasks.later]
command = "exec sleep 1000"
auto_start = false
`);
    await project.ok(["start"]);
    const talk = await project.pid("talk");
    await disk.fill();
    await project.file("in", "lost\n");
    const trouble = await project.whenEvent("log_error", "talk");
    assert.match(String(trouble["reason"]), /No space left/);

    await project.ok(["start", "later"]);
    await project.ok(["restart", "web"]);
    await project.ok(["stop", "later"]);
    const { warnings } = await project.status();
    assert(warnings.some((text) => /disk is full/.test(text)));
    const later = ["task_started", "task_exited", "task_stopped"];
    assert.deepEqual(await project.history("later"), later);

    const daemon = await taskmux.daemonPid();
    assert(daemon !== null);
    Deno.kill(daemon, "SIGKILL");
    await until(async () => !await isRunning(daemon));
    await taskmux.ok(["daemon", "start"]);
    assert.equal(await project.pid("talk"), talk);
    await project.ok(["stop", "web"]);

    await disk.empty();
    await until(async () => (await project.status()).warnings.length === 0);
    await project.file("in", "lost\nkept\n");
    await until(async () => (await project.log("talk")).includes("kept"));
    await taskmux.ok(["daemon", "restart"]);
    const web = await project.task("web");
    assert.equal(web.state, "stopped");
    assert.equal(web.manual, true, "what was asked for is known");
    assert.equal(await project.pid("talk"), talk);
    // Before its disk goes.
    await taskmux.ok(["daemon", "stop"]);
  },
});
