/**
 * Programs of tunnels for tests, in a folder for `PATH`. They carry what arrives at a fake edge.
 *
 * @module
 */

import { REPOSITORY, testDenoDirectory } from "./deno_flags.ts";
import type { FakeEdge } from "./fake_edge.ts";

/** Which there are. */
export type FakeProgram = "cloudflared" | "ngrok" | "tailscale";

/** What a program is told beside its arguments. */
export interface FakeProgramOptions {
  readonly programs?: readonly FakeProgram[];
  /** More of their environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Writes programs into a folder, which is made, to be put at the head of `PATH`. They know their edge without any
 * variable, so that whoever runs them needs to know nothing.
 *
 * @returns The folder.
 */
export async function writeFakePrograms(
  folder: string,
  edge: FakeEdge,
  options: FakeProgramOptions = {},
): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const env = {
    DENO_DIR: testDenoDirectory(),
    FAKE_EDGE: edge.control,
    ...options.env,
  };
  const exports = Object.entries(env).map(([name, value]) =>
    `export ${name}=${quoted(value)}\n`
  );
  for (const program of options.programs ?? ["cloudflared"]) {
    const entry = `${REPOSITORY}/tests/fixtures/programs/tunnels/${program}.ts`;
    const command = [
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-config",
      "--no-prompt",
      "--cached-only",
      "--allow-read",
      "--allow-env",
      "--allow-net=127.0.0.1",
      entry,
    ].map(quoted).join(" ");
    await Deno.writeTextFile(
      `${folder}/${program}`,
      `#!/bin/sh\n${exports.join("")}exec ${command} "$@"\n`,
      { mode: 0o755 },
    );
  }
  return folder;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
