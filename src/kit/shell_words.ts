/**
 * Words for a shell.
 *
 * @module
 */

/** One word that a POSIX shell reads back as it is; quoted only if it must be. */
export function shellQuote(word: string): string {
  const isPlain = /^[A-Za-z0-9_@%+=:,./-]+$/.test(word);
  // zsh takes =ls, also after a colon, for the path of ls.
  if (isPlain && !/(?:^|:)=/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Shell text of a command: a single word is that text already, several are words of one simple command. */
export function shellText(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : words.map(shellQuote).join(" ");
}

/** One word that fish reads back as it is. */
export function fishQuote(word: string): string {
  return `'${word.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
