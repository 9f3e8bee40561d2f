/**
 * What the keeper is given to hold with each run, so that a controller that has lost its state finds it there again.
 *
 * @module
 */

/** See the module. Holds no more than the store does: the environment is only named. */
export interface RunNote {
  readonly port: number | null;
  readonly command: string;
  readonly digest: string;
  /** The definition of a task that is in no file, as JSON. */
  readonly adhoc: string | null;
  /** Name of the caller's environment in the environment store. */
  readonly environment: string | null;
  /** The project, as it was registered. */
  readonly configPath: string;
  readonly name: string;
  readonly worktreeId: string | null;
}

/** Longest text that the keeper takes. */
const MAX_LENGTH = 65_536;

/** As text for the keeper; undefined if it is too long for that. */
export function encodeRunNote(note: RunNote): string | undefined {
  const text = JSON.stringify(note);
  if (text.length <= MAX_LENGTH) return text;
  const short = JSON.stringify({ ...note, adhoc: null, command: "" });
  return short.length <= MAX_LENGTH ? short : undefined;
}

/** From text of the keeper; null if there is none, or another version wrote it in another way. */
export function decodeRunNote(text: string | undefined): RunNote | null {
  if (text === undefined) return null;
  try {
    const note = JSON.parse(text) as RunNote | null;
    const isNote = typeof note?.command === "string" &&
      typeof note.digest === "string" && typeof note.name === "string" &&
      typeof note.configPath === "string" && isText(note.adhoc) &&
      isText(note.environment) && isText(note.worktreeId) &&
      (note.port === null || Number.isInteger(note.port));
    return isNote ? note : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isText(value: unknown): boolean {
  return value === null || typeof value === "string";
}
