/**
 * A block of lines in the file that a shell reads when it starts. Everything around it stays byte by byte.
 *
 * @module
 */

import { writeFileAtomic } from "../kit/atomic_file.ts";
import { folderOf } from "../kit/path.ts";

const BEGIN = "# >>> taskmux trust-clients >>>";
const END = "# <<< taskmux trust-clients <<<";

/** A line that a block of ours can hold: what follows a beginning without an end is taken no further than these. */
const OWN_LINE =
  /^\s*(?:\[|test|export|set)\s.*\b(?:NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE|SSL_CERT_FILE)\b.*\/ca-bundle\.pem\b/;

/** Of a file that is made. */
const NEW_FILE_MODE = 0o644;

/** What became of the file. */
export type BlockAction = "wrote" | "replaced" | "unchanged";

/**
 * A text with the block in it, exactly once: in place of the first one that was there, else at the end.
 *
 * A beginning without an end, as a hand or a crash may have left it, stands for itself and the lines of ours that follow
 * it; nothing else of the text is taken.
 */
export function withBlock(
  text: string,
  lines: readonly string[],
): { readonly text: string; readonly action: BlockAction } {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const block = [BEGIN, ...lines, END].map((line) => line + newline).join("");
  const { parts, found } = withoutBlocks(text);
  if (found === null) {
    const before = text === "" || text.endsWith("\n") ? text : text + newline;
    return { text: before + block, action: "wrote" };
  }
  const before = parts.slice(0, found).join("");
  const after = parts.slice(found).join("");
  const gap = before === "" || before.endsWith("\n") ? "" : newline;
  const result = before + gap + block + after;
  return { text: result, action: result === text ? "unchanged" : "replaced" };
}

/** How the block in a file is; `absent` also without a file. Changes nothing. */
export async function lookAtBlock(
  path: string,
  lines: readonly string[],
): Promise<"absent" | "current" | "outdated"> {
  const text = await readIfThere(path);
  if (text === null || withoutBlocks(text).found === null) return "absent";
  const { action } = withBlock(text, lines.map(utf8Text));
  return action === "unchanged" ? "current" : "outdated";
}

/**
 * Puts the block into a file, which is made if need be, as is its folder. Links stay links, and modes what they are.
 *
 * @param path Absolute.
 */
export async function writeBlock(
  path: string,
  lines: readonly string[],
): Promise<BlockAction> {
  const before = await readIfThere(path);
  const { text, action } = withBlock(before ?? "", lines.map(utf8Text));
  if (action === "unchanged") return action;
  if (before === null) {
    await Deno.mkdir(folderOf(path), { recursive: true });
  }
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  await writeFileAtomic(path, bytes, {
    ...before === null ? { mode: NEW_FILE_MODE } : {},
  });
  return action;
}

/** The lines that are not of a block, and where among them the first block was. */
function withoutBlocks(
  text: string,
): { readonly parts: string[]; readonly found: number | null } {
  const lines = text.split(/(?<=\n)/);
  const parts: string[] = [];
  let found: number | null = null;
  for (let index = 0; index < lines.length; index++) {
    if (lines[index]!.trim() !== BEGIN) {
      parts.push(lines[index]!);
      continue;
    }
    found ??= parts.length;
    index = lastOfBlock(lines, index);
  }
  return { parts, found };
}

/** Index of the last line of the block that begins there. */
function lastOfBlock(lines: readonly string[], begin: number): number {
  const rest = lines.slice(begin + 1);
  const marker = rest.findIndex((line) => [BEGIN, END].includes(line.trim()));
  if (marker >= 0 && rest[marker]!.trim() === END) return begin + 1 + marker;
  const others = rest.findIndex((line) => !OWN_LINE.test(line));
  return begin + (others < 0 ? rest.length : others);
}

/** One character for each byte, so that what is no UTF-8 and what marks its beginning come out as they went in. */
async function readIfThere(path: string): Promise<string | null> {
  try {
    return byteText(await Deno.readFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function byteText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function utf8Text(text: string): string {
  return byteText(new TextEncoder().encode(text));
}
