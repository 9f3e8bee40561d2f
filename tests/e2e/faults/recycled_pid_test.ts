/**
 * The kernel gives the number of a dead process to another one. Forced in a process namespace, where the next number can
 * be chosen: on the machine itself it would take hours.
 *
 * @module
 */

import assert from "node:assert/strict";
import { PROGRAMS } from "../../support/keeper.ts";
import { REPOSITORY } from "../../support/deno_flags.ts";
import { canRun } from "../../support/optional_tool.ts";

/** In a namespace process 1 must reap orphans, which a shell that waits does. */
const FIRST = `"$@" & wait "$!"; exit "$?"`;

const NAMESPACE = [
  ...Deno.uid() === 0 ? [] : ["--user", "--map-root-user"],
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
];

const CAN_CHOOSE = Deno.build.os === "linux" &&
  canRun("recycled process numbers", [
    "unshare",
    ...NAMESPACE,
    "sh",
    "-c",
    "echo 1000 > /proc/sys/kernel/ns_last_pid",
  ]);

Deno.test({
  name:
    "whoever gets the number of a dead leader, keeper or daemon is left alone",
  ignore: !CAN_CHOOSE,
  fn: async () => {
    const { code, stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        ...NAMESPACE,
        "bash",
        "-c",
        FIRST,
        "first",
        "deno",
        "run",
        "--quiet",
        "-A",
        `${PROGRAMS}/recycle_pids.ts`,
      ],
      cwd: REPOSITORY,
      stdin: "null",
    }).output();
    const said = [stdout, stderr].map((bytes) =>
      new TextDecoder().decode(bytes)
    );
    assert.equal(code, 0, said.join(""));
  },
});
