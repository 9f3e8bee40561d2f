/**
 * A short, stable name for a text. Not a secret and not proof against an attacker.
 *
 * @module
 */

/** FNV-1a, 64 bits, as 16 hexadecimal digits. The same text has the same fingerprint for ever. */
export function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
