/**
 * `taskmux config`: the settings of this machine.
 *
 * @module
 */

import {
  describeHostConfig,
  isSecretKey,
  loadHostConfig,
  maskSecret,
  parseHostConfig,
} from "../../config/host_config.ts";
import { setHostValue } from "../../config/set_host_value.ts";
import { readConfigText } from "../../config/config_file.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { writeFileAtomic } from "../../kit/atomic_file.ts";
import type { Json, JsonObject } from "../../kit/json.ts";
import { command } from "../command.ts";
import { existingFile } from "../project.ts";
import { warningLines } from "../render/status.ts";
import { tableLines } from "../render/table.ts";
import { refuseSudo } from "../sudo.ts";

/** Mode of the settings: they may hold a token. */
const CONFIG_MODE = 0o600;

/** Mode of the state folder. */
const HOME_MODE = 0o700;

/** Shows every setting. */
export const configShow = command({
  usage: "[--reveal]",
  options: {
    reveal: { type: "boolean", summary: "Show secrets in full" },
  },
  positionals: { min: 0, max: 0 },
  examples: [["taskmux config show", "Every setting, defaults included"]],
  async run({ paths, output }, { values }) {
    const path = paths.hostConfig;
    const exists = existingFile(path) !== null;
    const reading = await loadHostConfig(path);
    const config = describeHostConfig(reading.config, {
      reveal: values.reveal,
    });
    await output.answer({ ok: true, path, exists, config }, () => [
      `${path}${exists ? "" : " (does not exist; these are the defaults)"}`,
      ...tableLines(
        [{ title: "Key" }, { title: "Value", min: 12 }],
        flatten(config),
        { width: output.width, paint: output.paint, yielding: [1] },
      ),
    ]);
    await output.notes(warningLines(reading.warnings, output.paintError));
    return EXIT.ok;
  },
});

/** Changes one setting. */
export const configSet = command({
  usage: "KEY VALUE",
  about: "Changes one key and nothing else of the file. The daemon reads its " +
    "settings when it starts.",
  options: {},
  positionals: { min: 2, max: 2 },
  examples: [
    ["taskmux config set api_port 9000", "Another port for the API"],
    ["taskmux config set mcp.enabled false", "A key in a table"],
  ],
  async run({ paths, output, user }, { positionals }) {
    refuseSudo(user, "change the settings");
    const [key, written] = [positionals[0]!, positionals[1]!];
    const path = paths.hostConfig;
    const before = await readConfigText(path);
    const edit = setHostValue(before ?? "", key, written);
    // Whatever else is wrong with the file is the user's to know before it is written again.
    const { warnings } = parseHostConfig(edit.text, path);
    await Deno.mkdir(paths.home, { recursive: true, mode: HOME_MODE });
    await writeFileAtomic(path, edit.text, {
      ...(before === null || isSecretKey(key) ? { mode: CONFIG_MODE } : {}),
    });
    const value = isSecretKey(key) && typeof edit.value === "string"
      ? maskSecret(edit.value)
      : edit.value;
    await output.answer({ ok: true, key, value }, () => [
      `Set ${key} = ${valueText(value)}`,
      ...existingFile(paths.daemonInfo) === null ? [] : [
        "Next: taskmux daemon restart  # it has the old settings until then",
      ],
    ]);
    await output.notes(warningLines(warnings, output.paintError));
    return EXIT.ok;
  },
});

/** Tells where the settings are. */
export const configPath = command({
  usage: "",
  options: {},
  positionals: { min: 0, max: 0 },
  examples: [['$EDITOR "$(taskmux config path)"', "Edit the settings"]],
  async run({ paths, output }) {
    const path = paths.hostConfig;
    const exists = existingFile(path) !== null;
    await output.answer({ ok: true, path, exists }, () => [path]);
    return EXIT.ok;
  },
});

function flatten(config: JsonObject, prefix = ""): [string, string][] {
  return Object.entries(config).flatMap(([key, value]): [string, string][] =>
    isObject(value)
      ? flatten(value, `${prefix}${key}.`)
      : [[prefix + key, valueText(value)]]
  );
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueText(value: Json): string {
  return value === null
    ? "—"
    : typeof value === "string"
    ? value
    : JSON.stringify(value);
}
