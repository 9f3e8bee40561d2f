/**
 * `tunnel config`: the settings of public names as they stand in the files and in the shell that asks.
 *
 * @module
 */

import { fileMode, loadHostConfig } from "../config/host_config.ts";
import { viewTunnelConfig } from "../config/tunnel_config_view.ts";
import type { Result } from "../contract/mod.ts";
import { readNotedTunnels } from "../store/tunnel_note.ts";
import { findProgram } from "../tunnels/program_check.ts";
import { type Disk, openProjectFiles } from "./project_files.ts";

/**
 * The answer of `tunnel.config`.
 *
 * @param options `reveal`: the token of the host's file is told in full.
 * @throws {TaskmuxError} What is wrong with the project's file or the host's settings.
 */
export async function readTunnelConfig(
  disk: Disk,
  config: string,
  { reveal }: { readonly reveal: boolean },
): Promise<Result<"tunnel.config">> {
  using project = await openProjectFiles(disk, config, { tolerant: true });
  const { identity: { projectId }, spec, store } = project;
  const { hostConfig: hostPath } = disk.paths;
  const { config: { cloudflare } } = await loadHostConfig(hostPath);
  const env = disk.env();
  const noted = store === null ? [] : readNotedTunnels(store.meta, projectId);
  const urls = noted.flatMap(({ task, publicUrl }) =>
    publicUrl === null ? [] : [[task, publicUrl] as const]
  );
  return viewTunnelConfig({
    projectId,
    spec,
    host: cloudflare,
    hostPath,
    hostMode: await fileMode(hostPath),
    env,
    hasCloudflared: await findProgram("cloudflared", env["PATH"]) !== null,
    urls: new Map(urls),
    reveal,
  });
}
