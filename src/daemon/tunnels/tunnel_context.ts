/**
 * The world as a provider sees it, for one project and one caller.
 *
 * @module
 */

import type { TunnelBackend } from "../../domain/tunnel.ts";
import { runCommand } from "../../kit/run_command.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { TunnelContext } from "../../tunnels/tunnel_provider.ts";
import type { TunnelNotes } from "./tunnel_notes.ts";
import type { SettingOverrides, TunnelWorld } from "./tunnel_world.ts";

/** Longest time for a program that looks at something. */
const PROGRAM_MS = 15_000;
const KILL_GRACE_MS = 1_000;

/** Output of such a program that is kept. */
const OUTPUT_BYTES = 1024 * 1024;

/** For whom. */
export interface ContextParts {
  readonly project: ProjectSupervisor;
  readonly world: TunnelWorld;
  readonly notes: TunnelNotes;
  readonly backend: TunnelBackend;
  /** Name of the caller's environment. */
  readonly environment: string | null;
  readonly overrides?: SettingOverrides;
}

/** Puts it together; the settings are those in the files now. */
export async function tunnelContext(
  { project, world, notes, backend, environment, overrides }: ContextParts,
): Promise<TunnelContext> {
  const { projectId, host, spec } = project;
  const { env } = await host.environments.recall(environment);
  return {
    projectId,
    env,
    cloudflare: await world.settings(project, env, overrides),
    memory: {
      load: () => notes.memoryOf(backend),
      save: (facts) => notes.setMemory(backend, facts),
    },
    folder: world.folder(projectId),
    run: (argv, signal) =>
      runCommand({
        argv,
        cwd: spec.root,
        env,
        timeoutMs: PROGRAM_MS,
        killGraceMs: KILL_GRACE_MS,
        outputLimitBytes: OUTPUT_BYTES,
        stderr: "merge",
        leftovers: "kill",
        clock: host.clock,
        signal,
      }),
    noteSecret: (secret) => host.secrets.note(projectId, { TOKEN: secret }),
    clock: host.clock,
  };
}
