/**
 * `taskmux init`
 *
 * @module
 */

import {
  type AgentProgram,
  agentPrograms,
} from "../../agents/agent_programs.ts";
import { isSetUp } from "../../agents/entry_clash.ts";
import { findClient, type Place } from "../../agents/mcp_clients.ts";
import type { ContextFile } from "../../agents/context_files.ts";
import { hasSkill } from "../../agents/skill.ts";
import { CONFIG_FILE_NAME } from "../../config/find_config.ts";
import { loadProject } from "../../config/project_config.ts";
import { RESERVED_PROJECT_ID } from "../../domain/worktree_id.ts";
import { projectName } from "../../config/project_name.ts";
import { starterText } from "../../config/starter.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import type { ProjectSpec } from "../../domain/task_spec.ts";
import { baseName, folderOf, resolvePath } from "../../kit/path.ts";
import {
  type BlocksWritten,
  isRefreshed,
  NOTHING,
  refreshBlocks,
  writeBlocks,
} from "../../agents/refresh_blocks.ts";
import { askFiles, existingFilesOr, outcomeLines } from "../agent_files.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { existingFile } from "../project.ts";
import { warningLines } from "../render/status.ts";
import { refuseSudo } from "../sudo.ts";

/** Which file for agents a project without any gets. */
const USUAL_FILES = ["AGENTS.md"];

/** Writes a starter file, and tells agents of it. */
export const init = command({
  usage: "[--name NAME] [--defaults] [--no-inject]",
  about:
    "Writes a commented taskmux.toml into this folder, and a short block for agents into CLAUDE.md,\n" +
    "AGENTS.md or GEMINI.md: those that exist, else AGENTS.md; on a terminal you choose. A\n" +
    "taskmux.toml that exists is left alone; blocks that are there are brought up to date.",
  options: {
    name: {
      type: "string",
      value: "NAME",
      summary: "Name of the project (default: that of the folder)",
    },
    defaults: { type: "boolean", summary: "Ask nothing" },
    "no-inject": { type: "boolean", summary: "Leave files for agents alone" },
  },
  positionals: { min: 0, max: 0 },
  examples: [
    ["taskmux init", "Name it after the folder, or ask"],
    ["taskmux init --name shop --json", "For programs"],
  ],
  async run(context, { values }) {
    refuseSudo(context.user, "write a taskmux.toml");
    const path = resolvePath(
      "/",
      context.config ?? `${context.folder}/${CONFIG_FILE_NAME}`,
    );
    const existing = existingFile(path);
    if (existing !== null) return await tellExisting(context, existing, values);
    const plan = await planNew(context, path, values);
    if (plan === null) {
      await context.output.lines(["Aborted"]);
      return EXIT.interrupted;
    }
    const { name, files } = plan;
    await writeNew(path, starterText(name));
    const written = await tryWriteBlocks(files, name);
    await report(context, {
      session: name,
      path,
      action: "created",
      isUntold: false,
      written,
      headline: `Created ${path} for project "${name}"`,
    });
    return EXIT.ok;
  },
});

/** What was asked for on the command line. */
interface Wishes {
  readonly name: string | null;
  readonly defaults: boolean;
  readonly "no-inject": boolean;
}

/** Whoever says it again wants what belongs to it in order; nobody wants new files. */
async function tellExisting(
  context: Context,
  path: string,
  values: Wishes,
): Promise<number> {
  const project = await projectIn(path, context.env()["HOME"]);
  const written = project === null || values["no-inject"]
    ? NOTHING
    : await refreshBlocks(context.paths.hostConfig, project);
  const isUntold = !values["no-inject"] && written.outcomes.length === 0;
  await report(context, {
    session: project?.name ?? null,
    path,
    action: "exists",
    isUntold,
    written,
    headline: `Config already exists: ${path}`,
  });
  return EXIT.ok;
}

/** What will be written; null when a person left a question. */
async function planNew(
  context: Context,
  path: string,
  values: Wishes,
): Promise<
  { readonly name: string; readonly files: readonly ContextFile[] } | null
> {
  const canAsk = context.output.canAsk && !values.defaults;
  const name = await chosenName(path, values.name, canAsk);
  if (name === null) return null;
  const files = values["no-inject"]
    ? []
    : await chosenFiles(context, folderOf(path), canAsk);
  return files === null ? null : { name, files };
}

async function chosenFiles(
  context: Context,
  root: string,
  canAsk: boolean,
): Promise<readonly ContextFile[] | null> {
  if (canAsk) return await askFiles(root, USUAL_FILES);
  return await isRefreshed(context.paths.hostConfig, { autoInjectAgents: null })
    ? await existingFilesOr(root, USUAL_FILES)
    : [];
}

/** The project is there by now: a file that cannot be written is no reason to fail. */
async function tryWriteBlocks(
  files: readonly ContextFile[],
  name: string,
): Promise<BlocksWritten> {
  try {
    return await writeBlocks(files, name, { append: true });
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    return { outcomes: [], warnings: [error.message] };
  }
}

/** What `init` did. */
interface Done {
  readonly session: string | null;
  readonly path: string;
  readonly action: "created" | "exists";
  /** Whether no file for agents has a block, though one may. */
  readonly isUntold: boolean;
  readonly written: BlocksWritten;
  readonly headline: string;
}

async function report(
  context: Context,
  { session, path, action, isUntold, written, headline }: Done,
): Promise<void> {
  const { output } = context;
  const { outcomes, warnings } = written;
  const next = await nextSteps(context, folderOf(path), { action, isUntold });
  await output.answer(
    {
      ok: true,
      session,
      config_path: path,
      action,
      agent_files: outcomes,
      next,
      warnings,
    },
    () => [
      headline,
      ...outcomeLines(outcomes),
      ...next.map(({ command, why }) => `Next: ${command}  # ${why}`),
    ],
  );
  await output.notes(warningLines(warnings, output.paintError));
}

/** A command line, and what for. */
interface Step {
  readonly command: string;
  readonly why: string;
}

async function nextSteps(
  context: Context,
  root: string,
  { action, isUntold }: Pick<Done, "action" | "isUntold">,
): Promise<readonly Step[]> {
  const env = context.env();
  const { HOME, PATH } = env;
  const [isTaught, agents] = await Promise.all([
    hasSkill(root, HOME),
    agentPrograms(PATH),
  ]);
  const names = agents.length === 0
    ? "your agents"
    : agents.map(({ program }) => program).join(", ");
  const place = { home: HOME ?? "", env, root };
  const unset = await clientsToSetUp(agents, place);
  return [
    ...action === "exists" ? [] : [{
      command: "taskmux add web 'npm run dev -- --port $PORT' --host web",
      why: "the first task",
    }],
    ...isUntold
      ? [{ command: "taskmux inject", why: "tells agents in this project" }]
      : [],
    ...isTaught
      ? []
      : [{ command: "taskmux inject --skill", why: `teaches ${names}` }],
    ...unset.length === 0 ? [] : [{
      command: `taskmux mcp install ${unset.join(" ")}`,
      why: "gives them tools for this project",
    }],
  ];
}

async function clientsToSetUp(
  agents: readonly AgentProgram[],
  place: Place,
): Promise<readonly string[]> {
  const names: string[] = [];
  for (const { client: name } of agents) {
    const client = findClient(name);
    if (client === undefined || await isSetUp(client, place)) continue;
    names.push(name);
  }
  return names;
}

/** Null when the file cannot be read: it exists all the same, and `check` says why. */
async function projectIn(
  path: string,
  home: string | undefined,
): Promise<ProjectSpec | null> {
  try {
    return await loadProject(path, { home });
  } catch (error) {
    if (error instanceof TaskmuxError) return null;
    throw error;
  }
}

/** Null when the person who was asked left the question. */
async function chosenName(
  path: string,
  wanted: string | null,
  canAsk: boolean,
): Promise<string | null> {
  if (wanted !== null) return requireLabel(wanted);
  const fallback = projectName(baseName(folderOf(path)));
  if (!canAsk) return fallback;
  const { askLine } = await import("../prompts.ts");
  const answer = await askLine("Project name", fallback);
  return answer === null ? null : projectName(answer);
}

function requireLabel(name: string): string {
  const slug = projectName(name);
  if (slug === name) return name;
  throw new TaskmuxError(
    "E104",
    `Cannot name a project "${name}": ${
      name === RESERVED_PROJECT_ID
        ? "that name is reserved for taskmux itself"
        : "it must be lower-case letters, digits and hyphens"
    }`,
    { hint: `taskmux init --name ${slug}` },
  );
}

/** Leaves nothing half-written. */
async function writeFileNew(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, { createNew: true, write: true });
  const bytes = new TextEncoder().encode(text);
  try {
    for (let sent = 0; sent < bytes.length;) {
      sent += await file.write(bytes.subarray(sent));
    }
  } catch (error) {
    await Deno.remove(path);
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  }
}

/** Never over a file that somebody else wrote meanwhile. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFileNew(path, text);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new TaskmuxError("E500", `Cannot write "${path}": it exists`, {
        hint: `ls -l ${path}`,
        cause: error,
      });
    }
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied
    ) {
      throw new TaskmuxError(
        "E500",
        `Cannot write "${path}": its folder is missing or not writable`,
        { hint: "taskmux -C DIR init", cause: error },
      );
    }
    throw error;
  }
}
