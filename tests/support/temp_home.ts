/**
 * A state folder for one test. Nothing a test starts may touch the user's own.
 *
 * @module
 */

import { AGENT_VARIABLES } from "../../src/cli/agent_caller.ts";
import { type Paths, resolvePaths } from "../../src/config/paths.ts";
import { testDenoDirectory } from "./deno_flags.ts";

/** A temporary `TASKMUX_HOME`, removed on disposal. */
export interface TempHome extends AsyncDisposable {
  /** The folder itself: absolute, without symlinks, short enough for sockets inside it. Holds state folder and `work/`. */
  readonly root: string;
  /** The value of TASKMUX_HOME. Does not exist yet, as on a cold machine. */
  readonly home: string;
  /** An empty folder for projects. */
  readonly work: string;
  readonly paths: Paths;
  /** The test's environment, with TASKMUX_HOME and HOME inside `root` and Deno's cache where it was. For `clearEnv`. */
  readonly env: Readonly<Record<string, string>>;
  /** Words before each command line of the CLI, such as a program that changes the user. */
  readonly launcher?: readonly string[];
}

/**
 * Makes one. Whoever starts a daemon in it ends that daemon before the disposal: a folder does not stop a process.
 *
 * @param env More variables of the environment.
 * @param folder Name of the state folder. A user's is `.taskmux` by default, and then it may change the machine.
 */
export async function tempHome(
  env: Readonly<Record<string, string>> = {},
  folder = "home",
): Promise<TempHome> {
  const root = await Deno.realPath(
    await Deno.makeTempDir({ dir: "/tmp", prefix: "tmx-" }),
  );
  const home = `${root}/${folder}`;
  const work = `${root}/work`;
  await Deno.mkdir(work);
  return {
    root,
    home,
    work,
    paths: resolvePaths({ TASKMUX_HOME: home }),
    env: {
      ...outerEnvironment(),
      HOME: root,
      TASKMUX_HOME: home,
      ...env,
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** The environment of the tests without what would lead outside, differ between machines, or tell of an agent that tests. */
function outerEnvironment(): Record<string, string> {
  const { XDG_RUNTIME_DIR: _runtime, XDG_CONFIG_HOME: _config, ...env } = Deno
    .env.toObject();
  return {
    ...Object.fromEntries(
      Object.entries(env).filter(([name]) =>
        !name.startsWith("TASKMUX_") && !AGENT_VARIABLES.includes(name)
      ),
    ),
    NO_COLOR: "1",
    DENO_DIR: testDenoDirectory(),
  };
}
