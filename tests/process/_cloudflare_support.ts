/**
 * A project that is to be public through the fake Cloudflare.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { CloudflareSettings } from "../../src/config/tunnel_settings.ts";
import type { JsonObject } from "../../src/kit/json.ts";
import { runCommand } from "../../src/kit/run_command.ts";
import { cloudflareProvider } from "../../src/tunnels/cloudflare/cloudflare_provider.ts";
import type {
  TunnelCheck,
  TunnelContext,
  TunnelProcess,
  TunnelProvider,
  TunnelRelease,
  TunnelTarget,
} from "../../src/tunnels/tunnel_provider.ts";
import { FakeCloudflare } from "../support/fake_cloudflare.ts";
import type { FakeCloudflareOptions } from "../support/fake_cloudflare.ts";
import type { FakeToken } from "../support/fake_cloudflare/world.ts";
import { hastyClock } from "../support/hasty_clock.ts";

/** What a machine has of its own. */
export interface MachineOptions {
  readonly token?: string | null;
  readonly accountId?: string | null;
  readonly zoneId?: string | null;
  readonly tunnelName?: string;
  readonly tokenFlaw?: string | null;
  /** What `cloudflared --version` prints; null = there is no program. */
  readonly version?: string | null;
  /** What `TASKMUX_CLOUDFLARE_API` says. */
  readonly api?: string;
}

/** One machine with one project. What is thrown or told there is looked through for secrets. */
export class Machine implements Disposable {
  readonly provider: TunnelProvider;
  readonly secrets = new Set<string>();
  readonly clock = hastyClock();
  readonly folder: string;
  readonly context: TunnelContext;
  /** Reads of what is remembered, as it would be on disk. */
  memory: JsonObject | null = null;
  /** Called before each write of the memory: throw to crash there. */
  onSave: () => void = () => {};
  readonly #root: string;
  readonly #stop = new AbortController();

  constructor(cloudflare: FakeCloudflare, options: MachineOptions = {}) {
    this.#root = Deno.makeTempDirSync({ prefix: "taskmux it's-" });
    this.folder = `${this.#root}/tunnels`;
    const { version = "2025.9.1" } = options;
    if (version !== null) {
      const text = `#!/bin/sh\necho 'cloudflared version ${version} (built)'\n`;
      Deno.writeTextFileSync(`${this.#root}/cloudflared`, text, {
        mode: 0o755,
      });
    }
    this.provider = cloudflareProvider({
      apiBase: options.api ?? cloudflare.base,
    });
    const env = { PATH: `${this.#root}:/usr/bin:/bin` };
    this.context = {
      projectId: "shop",
      cloudflare: settings(cloudflare, options),
      env,
      memory: {
        load: () => this.memory,
        save: (facts) => {
          this.onSave();
          this.memory = facts === null ? null : copy(facts);
        },
      },
      folder: this.folder,
      run: (argv, signal) =>
        runCommand({
          argv,
          cwd: this.#root,
          env,
          timeoutMs: 20_000,
          killGraceMs: 1_000,
          outputLimitBytes: 10_000,
          stderr: "merge",
          leftovers: "kill",
          // Its limit is no pause.
          clock: hastyClock(0),
          signal,
        }),
      noteSecret: (secret) => void this.secrets.add(secret),
      clock: this.clock,
    };
  }

  check(...targets: readonly TunnelTarget[]): Promise<readonly TunnelCheck[]> {
    return this.#clean(
      this.provider.check(targets, this.context, this.#stop.signal),
    );
  }

  async open(...targets: readonly TunnelTarget[]): Promise<TunnelProcess> {
    const process = await this.#clean(
      this.provider.open(targets, this.context, this.#stop.signal),
    );
    assert.ok(process !== null);
    return process;
  }

  close(prune: boolean): Promise<TunnelRelease> {
    return this.#clean(
      this.provider.close(this.context, { prune }, this.#stop.signal),
    );
  }

  /** Neither an answer, nor an error, nor what is on disk holds a secret. */
  async #clean<T>(work: Promise<T>): Promise<T> {
    const told: unknown[] = [];
    try {
      const answer = await work;
      told.push(answer);
      return answer;
    } catch (error) {
      told.push(error);
      throw error;
    } finally {
      const text = Deno.inspect([...told, this.memory], { depth: 20 });
      const { value } = this.context.cloudflare.apiToken;
      const all = [...this.secrets, ...value === null ? [] : [value]];
      for (const secret of all) {
        assert.ok(!text.includes(secret), `a secret was told: ${text}`);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    Deno.removeSync(this.#root, { recursive: true });
  }
}

/** Runs a test with a Cloudflare, a token that may do what the documentation asks for, and a machine. */
export async function withCloudflare(
  test: (seen: {
    readonly cloudflare: FakeCloudflare;
    readonly token: FakeToken;
    readonly machine: Machine;
  }) => Promise<void>,
  options: FakeCloudflareOptions & MachineOptions = {},
): Promise<void> {
  await using cloudflare = await FakeCloudflare.open(options);
  const token = cloudflare.token();
  using machine = new Machine(cloudflare, { token: token.value, ...options });
  await test({ cloudflare, token, machine });
}

/** A task that is to be public under a name. */
export function target(hostname: string | null, port = 4_001): TunnelTarget {
  return {
    task: hostname?.split(".")[0] ?? "web",
    origin: `http://127.0.0.1:${port}`,
    hostname,
    reach: "public",
  };
}

/** Names of the checks that failed. */
export function failures(checks: readonly TunnelCheck[]): string[] {
  for (const { ok, fix } of checks) assert.equal(fix === null, ok);
  return checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

/** What stands at Cloudflare, in short: names, `TYPE name tunnel proxied`, and for each tunnel `name service`. */
export interface Shape {
  readonly tunnels: readonly string[];
  readonly records: readonly string[];
  readonly ingress: readonly (readonly string[])[];
}

/** See {@linkcode Shape}. */
export function shape(cloudflare: FakeCloudflare): Shape {
  const names = new Map(cloudflare.tunnels.map(({ id, name }) => [id, name]));
  return {
    tunnels: [...names.values()].sort(),
    records: cloudflare.records.map(({ type, name, content, proxied }) => {
      const id = content.replace(".cfargotunnel.com", "");
      return `${type} ${name} ${names.get(id) ?? content} ${proxied}`;
    }).sort(),
    ingress: cloudflare.tunnels.map(({ config }) =>
      (config?.ingress ?? []).map(({ hostname = "*", service }) =>
        `${hostname} ${service}`
      )
    ),
  };
}

function settings(
  cloudflare: FakeCloudflare,
  options: MachineOptions,
): CloudflareSettings {
  const { token = null, zoneId = null, tokenFlaw = null } = options;
  const accountId = options.accountId === undefined
    ? cloudflare.account.id
    : options.accountId;
  const of = (value: string | null) => ({
    value,
    source: value === null ? null : "global" as const,
  });
  return {
    accountId: of(accountId),
    zoneId: of(zoneId),
    tunnelName: {
      value: options.tunnelName ?? "taskmux-shop",
      source: "default",
    },
    apiToken: of(token),
    apiTokenEnv: "CLOUDFLARE_API_TOKEN",
    tokenFlaw,
  };
}

function copy(facts: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(facts)) as JsonObject;
}
