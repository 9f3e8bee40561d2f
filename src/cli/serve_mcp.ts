/**
 * MCP on standard input and output: whom it is about, and where its answers come from.
 *
 * @module
 */

import { loadHostConfig } from "../config/host_config.ts";
import { TaskmuxError } from "../domain/error.ts";
import { unknownSession } from "../domain/unknown_session.ts";
import { openRegistry } from "../offline/registry.ts";
import { openProjectFiles } from "../offline/project_files.ts";
import type { Context } from "./context.ts";
import { DaemonBridge, type HomeProject } from "./daemon_bridge.ts";
import { projectScope } from "./project.ts";

/** For whoever types the command. */
const FOR_PEOPLE =
  "(an agent is to start this, see taskmux mcp install; Ctrl-D ends it)";

/** What the command line says. */
export interface ServeMcpOptions {
  /** A project id; null = that of the folder. */
  readonly session: string | null;
  readonly isUnscoped: boolean;
  readonly isReadOnly: boolean;
}

/**
 * Serves until the client is gone. Standard output belongs to the protocol from here on.
 *
 * @throws {TaskmuxError} E100 outside of a project, E303 for one that is not known, E500 if both a project and all are
 * asked for; what is wrong with the project's file or the host's, if its id cannot be told without.
 */
export async function serveMcp(
  context: Context,
  options: ServeMcpOptions,
): Promise<void> {
  const { output, paths } = context;
  const home = await homeOf(context, options);
  const { config: { mcp }, warnings } = await loadHostConfig(paths.hostConfig);
  await output.notes(warnings);
  if (Deno.stdin.isTerminal()) await output.notes([FOR_PEOPLE]);
  const [{ serveStdio }, { contract }] = await Promise.all([
    import("../mcp/serve_stdio.ts"),
    import("../contract/mod.ts"),
  ]);
  await using bridge = new DaemonBridge(context, { contract, home });
  await serveStdio({
    input: Deno.stdin,
    output: Deno.stdout,
    dispatcher: bridge,
    access: {
      pin: home?.session ?? null,
      isReadOnly: options.isReadOnly,
    },
    caller: context.manner.caller ?? `mcp-${crypto.randomUUID()}`,
    config: mcp,
    log: (level, message) => {
      if (level !== "info") console.error(`taskmux mcp: ${message}`);
    },
  });
}

/** The one project that it is about; null = any. Never any by mistake. */
async function homeOf(
  context: Context,
  { session, isUnscoped }: ServeMcpOptions,
): Promise<HomeProject | null> {
  if (session !== null && isUnscoped) {
    throw new TaskmuxError(
      "E500",
      "Cannot use --session and --unscoped together: one is a project, the other all",
      { hint: `taskmux mcp serve --session ${session}` },
    );
  }
  if (isUnscoped) return null;
  if (session !== null) return await registeredProject(context, session);
  try {
    return await folderProject(context, projectScope(context).config);
  } catch (error) {
    if (!(error instanceof TaskmuxError) || error.code !== "E100") throw error;
    throw new TaskmuxError(
      "E100",
      `Cannot serve a project: ${error.message.replace(/^Cannot /, "cannot ")}`,
      { hint: "taskmux mcp serve --session PROJECT, or --unscoped for all" },
    );
  }
}

async function registeredProject(
  { paths }: Context,
  session: string,
): Promise<HomeProject> {
  const entries = await openRegistry(paths, []).list();
  const entry = entries.find(({ id }) => id === session);
  if (entry !== undefined) return { session, config: entry.configPath };
  throw unknownSession(session, entries.map(({ id }) => id));
}

async function folderProject(
  context: Context,
  path: string,
): Promise<HomeProject> {
  const config = await Deno.realPath(path);
  const known = await openRegistry(context.paths, []).findByConfig(config);
  // A file that is broken for the moment is for the agent to mend.
  if (known !== null) return { session: known.id, config };
  using project = await openProjectFiles(context, config, { tolerant: true });
  return { session: project.identity.projectId, config };
}
