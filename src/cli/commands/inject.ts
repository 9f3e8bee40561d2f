/**
 * `taskmux inject`
 *
 * @module
 */

import { CONTEXT_FILES, contextBlock } from "../../agents/context_block.ts";
import {
  type ContextFile,
  contextFiles,
  type ContextReport,
  removeContext,
} from "../../agents/context_files.ts";
import { loadProject } from "../../config/project_config.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import type { ProjectSpec } from "../../domain/task_spec.ts";
import { folderOf, resolvePath } from "../../kit/path.ts";
import { writeBlocks } from "../../agents/refresh_blocks.ts";
import { askFiles, existingFilesOr, outcomeLines } from "../agent_files.ts";
import { command } from "../command.ts";
import type { Context } from "../context.ts";
import { projectScope } from "../project.ts";
import { warningLines } from "../render/status.ts";
import { refuseSudo } from "../sudo.ts";

/** Which files a project without any gets. */
const USUAL_FILES = ["CLAUDE.md", "AGENTS.md"];

/** Writes or removes the block that tells agents of taskmux. */
export const inject = command({
  usage:
    "[CLAUDE.md|AGENTS.md|GEMINI.md|all]... [--skill] [--print] [--remove]",
  about:
    "Writes a short block into the files that agents read at the root of the project, or brings it\n" +
    "up to date. Whatever stands outside of its markers stays. It names no task and no address, so\n" +
    "that it is never out of date. Without a file: asks on a terminal, else those that exist.",
  options: {
    skill: {
      type: "boolean",
      summary: "Instead the skill, into your ~/.claude and ~/.agents",
    },
    print: { type: "boolean", summary: "Print it, write nothing" },
    remove: { type: "boolean", summary: "Take it out again" },
  },
  positionals: { min: 0, max: Infinity },
  examples: [
    ["taskmux inject", "Into the files that exist, or ask"],
    ["taskmux inject AGENTS.md", "Into this one, created if need be"],
    ["taskmux inject all --remove", "Out of all of them"],
    ["taskmux inject --skill", "Teach your agents, once per machine"],
  ],
  async run(context, { values, positionals }) {
    refuseSudo(context.user, "write files for agents");
    const { output } = context;
    if (values.skill) {
      refuseFiles(positionals);
      const { injectSkill } = await import("../inject_skill.ts");
      return await injectSkill(context, values);
    }
    const names = wantedNames(positionals);
    const config = resolvePath("/", projectScope(context).config);
    const root = folderOf(config);
    if (values.remove) return await remove(context, root, names);
    const project = await loadProject(config, { home: context.env()["HOME"] });
    if (values.print) {
      const lines = contextBlock(project.name);
      const block = `${lines.join("\n")}\n`;
      await output.answer({ ok: true, block }, () => lines);
      return EXIT.ok;
    }
    const files = await chosenFiles(context, project, names);
    if (files === null || files.length === 0) {
      await output.lines([files === null ? "Aborted" : "No file chosen"]);
      return files === null ? EXIT.interrupted : EXIT.failure;
    }
    const { name } = project;
    const written = await writeBlocks(files, name, { append: true });
    const { outcomes, warnings } = written;
    await output.answer(
      { ok: true, session: name, wrote: outcomes, warnings },
      () => outcomeLines(outcomes),
    );
    await output.notes(warningLines(warnings, output.paintError));
    return EXIT.ok;
  },
});

/** Null = the person left the question. */
async function chosenFiles(
  { output }: Context,
  { root }: ProjectSpec,
  names: readonly string[] | null,
): Promise<readonly ContextFile[] | null> {
  if (names !== null) return await contextFiles(root, names);
  return output.canAsk
    ? await askFiles(root, USUAL_FILES)
    : await existingFilesOr(root, USUAL_FILES);
}

/** The file of the project need not be right for this. */
async function remove(
  { output }: Context,
  root: string,
  names: readonly string[] | null,
): Promise<number> {
  const reports: ContextReport[] = [];
  for (const file of await contextFiles(root, names ?? CONTEXT_FILES)) {
    if (file.exists) reports.push(await removeContext(file));
  }
  const removed = reports.map(({ outcome }) => outcome)
    .filter(({ action }) => action !== "unchanged");
  const warnings = reports.flatMap((report) => report.warnings);
  await output.answer(
    { ok: true, removed, warnings },
    () => removed.length === 0 ? ["There is no block"] : outcomeLines(removed),
  );
  await output.notes(warningLines(warnings, output.paintError));
  return EXIT.ok;
}

function refuseFiles([word]: readonly string[]): void {
  if (word === undefined) return;
  throw new TaskmuxError(
    "E500",
    `Cannot write the skill into "${word}": it has places of its own`,
    { hint: "taskmux inject --skill" },
  );
}

/** In the order of {@linkcode CONTEXT_FILES}; null = none was named. */
function wantedNames(words: readonly string[]): readonly string[] | null {
  if (words.length === 0) return null;
  const wanted = new Set(words.flatMap(namesOf));
  return CONTEXT_FILES.filter((name) => wanted.has(name));
}

function namesOf(word: string): readonly string[] {
  if (word === "all") return CONTEXT_FILES;
  const name = CONTEXT_FILES.find((file) =>
    [file, file.replace(/\.md$/, "")].some((known) =>
      known.toLowerCase() === word.toLowerCase()
    )
  );
  if (name !== undefined) return [name];
  throw new TaskmuxError(
    "E500",
    `Cannot write into "${word}": it must be ${
      CONTEXT_FILES.join(", ")
    } or all`,
    { hint: "taskmux inject all", details: { known: [...CONTEXT_FILES] } },
  );
}
