/**
 * `taskmux_list_projects`
 *
 * @module
 */

import { z } from "zod";
import type { Result } from "../../contract/mod.ts";
import { type Brief, defineTool } from "./tool.ts";

/** Most projects in one answer. */
const MAX_PROJECTS = 100;

/** See the module. */
export const listProjects = defineTool({
  name: "list_projects",
  operation: "project.list",
  description: "Every project (session) of this machine",
  reach: "all",
  input: {},
  output: { projects: z.record(z.string(), z.string()) },
  params: () => ({}),
  brief: listProjectsBrief,
});

/** About 20 tokens for each project. */
export function listProjectsBrief({ projects }: Result<"project.list">): Brief {
  const shown = projects.slice(0, MAX_PROJECTS);
  const rest = projects.length - shown.length;
  const words = shown.map((project) =>
    [project.session, projectWords(project)] as const
  );
  const lines = words.map(([session, text]) => `${session} ${text}`);
  return {
    structured: {
      projects: Object.fromEntries(words),
      ...rest === 0 ? {} : { omitted: rest },
    },
    text: projects.length === 0
      ? "No projects; run taskmux start in the folder of one"
      : [...lines, ...rest === 0 ? [] : [`and ${rest} more`]].join("\n"),
  };
}

/** Its tasks and its place. */
export function projectWords(
  project: Result<"project.list">["projects"][number],
): string {
  const { state, running_count: running, task_count: count } = project;
  const tasks = running === null || count === null
    ? ""
    : `${running}/${count} running `;
  const exposed = project.public_count === undefined
    ? ""
    : `${project.public_count} public `;
  const trouble = state === "ok" ? "" : `${state} `;
  return `${trouble}${tasks}${exposed}${project.config_path}`;
}
