/**
 * State folders, projects and log files that cannot be written, for whatever reason: clear errors, no torn file, and
 * tasks that run on.
 *
 * @module
 */

import assert from "node:assert/strict";
import { CAN_MOUNT, diskTest, SmallDisk } from "../../support/small_disk.ts";
import { testTaskmux } from "../../support/taskmux.ts";
import { until } from "../../support/until.ts";

const WEB = `
[tasks.web]
command = "exec sleep 1000"
`;

diskTest(
  "on a full disk neither a new daemon nor a new project is half there, and both come with the space",
  { megabytes: 3 },
  async (taskmux, disk) => {
    const project = await taskmux.project(`name = "cold"\n${WEB}`);
    await disk.fill();
    const cold = await project.fails("E600", ["start"]);
    assert.match(cold.error, /No space left|disk is full/);
    await disk.empty();
    await project.ok(["start"]);
    const { registry } = taskmux.home.paths;
    const before = await Deno.readTextFile(registry);
    await disk.fill();
    const other = await taskmux.project(`name = "other"\n${WEB}`, "other");
    const refused = await other.fails("E900", ["start"]);
    assert.equal(
      refused.error,
      `Cannot write "${registry}": no space left on device`,
    );
    assert.match(refused.hint ?? "", /Free space/);
    assert.equal(await Deno.readTextFile(registry), before);
    await disk.empty();
    await other.ok(["start"]);
    assert.deepEqual(
      Object.keys(JSON.parse(await Deno.readTextFile(registry)).projects),
      ["cold", "other"],
    );
  },
);

diskTest(
  "a disk that has no name left costs a new task its log, and no task more",
  { megabytes: 16, inodes: 40 },
  async (taskmux, disk) => {
    const project = await taskmux.project(`name = "names"\n${WEB}
[tasks.later]
command = "echo hello; exec sleep 1000"
auto_start = false
`);
    await project.ok(["start"]);
    await disk.fillNames();
    await project.ok(["start", "later"]);
    const { warnings } = await project.status();
    assert.match(
      warnings.join(),
      /^log of names\/later: cannot write \S+later\.log: No space .*df -i/,
    );
    await project.ok(["restart", "web"]);
    await project.ok(["stop", "web"]);
    await disk.empty();
    await until(async () => (await project.status()).warnings.length === 0);
    const [began, ended, ...more] = await project.events("later", "log_error");
    assert.match(String(began?.["reason"]), /No space left/);
    assert.equal(ended?.["reason"], null);
    assert.deepEqual(more, []);
    const [mark = ""] = await project.log("later");
    assert.match(mark, /^\[taskmux\] \d+ bytes of output were dropped: No sp/);
  },
);

diskTest(
  "commands that edit a file on a full disk leave it as it is",
  { megabytes: 2 },
  async (taskmux, disk) => {
    const folder = `${disk.folder}/project`;
    const file = `${folder}/taskmux.toml`;
    await Deno.mkdir(folder);
    const text = `name = "edited"\n${WEB}`;
    await Deno.writeTextFile(file, text);
    const empty = `${disk.folder}/empty`;
    await Deno.mkdir(empty);
    await disk.fill();
    const edits = [["add", "x", "echo x"], ["remove", "web"]];
    for (const args of edits) {
      const refused = await taskmux.fails("E900", args, { cwd: folder });
      assert.equal(
        refused.error,
        `Cannot write "${file}": no space left on device`,
      );
    }
    assert.equal(await Deno.readTextFile(file), text);
    const config = taskmux.home.paths.hostConfig;
    const set = ["config", "set", "api_port", "7000"];
    const refused = await taskmux.fails("E900", set);
    assert.match(refused.error, /config\.toml": no space left/);
    assert.equal(await Deno.readTextFile(config), "api_port = 0\n");
    await taskmux.fails("E900", ["init"], { cwd: empty });
    assert.deepEqual([...Deno.readDirSync(empty)], []);
    await disk.empty();
    for (const args of edits) await taskmux.ok(args, { cwd: folder });
    await taskmux.ok(["init"], { cwd: empty });
  },
);

diskTest(
  "in a read-only state folder everything can be read, and what acts says why it cannot",
  { megabytes: 8 },
  async (taskmux, disk) => {
    const project = await taskmux.project(`name = "frozen"\n${WEB}`);
    await project.ok(["start"]);
    await taskmux.ok(["daemon", "stop"]);
    await disk.makeReadOnly();
    const refused = await project.fails("E600", ["start"]);
    assert.match(refused.error, /home.*Read-only file system/);
    const set = ["config", "set", "api_port", "7000"];
    const { hint } = await taskmux.fails("E900", set);
    assert.equal(hint, "Make it writable again");
    await project.ok(["status"]);
    await project.ok(["logs", "web"]);
    await taskmux.ok(["daemon", "status"]);
    const { events } = await project.ok<{ events: unknown[] }>(["events"]);
    assert.notEqual(events.length, 0);
    await disk.makeWritable();
    await project.ok(["start"]);
  },
);

Deno.test({
  name:
    "a log_file that cannot be written costs its task the log and nothing else, and is named",
  ignore: !CAN_MOUNT,
  fn: async () => {
    await using taskmux = await testTaskmux();
    const { work } = taskmux.home;
    const folder = `${work}/project`;
    await Deno.mkdir(`${folder}/folder`, { recursive: true });
    await Deno.writeTextFile(`${folder}/file`, "");
    await using disk = await SmallDisk.at(`${work}/disk`, { megabytes: 1 });
    await using frozen = await SmallDisk.at(`${work}/ro`, { megabytes: 1 });
    await disk.fill();
    await frozen.makeReadOnly();
    const reasons = {
      folder: ["folder", /not a regular file/],
      parent: ["file/x.log", /Not a directory|File exists/],
      device: ["/dev/full", /a device/],
      missing: ["/proc/nope/x.log", /a device|No such file/],
      full: [`${work}/disk/x.log`, /No space left/],
      frozen: [`${work}/ro/x.log`, /Read-only/],
    } as const;
    const names = Object.keys(reasons);
    const project = await taskmux.project(
      `name = "logs"\n` + Object.entries(reasons).map(([name, [file]]) => `
[tasks.${name}]
command = "echo hello; exec sleep 1000"
log_file = "${file}"
`).join(""),
    );
    await project.ok(["start"]);
    for (const [name, [, reason]] of Object.entries(reasons)) {
      const event = await project.whenEvent("log_error", name);
      assert.match(String(event["reason"]), reason, name);
      assert.equal((await project.task(name)).running, true, name);
      assert.deepEqual(await project.log(name), [], name);
    }
    const { warnings } = await project.status();
    for (const name of names) {
      const told = warnings.filter((text) =>
        text.startsWith(`log of logs/${name}: cannot write /`)
      );
      assert.equal(told.length, 1, `${name}: ${warnings}`);
    }
    await project.ok(["logs"]);
    await disk.empty();
    await frozen.makeWritable();
    for (const name of ["full", "frozen"]) {
      await until(async () => (await project.log(name)).length > 0);
      assert.match(String(await project.log(name)), /\d+ bytes of output were/);
    }
    await project.ok(["stop"]);
    assert.deepEqual((await project.status()).warnings, []);
  },
});
