import assert from "node:assert/strict";
import { AGENT_VARIABLES } from "../../src/cli/agent_caller.ts";
import { cliCommand, REPOSITORY } from "../support/deno_flags.ts";
import { tempHome } from "../support/temp_home.ts";

/** One access, as Deno writes it to DENO_AUDIT_PERMISSIONS. */
interface Access {
  readonly permission: string;
  readonly value: string | null;
}

/** Variables a read-only command may look at. */
const VARIABLES: readonly string[] = [
  ...AGENT_VARIABLES,
  "HOME",
  "NO_COLOR",
  "SUDO_UID",
  "TASKMUX_CALLER",
  "TASKMUX_HOME",
  "TERM",
  "XDG_RUNTIME_DIR",
];

Deno.test("status reaches for its project, its state and one socket", async () => {
  await using home = await tempHome();
  const audit = `${home.root}/audit.jsonl`;
  await Deno.writeTextFile(
    `${home.work}/taskmux.toml`,
    'name = "audit"\n[tasks]\nweb = "sleep 60"\n',
  );
  const { program, args } = cliCommand(home.paths, ["status", "--json"]);
  const output = await new Deno.Command(program, {
    args,
    cwd: home.work,
    env: { ...home.env, DENO_AUDIT_PERMISSIONS: audit },
    clearEnv: true,
  }).output();
  assert.ok(output.success, new TextDecoder().decode(output.stdout));

  const beyond = (await accesses(audit)).filter(({ permission, value }) => {
    switch (permission) {
      case "env":
        // Null is the whole environment: git gets the caller's.
        return value !== null && !VARIABLES.includes(value);
      case "read":
        // Its own code, as far as it is needed.
        if (value?.startsWith(`file://${REPOSITORY}/src/`)) return false;
        /* falls through */
      case "write":
        return value === null || !value.startsWith(`${home.root}/`) &&
            !above(home.root).includes(value);
      case "net":
        return value !== `unix:${home.paths.daemonSocket}`;
      default:
        return true;
    }
  });
  assert.deepEqual(beyond, []);
});

/** Where a repository that holds the folder would be. */
function above(folder: string): string[] {
  const parts = folder.split("/");
  return parts.map((_, depth) => `${parts.slice(0, depth).join("/")}/.git`)
    .flatMap((path) => [path, `/${path}`]);
}

async function accesses(file: string): Promise<Access[]> {
  const lines = (await Deno.readTextFile(file)).trim().split("\n");
  return lines.filter(Boolean).map((line) => {
    const { permission, value } = JSON.parse(line);
    return { permission, value };
  });
}
