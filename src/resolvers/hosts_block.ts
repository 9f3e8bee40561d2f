/**
 * Our lines in a hosts file, among those of others. Pure: text in, text out.
 *
 * Each state folder has a block of its own, so that two users of one machine do not take turns in overwriting each
 * other. Whatever is not known to be ours is somebody else's and stays, in its order and with its line ends: also what
 * stands inside of a block, and all that follows a block which does not end.
 *
 * @module
 */

const BEGIN = "# BEGIN taskmux managed";
const END = "# END taskmux managed";
const OWNER = "# of ";

/** Lines as {@linkcode withHosts} writes them. */
const ENTRY_REGEXP = /^(?:127\.0\.0\.1|::1)\t[a-z0-9_.-]+$/;

const NAME_REGEXP = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/;

/** What a block says. */
export interface HostsBlock {
  /** The state folder whose names these are. */
  readonly owner: string;
  /** Full names; what is no name, such as a catch-all, is left out. */
  readonly names: readonly string[];
  /** Addresses that each of them gets. */
  readonly addresses: readonly string[];
}

/**
 * The text with exactly this block of its owner: in the place of the one it has, else at the end after an empty line.
 * Without names it has none. The same block once more changes nothing.
 *
 * @param text Any text, also of a file without a final line end, or with those of Windows.
 */
export function withHosts(text: string, block: HostsBlock): string {
  let before: string;
  let after = text;
  // What is taken out may leave a stray beginning above a stray end. Each round that changes something has fewer of them.
  do {
    before = after;
    after = edited(before, block);
  } while (after !== before);
  return after;
}

function edited(text: string, block: HostsBlock): string {
  const lines = linesOf(text);
  const own = blocksIn(lines).filter(({ owner }) =>
    // The first taskmux wrote none.
    owner === null || owner === ownerText(block.owner)
  );
  const entries = entriesOf(block);
  const model = lines[own[0]?.start ?? 0];
  const newLine = model?.endsWith("\r\n") === true ? "\r\n" : "\n";
  const made = entries.length === 0
    ? []
    : [BEGIN, OWNER + ownerText(block.owner), ...entries, END]
      .map((line) => line + newLine);
  const parts: string[] = [];
  let next = 0;
  for (const [index, { start, end, foreign }] of own.entries()) {
    parts.push(...lines.slice(next, start), ...foreign);
    next = end;
    if (index === 0 && made.length > 0) parts.push(...made);
    else if (isBlank(parts.at(-1)) && isGapAfter(lines[next])) parts.pop();
  }
  parts.push(...lines.slice(next));
  if (own.length > 0 || made.length === 0) return joined(parts, newLine);
  const last = parts.at(-1);
  const isOpen = last !== undefined && !last.endsWith("\n");
  // Also where an empty line is already: the one before a block goes with it.
  const gap = last === undefined ? [] : [newLine];
  return [...parts, ...isOpen ? [newLine] : [], ...gap, ...made].join("");
}

/** The names that the owner's block has, sorted; null if it has no block. */
export function namesInHosts(
  text: string,
  owner: string,
): string[] | null {
  const lines = linesOf(text);
  const own = blocksIn(lines).filter((block) =>
    block.owner === ownerText(owner)
  );
  if (own.length === 0) return null;
  const names = own.flatMap(({ start, end }) =>
    lines.slice(start, end).map(content).filter(isEntry)
      .map((line) => line.slice(line.indexOf("\t") + 1))
  );
  return [...new Set(names)].sort();
}

/** The state folders that have blocks, in their order; null stands for one that names none. */
export function ownersInHosts(text: string): (string | null)[] {
  return blocksIn(linesOf(text)).map(({ owner }) =>
    owner === null || !isEncoded(owner) ? null : decodeURI(owner)
  );
}

/** Whether it is what {@linkcode ownerText} makes, and no edit of somebody. */
function isEncoded(owner: string): boolean {
  try {
    return ownerText(decodeURI(owner)) === owner;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

interface FoundBlock {
  /** Its first line. */
  readonly start: number;
  /** Behind its last line. */
  readonly end: number;
  readonly owner: string | null;
  /** Lines in it that are not ours. */
  readonly foreign: readonly string[];
}

/** Blocks that begin and end. A beginning before whose end another one begins is none. */
function blocksIn(lines: readonly string[]): FoundBlock[] {
  const found: FoundBlock[] = [];
  let start: number | null = null;
  for (const [index, line] of lines.entries()) {
    if (content(line) === BEGIN) start = index;
    if (content(line) !== END || start === null) continue;
    const inner = lines.slice(start + 1, index);
    const first = content(inner[0] ?? "");
    const owner = first.startsWith(OWNER) ? first.slice(OWNER.length) : null;
    const foreign = inner.slice(owner === null ? 0 : 1)
      .filter((each) => !isEntry(content(each)) && !isBlank(each));
    found.push({ start, end: index + 1, owner, foreign });
    start = null;
  }
  return found;
}

function entriesOf({ names, addresses }: HostsBlock): string[] {
  const sorted = [...new Set(names)].filter((name) => NAME_REGEXP.test(name))
    .sort();
  return addresses.flatMap((address) =>
    sorted.map((name) => `${address}\t${name}`)
  );
}

function isEntry(line: string): boolean {
  return ENTRY_REGEXP.test(line);
}

/** A path on one line, in ASCII. */
function ownerText(owner: string): string {
  return encodeURI(owner.toWellFormed());
}

/** With their line ends. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Lines one after the other; only the last may have no end. */
function joined(lines: readonly string[], newLine: string): string {
  return lines.map((line, index) =>
    line.endsWith("\n") || index === lines.length - 1 ? line : line + newLine
  ).join("");
}

function content(line: string): string {
  return line.replace(/\r?\n$/, "");
}

function isBlank(line: string | undefined): boolean {
  return line !== undefined && line.trim() === "";
}

/** Whether nothing, or an empty line, follows: then the one before the block was made for it. */
function isGapAfter(line: string | undefined): boolean {
  return line === undefined || isBlank(line);
}
