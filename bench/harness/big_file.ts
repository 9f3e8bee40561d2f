/**
 * Big files of text, and counting what is in them, without holding them.
 *
 * @module
 */

/** Bytes written or read at once. */
const BLOCK_BYTES = 1024 * 1024;

/** Writes lines until the file has that size. @returns The number of lines. */
export function writeLines(
  path: string,
  bytes: number,
  line: (index: number) => string,
): number {
  using file = Deno.openSync(path, { create: true, write: true });
  const encoder = new TextEncoder();
  let index = 0;
  for (let written = 0; written < bytes;) {
    let block = "";
    while (block.length < BLOCK_BYTES) block += `${line(index++)}\n`;
    const encoded = encoder.encode(block);
    for (let sent = 0; sent < encoded.length;) {
      sent += file.writeSync(encoded.subarray(sent));
    }
    written += encoded.length;
  }
  return index;
}

/** How many line ends a file has; 0 if there is none. */
export function countLines(path: string): number {
  if (sizeOf(path) === 0) return 0;
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(BLOCK_BYTES);
  let count = 0;
  while (true) {
    const read = file.readSync(buffer);
    if (read === null) return count;
    const block = buffer.subarray(0, read);
    for (
      let at = block.indexOf(10);
      at !== -1;
      at = block.indexOf(10, at + 1)
    ) {
      count++;
    }
  }
}

/** Bytes of a file; 0 if there is none. */
export function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
