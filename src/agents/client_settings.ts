/**
 * The entry of taskmux in a program's settings: looked for, written, taken out. Everything else in the file stays as it
 * is.
 *
 * @module
 */

import { removeValue, setTable, setValue } from "../config/edit_toml.ts";
import { parseText } from "../config/toml_document.ts";
import type { TomlValue } from "../config/toml_value.ts";
import { diskError } from "../domain/disk_error.ts";
import { TaskmuxError } from "../domain/error.ts";
import type { Json, JsonObject } from "../kit/json.ts";
import { baseName, folderOf } from "../kit/path.ts";
import {
  editTextFile,
  type FileAction,
  readTextFile,
} from "./edit_text_file.ts";
import { hasComments, readJson, removeMember, setMember } from "./json_text.ts";
import { linkTarget, namesOutside } from "./link_target.ts";
import { SERVER_NAME } from "./mcp_address.ts";
import type { McpClient, Place } from "./mcp_clients.ts";

/** Files and folders of a user hold more than is for others. */
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** A settings file and our entry in it. */
export interface FoundEntry {
  /** Absolute. */
  readonly path: string;
  /** Null if there is no such file. */
  readonly text: string | null;
  /** Null if there is none. */
  readonly entry: JsonObject | null;
}

/**
 * The file that counts: the strongest that has our entry, else the strongest there is, else the one to make.
 *
 * @throws {TaskmuxError} E101 if that file cannot be parsed, E104 if its servers are none; as `readTextFile`.
 */
export async function findEntry(
  client: McpClient,
  place: Place,
): Promise<FoundEntry> {
  const { read, fresh } = client.files(place);
  let present: FoundEntry | null = null;
  let failure: TaskmuxError | null = null;
  for (const path of read) {
    try {
      const text = await readTextFile(path);
      if (text === null) continue;
      const found = { path, text, entry: entryIn(client, text, path) };
      if (found.entry !== null) return found;
      if (failure === null) present ??= found;
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
      if (present === null) failure ??= error;
    }
  }
  if (present !== null) return present;
  if (failure !== null) throw failure;
  return { path: fresh, text: null, entry: null };
}

/** Every file of a client that has our entry. Those that cannot be read have none. */
export async function filesWithEntry(
  client: McpClient,
  place: Place,
): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const path of client.files(place).read) {
    try {
      const text = await readTextFile(path);
      if (text !== null && entryIn(client, text, path) !== null) {
        paths.push(path);
      }
    } catch (error) {
      if (!(error instanceof TaskmuxError)) throw error;
    }
  }
  return paths;
}

/**
 * The text with our entry: the keys that lead to the server are those of the entry, others of it stay.
 *
 * @param text Null = there is no file yet.
 * @throws {TaskmuxError} E101 if the text cannot be parsed, E104 if it leaves no place.
 */
export function withEntry(
  client: McpClient,
  text: string | null,
  { entry, path }: { readonly entry: JsonObject; readonly path: string },
): string {
  const { format, preamble } = client;
  const isNew = text === null || text.trim() === "";
  if (format.name !== "toml" && isNew && Object.keys(preamble).length > 0) {
    return withEntry(client, `${JSON.stringify(preamble, null, 2)}\n`, {
      entry,
      path,
    });
  }
  const before = text ?? "";
  const present = standingIn(client, before, path);
  // Whatever else stands there is replaced.
  if (!isObject(present)) return put(client, before, { keys: [], entry, path });
  let after = before;
  for (const key of client.ownKeys) {
    if (Object.hasOwn(entry, key) || !Object.hasOwn(present, key)) continue;
    after = drop(client, after, { keys: [key], path });
  }
  for (const [key, value] of Object.entries(entry)) {
    if (sameJson(present[key], value)) continue;
    after = put(client, after, { keys: [key], entry: value, path });
  }
  return after;
}

/**
 * The text without our entry; null if nothing is left in it that says anything.
 *
 * @throws {TaskmuxError} As {@linkcode withEntry}.
 */
export function withoutEntry(
  client: McpClient,
  text: string,
  path: string,
): string | null {
  const after = drop(client, text, { keys: [], path });
  if (client.scope === "user" || after === text) return after;
  return isVoid(client, after, path) ? null : after;
}

/**
 * Writes the entry. Folders are made as needed; what is new for the user alone is private.
 *
 * @throws {TaskmuxError} As {@linkcode withEntry} and `editTextFile`.
 */
export async function installEntry(
  client: McpClient,
  path: string,
  entry: JsonObject,
): Promise<FileAction> {
  const isUsers = client.scope === "user";
  try {
    await Deno.mkdir(folderOf(path), {
      recursive: true,
      ...isUsers ? { mode: PRIVATE_FOLDER } : {},
    });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw cannotSetUp(path, `"${folderOf(path)}" is no folder`, error);
    }
    throw diskError(error) ?? error;
  }
  if (!isUsers) await refuseOutside(path);
  return await editTextFile(
    path,
    (text) => withEntry(client, text, { entry, path }),
    isUsers ? { newMode: PRIVATE_FILE } : {},
  );
}

/** The file of a project may be a link, but not to settings that hold elsewhere: a repository brings its links along. */
async function refuseOutside(path: string): Promise<void> {
  const folder = folderOf(path);
  const root = baseName(folder).startsWith(".") ? folderOf(folder) : folder;
  const target = await linkTarget(path);
  if (await namesOutside(root, target) === null) return;
  throw cannotSetUp(
    path,
    `it leads to "${target}", outside of the project`,
  );
}

function cannotSetUp(
  path: string,
  state: string,
  cause?: Error,
): TaskmuxError {
  return new TaskmuxError("E500", `Cannot edit "${path}": ${state}`, {
    hint: `ls -ld ${folderOf(path)} ${path}`,
    details: { path },
    ...cause === undefined ? {} : { cause },
  });
}

/**
 * Takes the entry out, and with it a file of the project that says nothing any more, and its folder if that is empty
 * then: else the program would seem to be in use.
 *
 * @throws {TaskmuxError} As {@linkcode installEntry}.
 */
export async function uninstallEntry(
  client: McpClient,
  path: string,
): Promise<FileAction> {
  // What a link leads to may be in use elsewhere, and an empty file is no JSON.
  const isLink = (await lstatOrNull(path))?.isSymlink === true;
  const action = await editTextFile(path, (text) => {
    if (text === null) return null;
    return isLink
      ? drop(client, text, { keys: [], path })
      : withoutEntry(client, text, path);
  });
  const folder = folderOf(path);
  if (action === "deleted" && baseName(folder).startsWith(".")) {
    await removeIfEmpty(folder);
  }
  return action;
}

async function lstatOrNull(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw diskError(error) ?? error;
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    // Of a link only the link would go, whatever it leads to holds.
    if (!(await Deno.lstat(folder)).isSymlink) await Deno.remove(folder);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (!["ENOTEMPTY", "EEXIST", "EACCES", "EPERM"].includes(String(code))) {
      throw error;
    }
  }
}

/** What a new file with nothing but the entry would hold. */
export function snippetOf(client: McpClient, entry: JsonObject): string {
  const bare = { ...client, preamble: {} };
  return withEntry(bare, null, { entry, path: "" });
}

/** Our entry in a text, empty if it is no entry; null if there is none. */
function entryIn(
  client: McpClient,
  text: string,
  path: string,
): JsonObject | null {
  const found = standingIn(client, text, path);
  if (found === undefined) return null;
  return isObject(found) ? found : {};
}

/** What stands in the place of our entry. */
function standingIn(
  client: McpClient,
  text: string,
  path: string,
): Json | undefined {
  const servers = valueOf(client, text, path)?.[client.table];
  if (servers === undefined) return undefined;
  if (isObject(servers)) return servers[SERVER_NAME];
  throw new TaskmuxError(
    "E104",
    `Cannot use "${path}": "${client.table}" in it is no table of servers`,
    { details: { path, key: client.table } },
  );
}

function valueOf(
  { format }: McpClient,
  text: string,
  path: string,
): JsonObject | null {
  return format.name === "toml"
    ? parseText(text, path) as unknown as JsonObject
    : readJson(text, format.syntax, path);
}

function put(
  { format, table }: McpClient,
  text: string,
  { keys, entry, path }: {
    readonly keys: readonly string[];
    readonly entry: Json;
    readonly path: string;
  },
): string {
  const way = [table, SERVER_NAME, ...keys];
  if (format.name !== "toml") {
    return setMember(text, {
      keys: way,
      value: entry,
      syntax: format.syntax,
      path,
    });
  }
  // Entries are made of texts, flags, lists and tables of texts, which TOML has, too.
  return keys.length === 0
    ? setTable(text, way, entry as Readonly<Record<string, TomlValue>>)
    : setValue(text, way, entry as TomlValue);
}

function drop(
  { format, table }: McpClient,
  text: string,
  { keys, path }: { readonly keys: readonly string[]; readonly path: string },
): string {
  const way = [table, SERVER_NAME, ...keys];
  return format.name === "toml"
    ? removeValue(text, way)
    : removeMember(text, { keys: way, syntax: format.syntax, path });
}

/** Whether a text says nothing: no server, no comment, nothing else. */
function isVoid(client: McpClient, text: string, path: string): boolean {
  if (client.format.name === "toml") return text.trim() === "";
  if (hasComments(text)) return false;
  const root = valueOf(client, text, path) ?? {};
  return Object.entries(root).every(([key, value]) =>
    key === client.table
      ? isObject(value) && Object.keys(value).length === 0
      : sameJson(value, client.preamble[key])
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sameJson(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
