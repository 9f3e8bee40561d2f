/**
 * How cloudflared is started for a named tunnel, and the file that holds its token.
 *
 * @module
 */

import { writeFileAtomic } from "../../kit/atomic_file.ts";
import { shellQuote } from "../../kit/shell_words.ts";
import type { TunnelProcess } from "../tunnel_provider.ts";

/** Beginning of the names of our files. */
const PREFIX = "named-tunnel-";

/** Variables that would have it lead elsewhere than the tunnel says, until it has heard from Cloudflare, or be another one. */
const MISLEADING = [
  "TUNNEL_BASTION",
  "TUNNEL_HELLO_WORLD",
  "TUNNEL_HOSTNAME",
  "TUNNEL_NAME",
  "TUNNEL_TOKEN_FILE",
  "TUNNEL_UNIX_SOCKET",
  "TUNNEL_URL",
];

/** Where the files are. */
export interface ConnectorPlace {
  /** Absolute; it is made if it is not there. */
  readonly folder: string;
  readonly tunnelId: string;
}

/**
 * Writes the token where only its owner can read it, and tells how to run cloudflared with it.
 *
 * The token is in no argument and in no environment but cloudflared's own: the shell reads the file by itself. Its name
 * holds the tunnel's id, so that the program of another tunnel is another command.
 *
 * @throws {Deno.errors.PermissionDenied} If the folder cannot be written to.
 */
export async function writeConnector(
  { folder, tunnelId }: ConnectorPlace,
  token: string,
): Promise<TunnelProcess> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await Deno.chmod(folder, 0o700);
  const name = `${PREFIX}${tunnelId.replaceAll(/[^A-Za-z0-9-]/g, "")}.token`;
  const file = `${folder}/${name}`;
  await removeConnectors(folder, name);
  await writeFileAtomic(file, `${token}\n`, { mode: 0o600 });
  // A config.yml of the user's own tunnel would have a say, too.
  const run = "exec cloudflared tunnel --config /dev/null --no-autoupdate" +
    ' --metrics "127.0.0.1:$PORT" run';
  return {
    name: "cloudflared",
    command: [
      `unset ${MISLEADING.join(" ")}`,
      `IFS= read -r TUNNEL_TOKEN < ${shellQuote(file)}`,
      "export TUNNEL_TOKEN",
      run,
    ].join(" && "),
    env: {},
    healthUrl: "http://127.0.0.1:$PORT/ready",
    readyLog: null,
  };
}

/** Removes our files, but the one of that name. Without a folder there are none. */
export async function removeConnectors(
  folder: string,
  but?: string,
): Promise<void> {
  for (const name of await namesIn(folder)) {
    const isOurs = name.startsWith(PREFIX) && name.endsWith(".token");
    if (!isOurs || name === but) continue;
    try {
      await Deno.remove(`${folder}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) =>
      name
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
