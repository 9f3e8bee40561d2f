/**
 * Changes of the settings of public names: in the host's file, and in a project's.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { FileChanged, writeFileAtomic } from "../kit/atomic_file.ts";
import { closest } from "../kit/did_you_mean.ts";
import { folderOf } from "../kit/path.ts";
import { readConfigText } from "./config_file.ts";
import { type Edit, type EditedFile, editProject } from "./edit_project.ts";
import { removeValue, setValue } from "./edit_toml.ts";
import { isSecretKey, maskSecret, parseHostConfig } from "./host_config.ts";
import { setHostValue } from "./set_host_value.ts";
import { parseText } from "./toml_document.ts";

/** Mode of the host's settings: they may hold a token. */
const HOST_MODE = 0o600;

/** Mode of the state folder. */
const HOME_MODE = 0o700;

/** How often a change is made again because somebody saved the file meanwhile. */
const ATTEMPTS = 5;

const TABLE = "tunnel.cloudflare.";

/** Keys that a project may have for itself. */
const PROJECT_KEYS = ["zone_id", "tunnel_name"];

/** Keys that must not stand in a project's file, which is shared. */
const CREDENTIALS = ["api_token", "api_token_env"];

/** Key below `tunnel.cloudflare` → value. */
export type TunnelValues = Readonly<Record<string, string>>;

/** What was changed. */
export interface TunnelSettingsWritten {
  readonly path: string;
  /** Key → value as it was understood; that of a secret is masked. */
  readonly updated: Readonly<Record<string, string>>;
  /** What else is odd about the file. */
  readonly warnings: readonly string[];
}

/**
 * What a change would make of the text of the host's settings. Writes nothing.
 *
 * @param values Keys with or without `tunnel.cloudflare.` before them.
 * @throws {TaskmuxError} E104 for an unknown key or a value that does not suit it, E101 if the text is not TOML.
 */
export function editHostTunnels(
  text: string,
  values: TunnelValues,
): { readonly text: string; readonly updated: Record<string, string> } {
  const updated: Record<string, string> = {};
  let edited = text;
  for (const [written, value] of Object.entries(values)) {
    const key = plainKey(written);
    const edit = setHostValue(edited, TABLE + key, value);
    edited = edit.text;
    const known = String(edit.value);
    updated[key] = isSecretKey(TABLE + key) ? maskSecret(known) : known;
  }
  return { text: edited, updated };
}

/**
 * Changes the host's settings: all values or none. A file that gets a token is its owner's only from before the token is
 * in it. Nothing that an editor saves meanwhile is lost.
 *
 * @param path Absolute; the folder is made.
 * @throws {TaskmuxError} As {@linkcode editHostTunnels}; E104 if the file would be wrong; E900 if something keeps writing it.
 */
export async function writeHostTunnels(
  path: string,
  values: TunnelValues,
): Promise<TunnelSettingsWritten> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await readConfigText(path);
    const { text, updated } = editHostTunnels(before ?? "", values);
    const { warnings } = parseHostConfig(text, path);
    const isSecret = Object.keys(updated).some((key) =>
      isSecretKey(TABLE + key)
    );
    await Deno.mkdir(folderOf(path), { recursive: true, mode: HOME_MODE });
    try {
      await writeFileAtomic(path, text, {
        ...before === null || isSecret ? { mode: HOST_MODE } : {},
        expected: before === null ? null : new TextEncoder().encode(before),
      });
      return { path, updated, warnings };
    } catch (error) {
      if (!(error instanceof FileChanged)) throw error;
    }
  }
  throw new TaskmuxError(
    "E900",
    `Cannot change "${path}": something else keeps writing it`,
  );
}

/**
 * Changes the settings in a project's file: all values or none.
 *
 * @throws {TaskmuxError} E104 for credentials, E500 for any other key that a project has not; as `editProject`.
 */
export async function writeProjectTunnels(
  file: EditedFile,
  values: TunnelValues,
): Promise<TunnelSettingsWritten> {
  const updated = Object.fromEntries(
    Object.entries(values).map(([written, value]) => [
      projectKey(written),
      value,
    ]),
  );
  await editProject(file, (text) =>
    Object.entries(updated).reduce(
      (edited, [key, value]) =>
        setValue(edited, ["tunnel", "cloudflare", key], value),
      text,
    ));
  return { path: file.config, updated, warnings: [] };
}

/** What a task is to say of its tunnel. */
export interface TaskTunnel {
  readonly task: string;
  readonly backend: string;
  /** Null = it says no name. */
  readonly hostname: string | null;
}

/**
 * Has tasks name their tunnels, and the project its zone. What is so already stays as it is written.
 *
 * @param zoneId Null = as it is.
 */
export function tunnelEdit(
  tasks: readonly TaskTunnel[],
  zoneId: string | null,
): Edit {
  return (text, before) => {
    let edited = text;
    if (zoneId !== null && before.tunnel.zoneId !== zoneId) {
      edited = setValue(edited, ["tunnel", "cloudflare", "zone_id"], zoneId);
    }
    for (const { task, backend, hostname } of tasks) {
      const known = before.tasks.get(task);
      if (known?.tunnel !== backend) {
        edited = setValue(edited, ["tasks", task, "tunnel"], backend);
      }
      if (known?.publicHostname === hostname) continue;
      const path = ["tasks", task, "public_hostname"];
      edited = hostname === null
        ? removeValue(edited, path)
        : setValue(edited, path, hostname);
    }
    return edited;
  };
}

/** What {@linkcode tunnelEdit} put into a file beside its tasks. */
export interface TunnelTraces {
  readonly zoneId: string | null;
  /** Whether there was no `[tunnel]` before. */
  readonly madeTable: boolean;
}

/** Whether a project's file has any settings of public names. */
export function hasTunnelTable(text: string): boolean {
  return parseText(text, "taskmux.toml")["tunnel"] !== undefined;
}

/** Has tasks name no tunnel. With none left goes what only tunnels needed, as far as it was put there for them. */
export function tunnelRemoval(
  tasks: readonly string[],
  traces: TunnelTraces,
): Edit {
  return (text, before) => {
    let edited = text;
    for (const task of tasks) {
      edited = removeValue(edited, ["tasks", task, "tunnel"]);
      edited = removeValue(edited, ["tasks", task, "public_hostname"]);
    }
    const isLast = before.tasks.values().every(({ name, tunnel }) =>
      tunnel === null || tasks.includes(name)
    );
    const { zoneId, madeTable } = traces;
    if (!isLast || zoneId === null || before.tunnel.zoneId !== zoneId) {
      return edited;
    }
    edited = removeValue(edited, ["tunnel", "cloudflare", "zone_id"]);
    return madeTable && before.tunnel.tunnelName === null
      ? removeValue(edited, ["tunnel"])
      : edited;
  };
}

/** Without the tables around it, as people write it. */
function plainKey(written: string): string {
  return written.replace(/^(?:tunnel\.)?(?:cloudflare\.)?/, "");
}

function projectKey(written: string): string {
  const key = plainKey(written);
  if (PROJECT_KEYS.includes(key)) return key;
  if (CREDENTIALS.includes(key)) {
    throw new TaskmuxError(
      "E104",
      `Cannot set "${key}" for a project: its file must not hold credentials`,
      {
        hint: key === "api_token"
          ? "taskmux tunnel enable"
          : "taskmux tunnel config-set --help",
        details: { key },
      },
    );
  }
  const near = closest(key, PROJECT_KEYS);
  throw new TaskmuxError(
    "E500",
    `Cannot set "${written}" for a project: there is no such setting`,
    {
      hint: near === null
        ? `one of ${PROJECT_KEYS.join(", ")}`
        : `did you mean "${near}"?`,
      details: { key: written },
    },
  );
}
