/**
 * On what was measured.
 *
 * @module
 */

import { REPOSITORY } from "../../tests/support/deno_flags.ts";

/** The machine and the state of the repository, as name and value. */
export async function describeMachine(): Promise<[string, string][]> {
  const info = await output("cat", ["/proc/cpuinfo"]);
  const model = /^model name\s*: (.*)$/m.exec(info)?.[1] ?? Deno.build.arch;
  const cores = [...info.matchAll(/^processor\s*:/gm)].length;
  const { total } = Deno.systemMemoryInfo();
  const commit = await output("git", ["rev-parse", "--short", "HEAD"]);
  const changes = await output("git", ["status", "--porcelain", "src"]);
  return [
    ["processor", `${model}, ${cores} cores`],
    ["memory", `${Math.round(total / 2 ** 30)} GiB`],
    ["system", `${Deno.build.os} ${Deno.osRelease()}`],
    ["Deno", Deno.version.deno],
    [
      "commit",
      commit.trim() + (changes === "" ? "" : " and changes not committed"),
    ],
  ];
}

/** Load averages of 1, 5 and 15 minutes. */
export function loadText(): string {
  return Deno.loadavg().map((load) => load.toFixed(2)).join(" ");
}

async function output(program: string, args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, {
    args,
    cwd: REPOSITORY,
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}
