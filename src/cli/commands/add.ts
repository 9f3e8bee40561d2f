/**
 * `taskmux add`
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { editProject } from "../../config/edit_project.ts";
import { wholeNumber } from "../option_value.ts";
import { projectScope } from "../project.ts";
import { shellText } from "../../kit/shell_words.ts";
import { refuseSudo } from "../sudo.ts";

/** Adds a task to the file, or replaces it there. */
export const add = command({
  usage: "TASK COMMAND [--cwd DIR] [--host HOST] [--health-check COMMAND] " +
    "[--depends-on TASK]...",
  about: "Comments and layout of the rest of the file stay as they are. " +
    "A running project\nstarts the new task by itself; otherwise nothing is started.",
  options: {
    cwd: {
      type: "string",
      value: "DIR",
      summary: "Folder it runs in, relative to the file",
    },
    host: {
      type: "string",
      value: "HOST",
      summary: "Host name: a label, @ or *",
    },
    port: { type: "string", value: "PORT", summary: "Fixed port" },
    "health-check": {
      type: "string",
      value: "COMMAND",
      summary: "Shell command that succeeds while it is healthy",
    },
    "health-url": {
      type: "string",
      value: "URL",
      summary: "Address that answers 200 while it is healthy",
    },
    "depends-on": {
      type: "string",
      value: "TASK",
      multiple: true,
      summary: "Task that must be healthy first; may be repeated",
    },
    manual: {
      type: "boolean",
      summary: "Not part of a start of everything (auto_start = false)",
    },
  },
  positionals: { min: 1, max: Infinity },
  takesWords: true,
  examples: [
    ["taskmux add web 'npm run dev -- --port $PORT' --host web", "A server"],
    ["taskmux add api 'uv run api' --depends-on db", "With a dependency"],
    ["taskmux add seed --manual -- npm run seed", "Command as words"],
  ],
  async run(context, { values, positionals, words }) {
    refuseSudo(context.user, "add a task");
    const { config } = projectScope(context);
    const [task, ...before] = positionals;
    const command = shellText([...before, ...words ?? []]);
    if (task === undefined || command.trim() === "") {
      throw new TaskmuxError("E500", "Cannot add a task: it has no command", {
        hint: `Usage: taskmux add ${task ?? "TASK"} COMMAND`,
      });
    }
    const port = wholeNumber("port", values.port, { min: 1, max: 65_535 });
    const dependencies = [...values["depends-on"]];
    const fields = {
      command,
      ...values.cwd === null ? {} : { cwd: values.cwd },
      ...values.host === null ? {} : { host: values.host },
      ...port === null ? {} : { port },
      ...values["health-url"] === null
        ? {}
        : { health_url: values["health-url"] },
      ...values["health-check"] === null
        ? {}
        : { health_check: values["health-check"] },
      ...dependencies.length === 0 ? {} : { depends_on: dependencies },
      ...values.manual ? { auto_start: false } : {},
    };
    const { addTask } = await import("../../config/edit_toml.ts");
    const { before: old, after } = await editProject(
      { config, home: context.env()["HOME"] },
      (text) => addTask(text, task, fields),
    );
    const action = old.tasks.has(task) ? "replaced" : "added";
    const { readTaskAddress } = await import("../../offline/address.ts");
    const { url, warnings } = values.host === null
      ? { url: null, warnings: [] }
      : await readTaskAddress(context, config, task);
    const { refreshBlocks } = await import(
      "../../agents/refresh_blocks.ts"
    );
    const blocks = await refreshBlocks(context.paths.hostConfig, after);
    const { output } = context;
    const allWarnings = [...warnings, ...blocks.warnings];
    await output.answer(
      {
        ok: true,
        task,
        command,
        action,
        config,
        url,
        warnings: allWarnings,
        agent_files_rewritten: blocks.outcomes.map(({ path }) => path),
      },
      () => [
        `${
          action === "added" ? "Added" : "Replaced"
        } task "${task}": ${command}`,
        ...url === null ? [] : [`It will answer at ${url}`],
      ],
    );
    const { warningLines } = await import("../render/status.ts");
    await output.notes(warningLines(allWarnings, output.paintError));
    return EXIT.ok;
  },
});
