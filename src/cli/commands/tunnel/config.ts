/**
 * `taskmux tunnel config`, `tunnel config-set`
 *
 * @module
 */

import {
  writeHostTunnels,
  writeProjectTunnels,
} from "../../../config/edit_tunnel_settings.ts";
import { TaskmuxError } from "../../../domain/error.ts";
import { EXIT } from "../../../domain/error_codes.ts";
import { command } from "../../command.ts";
import { oneOf } from "../../option_value.ts";
import { projectScope } from "../../project.ts";
import { configLines } from "../../render/tunnel_setup.ts";
import { warningLines } from "../../render/warnings.ts";
import { refuseSudo } from "../../sudo.ts";

/** Shows the settings of public names. */
export const tunnelConfig = command({
  usage: "[--reveal]",
  about: "What counts for this project, and where it stands. Needs no daemon.",
  options: {
    reveal: {
      type: "boolean",
      summary: "Show the token of this machine's settings in full",
    },
  },
  positionals: { min: 0, max: 0 },
  examples: [["taskmux tunnel config", "Every setting and its source"]],
  async run(context, { values }) {
    const { config } = projectScope(context);
    const { readTunnelConfig } = await import(
      "../../../offline/tunnel_config.ts"
    );
    const reveal = values.reveal || context.manner.reveal === true;
    const result = await readTunnelConfig(context, config, { reveal });
    const { output } = context;
    await output.answer(result, () => configLines(result, output));
    await output.notes(warningLines(result.warnings, output.paintError));
    return EXIT.ok;
  },
});

/** Changes settings of public names. */
export const tunnelConfigSet = command({
  usage: "[--scope global|project] KEY=VALUE...",
  about:
    "All of them or none. global is ~/.taskmux/config.toml: account_id, zone_id, tunnel_name,\n" +
    "api_token, api_token_env. project is taskmux.toml: zone_id, tunnel_name; never a token.",
  options: {
    scope: {
      type: "string",
      value: "SCOPE",
      summary: "global (default) or project",
    },
  },
  positionals: { min: 1, max: Infinity },
  examples: [
    [
      "taskmux tunnel config-set account_id=abc zone_id=def",
      "For every project",
    ],
    ["taskmux tunnel config-set --scope project zone_id=ghi", "For this one"],
  ],
  async run(context, { values, positionals }) {
    refuseSudo(context.user, "change the settings");
    const { output, paths } = context;
    const where = oneOf("scope", values.scope, ["global", "project"]) ??
      "global";
    const pairs = pairsOf(positionals);
    const { path, updated, warnings } = where === "global"
      ? await writeHostTunnels(paths.hostConfig, pairs)
      : await writeProjectTunnels({
        ...projectScope(context),
        home: context.env()["HOME"],
      }, pairs);
    const answer = { ok: true, scope: where, config_path: path, updated };
    await output.answer({ ...answer, warnings }, () => [
      ...Object.entries(updated).map(([key, value]) => `Set ${key} = ${value}`),
      `in ${path}`,
    ]);
    await output.notes(warningLines(warnings, output.paintError));
    return EXIT.ok;
  },
});

/** Words are not repeated in errors: they may hold a token. */
function pairsOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.map((word, index) => {
    const at = word.indexOf("=");
    const [key, value] = [word.slice(0, at).trim(), word.slice(at + 1).trim()];
    if (at > 0 && key !== "" && value !== "") return [key, value];
    throw new TaskmuxError(
      "E500",
      `Cannot set anything: argument ${index + 1} is not KEY=VALUE`,
      {
        hint: "taskmux tunnel config-set zone_id=abc",
        details: { field: "values", position: index + 1 },
      },
    );
  }));
}
