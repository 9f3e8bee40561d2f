/**
 * How cloudflared is started, and the files it needs: its token, and settings that keep those of the user out.
 *
 * @module
 */

import { writeFileAtomic } from "../../kit/atomic_file.ts";
import { shellQuote } from "../../kit/shell_words.ts";
import type { TunnelProcess } from "../tunnel_provider.ts";

/** Beginning of the names of our files. */
const PREFIX = "named-tunnel-";

/** What cloudflared reads instead of `~/.cloudflared/config.yml`, where rules of another tunnel may stand. */
const SETTINGS = "no-autoupdate: true\n";

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
  const name = `${PREFIX}${tunnelId.replaceAll(/[^A-Za-z0-9-]/g, "")}`;
  const tokenFile = `${folder}/${name}.token`;
  const settingsFile = `${folder}/${name}.yml`;
  await removeConnectors(folder, name);
  await writeFileAtomic(tokenFile, `${token}\n`, { mode: 0o600 });
  await writeFileAtomic(settingsFile, SETTINGS, { mode: 0o600 });
  const run = [
    "exec cloudflared tunnel",
    `--config ${shellQuote(settingsFile)}`,
    "--no-autoupdate",
    '--metrics "127.0.0.1:$PORT"',
    "run",
  ].join(" ");
  return {
    name: "cloudflared",
    command: `IFS= read -r TUNNEL_TOKEN < ${
      shellQuote(tokenFile)
    } && export TUNNEL_TOKEN && ${run}`,
    env: {},
    healthUrl: "http://127.0.0.1:$PORT/ready",
    readyLog: null,
  };
}

/** Removes our files, but those of one tunnel. Without a folder there are none. */
export async function removeConnectors(
  folder: string,
  but?: string,
): Promise<void> {
  for (const name of await namesIn(folder)) {
    const isOurs = name.startsWith(PREFIX) && /\.(?:token|yml)$/.test(name);
    const isKept = but !== undefined && name.startsWith(`${but}.`);
    if (!isOurs || isKept) continue;
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
