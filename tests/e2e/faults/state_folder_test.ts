/**
 * State folders that cannot be used.
 *
 * @module
 */

import assert from "node:assert/strict";
import { testTaskmux } from "../../support/taskmux.ts";

const WEB = 'name = "web"\n[tasks.web]\ncommand = "exec sleep 1000"\n';

Deno.test("a state folder that is a file is named, whatever is asked", async () => {
  await using taskmux = await testTaskmux({ hostConfig: null });
  const project = await taskmux.project(WEB);
  const { home } = taskmux.home;
  await Deno.writeTextFile(home, "");
  for (const args of [["status"], ["start"], ["daemon", "stop"]]) {
    const { error } = await project.fails("E500", args);
    assert.match(error, /leads through a file/);
  }
  await Deno.remove(home);
});

// Root narrowed the folder's mode and moved in; its owner could have put a socket of his own in the place of ours.
Deno.test({
  name: "a state folder of another user is refused",
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0,
  fn: async () => {
    await using taskmux = await testTaskmux({ hostConfig: null });
    const project = await taskmux.project(WEB);
    const { home } = taskmux.home;
    await Deno.mkdir(home, { mode: 0o700 });
    await Deno.chown(home, 65534, 65534);
    const { error } = await project.fails("E600", ["start"]);
    assert.match(error, /belongs to another user/);
    assert.deepEqual([...Deno.readDirSync(home)], []);
  },
});
