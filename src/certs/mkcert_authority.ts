/**
 * The authority that mkcert made, for those who have it in their trust stores already. Nothing of it is changed.
 *
 * @module
 */

import { TaskmuxError } from "../domain/error.ts";
import { Authority, NotAnAuthority } from "./authority.ts";
import {
  authorityFiles,
  type MkcertEnvironment,
  mkcertFolder,
} from "./authority_files.ts";
import { readPem } from "./private_files.ts";

/** Where mkcert's authority is looked for. */
export interface MkcertOptions {
  readonly env: MkcertEnvironment;
  readonly os: typeof Deno.build.os;
  /** Milliseconds since the epoch. */
  now(): number;
}

/**
 * Reads mkcert's authority.
 *
 * @throws {TaskmuxError} E710 if there is none, or it cannot be used.
 */
export async function openMkcertAuthority(
  { env, os, now }: MkcertOptions,
): Promise<Authority> {
  const folder = mkcertFolder(env, os);
  if (folder === null) {
    throw refusal("there is no HOME to look for it in", "export CAROOT=FOLDER");
  }
  const files = authorityFiles(folder);
  const certificate = await read(files.certificate);
  const privateKey = await read(files.privateKey);
  try {
    const authority = Authority.of(files.certificate, {
      certificate,
      privateKey,
    });
    if (authority.notAfter > now()) return authority;
    throw new NotAnAuthority("has expired");
  } catch (error) {
    if (!(error instanceof NotAnAuthority)) throw error;
    throw refusal(
      `"${files.certificate}" ${error.message}`,
      `Move the files of "${folder}" away; mkcert -install`,
    );
  }
}

async function read(path: string): Promise<string> {
  try {
    const text = await readPem(path);
    if (text !== null) return text;
  } catch (error) {
    const { PermissionDenied } = Deno.errors;
    if (!(error instanceof PermissionDenied)) throw error;
    throw refusal(`you may not read "${path}"`, `sudo chown "$USER" "${path}"`);
  }
  throw refusal(
    `there is no "${path}"`,
    "mkcert -install, or taskmux config set ca_provider builtin",
  );
}

function refusal(state: string, hint: string): TaskmuxError {
  return new TaskmuxError(
    "E710",
    `Cannot use the certificate authority of mkcert: ${state}`,
    { hint },
  );
}
