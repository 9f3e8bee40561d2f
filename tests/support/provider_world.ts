/**
 * The world of a provider of tunnels in a test: a temporary folder, and programs on a PATH of its own.
 *
 * @module
 */

import type { CloudflareSettings } from "../../src/config/tunnel_settings.ts";
import { systemClock } from "../../src/kit/clock.ts";
import type { JsonObject } from "../../src/kit/json.ts";
import { runCommand } from "../../src/kit/run_command.ts";
import type {
  RunningTunnel,
  TunnelContext,
  TunnelTarget,
} from "../../src/tunnels/tunnel_provider.ts";

const NOTHING = { value: null, source: null } as const;

const NO_CLOUDFLARE: CloudflareSettings = {
  accountId: NOTHING,
  zoneId: NOTHING,
  tunnelName: { value: "taskmux-shop", source: "default" },
  apiToken: NOTHING,
  apiTokenEnv: "CLOUDFLARE_API_TOKEN",
  tokenFlaw: null,
};

/** A world, removed on disposal. */
export class ProviderWorld implements AsyncDisposable {
  readonly root: string;
  readonly secrets: string[] = [];
  readonly context: TunnelContext;

  private constructor(root: string, env: Readonly<Record<string, string>>) {
    this.root = root;
    let facts: JsonObject | null = null;
    this.context = {
      projectId: "shop",
      cloudflare: NO_CLOUDFLARE,
      env: { PATH: `${root}/bin:/usr/bin:/bin`, HOME: root, ...env },
      memory: { load: () => facts, save: (next) => facts = next },
      folder: `${root}/tunnels`,
      run: (argv, signal) =>
        runCommand({
          argv,
          cwd: root,
          env: this.context.env,
          timeoutMs: 20_000,
          killGraceMs: 1_000,
          outputLimitBytes: 1024 * 1024,
          stderr: "merge",
          leftovers: "kill",
          clock: systemClock,
          signal,
        }),
      noteSecret: (secret) => this.secrets.push(secret),
      clock: systemClock,
    };
  }

  /** Makes one. */
  static async make(
    env: Readonly<Record<string, string>> = {},
  ): Promise<ProviderWorld> {
    const root = await Deno.makeTempDir({ dir: "/tmp", prefix: "tmx-" });
    await Deno.mkdir(`${root}/bin`);
    return new ProviderWorld(root, env);
  }

  /** Puts a shell program on the PATH. */
  async program(name: string, text: string): Promise<void> {
    const path = `${this.root}/bin/${name}`;
    await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    await Deno.chmod(path, 0o755);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.root, { recursive: true });
  }
}

/** A target as it is most often. */
export function target(facts: Partial<TunnelTarget> = {}): TunnelTarget {
  return {
    task: "web",
    origin: "http://127.0.0.1:4711",
    hostname: null,
    reach: "public",
    ...facts,
  };
}

/** A program that has written these lines. */
export function running(
  lines: readonly string[],
  port: number | null = null,
): RunningTunnel {
  return {
    port,
    findLine: (pattern) => {
      for (const line of lines) {
        const found = pattern.exec(line);
        if (found !== null) return Promise.resolve(found);
      }
      return Promise.resolve(null);
    },
  };
}
