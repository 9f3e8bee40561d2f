/**
 * Ways in which a file of the state folder can be damaged.
 *
 * @module
 */

/** Bytes of a file that is larger than any of ours; all of them are a hole. */
const HUGE_BYTES = 8 * 1024 * 1024 * 1024;

/** Damages the file of a path, which may not be there. */
export type Fault = (path: string) => void;

/** The faults by name. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  empty: (path) => write(path, ""),
  garbage: (path) => write(path, noise(20_000)),
  zeros: (path) => write(path, new Uint8Array(20_000)),
  "valid JSON of a wrong shape": (path) =>
    write(path, '[{"seq":"one"},{"projects":7}]\n'),
  "cut in the middle": (path) => cut(path, 0.5),
  "cut before its end": (path) => cut(path, 0.98),
  "cut after its begin": (path) => cut(path, 0.03),
  "a folder": (path) => {
    remove(path);
    Deno.mkdirSync(`${path}/inside`, { recursive: true });
  },
  "a link into nowhere": (path) => {
    remove(path);
    Deno.symlinkSync("/nowhere/at/all", path);
  },
  "a pipe": (path) => {
    remove(path);
    const { success } = new Deno.Command("mkfifo", { args: [path] })
      .outputSync();
    if (!success) throw new Error(`Cannot make pipe "${path}"`);
  },
  huge: (path) => {
    write(path, "");
    Deno.truncateSync(path, HUGE_BYTES);
  },
  gone: remove,
};

/** In place, as a disk or a stray program would, unless it is a socket. */
function write(path: string, content: string | Uint8Array): void {
  if (isSocket(path)) remove(path);
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  Deno.writeFileSync(path, bytes);
}

function isSocket(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSocket === true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function cut(path: string, part: number): void {
  if (isSocket(path)) return;
  try {
    Deno.truncateSync(path, Math.floor(Deno.statSync(path).size * part));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The same bytes each time, in which there is no pattern. */
function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223 | 0;
    return state >>> 24;
  });
}

/** Every name below a folder with what it is: mode, size and content. Opens regular files only. */
export function pictureOf(folder: string): Record<string, string> {
  const picture: Record<string, string> = {};
  for (const { name, isDirectory, isSymlink } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isSymlink) picture[path] = Deno.readLinkSync(path);
    else if (isDirectory) Object.assign(picture, pictureOf(path));
    else {
      const { isFile, mode, size } = Deno.lstatSync(path);
      const text = isFile && size < 1_000_000
        ? new TextDecoder("latin1").decode(Deno.readFileSync(path))
        : "";
      picture[path] = `${mode} ${size} ${text}`;
    }
  }
  return picture;
}
