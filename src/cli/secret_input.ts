/**
 * Secrets from standard input: where arguments would be seen by every program of the machine.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";

/** Most bytes of a secret. */
const MAX_SECRET_BYTES = 8 * 1024;

/**
 * All of standard input without the line break at its end.
 *
 * @param option The option that asked for it.
 * @throws {TaskmuxError} E500 if it is a terminal, empty, longer than a secret is, or has more than one line.
 */
export async function readSecret(option: string): Promise<string> {
  if (Deno.stdin.isTerminal()) {
    throw refusal(option, "standard input is a terminal, where it would show");
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of Deno.stdin.readable) {
    parts.push(part);
    length += part.length;
    if (length > MAX_SECRET_BYTES) throw refusal(option, "there is too much");
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  const text = new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
  if (text === "") throw refusal(option, "standard input is empty");
  if (/[\r\n]/.test(text)) throw refusal(option, "it has several lines");
  return text;
}

function refusal(option: string, state: string): TaskmuxError {
  return new TaskmuxError("E500", `Cannot use --${option}: ${state}`, {
    hint: `printf %s "$SECRET" | taskmux … --${option}`,
    details: { option },
  });
}
