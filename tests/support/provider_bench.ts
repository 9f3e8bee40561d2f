/**
 * What a provider of tunnels is tried against: its far side, its program, projects that use it, and how it goes wrong. One
 * form for all providers.
 *
 * @module
 */

import type {
  CloudflareSettings,
  Setting,
} from "../../src/config/tunnel_settings.ts";
import type { TunnelBackend } from "../../src/domain/tunnel.ts";
import type { JsonObject } from "../../src/kit/json.ts";
import { loadProvider } from "../../src/tunnels/providers.ts";
import type {
  TunnelContext,
  TunnelProvider,
  TunnelTarget,
} from "../../src/tunnels/tunnel_provider.ts";
import { FakeCloudflare } from "./fake_cloudflare.ts";
import type { FakeToken } from "./fake_cloudflare/world.ts";
import { type FakeProgram, writeFakePrograms } from "./fake_programs.ts";
import { TAILSCALE_RUNS, type TailscaleState } from "./fake_tailscale.ts";
import { ProviderWorld, target } from "./provider_world.ts";

/** What differs between providers. */
interface BenchKind {
  /** Null = it needs none. */
  readonly program: FakeProgram | null;
  /** Name of the check that fails where the program is not there. */
  readonly programCheck: string | null;
  /** Makes the far side say no. */
  refuse(bench: ProviderBench): Promise<void> | void;
}

const AUTHTOKEN = "2abcDEFghiJKLmnoPQRstuVWXyz_3kLMnOPqrSTuvWXyz12345";

/** Every backend has one: a new provider is not forgotten. */
const KINDS: Readonly<Record<TunnelBackend, BenchKind>> = {
  "cloudflare": {
    program: "cloudflared",
    programCheck: "cloudflared_binary",
    refuse: (bench) => bench.cloudflare.revoke(bench.token),
  },
  "cloudflare-quick": {
    program: "cloudflared",
    programCheck: "cloudflared_binary",
    refuse: (bench) => bench.cloudflare.edge.refuse("Unauthorized", false),
  },
  "tailscale": {
    program: "tailscale",
    programCheck: "tailscale_binary",
    refuse: (bench) => bench.setTailscale({ backend: "NeedsLogin" }),
  },
  "ngrok": {
    program: "ngrok",
    programCheck: "ngrok_binary",
    refuse: (bench) => {
      bench.cloudflare.edge.authtokens = new Set(["another"]);
    },
  },
  "noop": { program: null, programCheck: null, refuse: () => {} },
};

/** A project that uses the provider. */
export interface BenchProject {
  readonly context: TunnelContext;
  /** How often something was to be remembered. */
  readonly saves: number;
  /** A target with a name of this project, if the provider takes names. */
  target(facts?: Partial<TunnelTarget>): TunnelTarget;
}

/** See the module. */
export class ProviderBench implements AsyncDisposable {
  readonly backend: TunnelBackend;
  readonly provider: TunnelProvider;
  readonly cloudflare: FakeCloudflare;
  readonly world: ProviderWorld;
  /** For the API of Cloudflare. */
  readonly token: FakeToken;
  readonly kind: BenchKind;

  private constructor(
    parts: Pick<
      ProviderBench,
      "backend" | "provider" | "cloudflare" | "world"
    >,
  ) {
    this.backend = parts.backend;
    this.provider = parts.provider;
    this.cloudflare = parts.cloudflare;
    this.world = parts.world;
    this.token = parts.cloudflare.token();
    this.kind = KINDS[parts.backend];
  }

  /** Opens one on which everything is right. */
  static async open(backend: TunnelBackend): Promise<ProviderBench> {
    const cloudflare = await FakeCloudflare.open();
    const world = await ProviderWorld.make({ NGROK_AUTHTOKEN: AUTHTOKEN });
    const { program } = KINDS[backend];
    const env = { FAKE_TAILSCALE: `${world.root}/tailscale.json` };
    await writeFakePrograms(`${world.root}/bin`, cloudflare.edge, {
      programs: program === null ? [] : [program],
      env,
    });
    const provider = await loadProvider(backend, {
      cloudflareApi: cloudflare.base,
    });
    return new ProviderBench({ backend, provider, cloudflare, world });
  }

  /** A project with memory, folder and tunnel of its own. */
  project(id: string): BenchProject {
    const { world, backend, cloudflare, token, provider } = this;
    let facts: JsonObject | null = null;
    let saves = 0;
    const context: TunnelContext = {
      ...world.context,
      projectId: id,
      folder: `${world.root}/tunnels/${id}`,
      cloudflare: backend === "cloudflare"
        ? settingsFor(cloudflare, token, `taskmux-${id}`)
        : world.context.cloudflare,
      memory: {
        load: () => facts,
        save: (next) => {
          saves++;
          facts = next;
        },
      },
    };
    return {
      context,
      get saves() {
        return saves;
      },
      target: (given) =>
        target({
          hostname: provider.hostnames === "none"
            ? null
            : `${given?.task ?? "web"}-${id}.example.com`,
          ...given,
        }),
    };
  }

  /** Values that may be told to nobody. */
  get secrets(): readonly string[] {
    return [
      this.token.value,
      AUTHTOKEN,
      ...this.cloudflare.world.tunnels.flatMap((tunnel) => [
        tunnel.secret,
        this.cloudflare.world.runToken(tunnel),
      ]),
    ];
  }

  /** All that is on disk, and all that was changed far away. */
  async traces(): Promise<string> {
    const files = (await filesBelow(this.world.root)).sort();
    return JSON.stringify([
      files,
      this.cloudflare.changes,
      this.cloudflare.edge.connectors.length,
    ]);
  }

  /** How it is with the tailnet from now on. */
  async setTailscale(state: Partial<TailscaleState>): Promise<void> {
    await Deno.writeTextFile(
      `${this.world.root}/tailscale.json`,
      JSON.stringify({ ...TAILSCALE_RUNS, ...state }),
    );
  }

  /**
   * Has program and far side never answer.
   *
   * @returns Tells whether somebody waits for an answer now.
   */
  async stall(): Promise<() => boolean> {
    const waiting = `${this.world.root}/waiting`;
    if (this.kind.program !== null) {
      await this.world.program(
        this.kind.program,
        `: > ${waiting}\nexec sleep 1000`,
      );
    }
    const { journal } = this.cloudflare;
    const before = journal.length;
    this.cloudflare.fail({}, { body: "hang", times: 1_000 });
    return () => {
      if (journal.length > before) return true;
      try {
        return Deno.statSync(waiting).isFile;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return false;
        throw error;
      }
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cloudflare[Symbol.asyncDispose]();
    await this.world[Symbol.asyncDispose]();
  }
}

function settingsFor(
  cloudflare: FakeCloudflare,
  token: FakeToken,
  tunnelName: string,
): CloudflareSettings {
  const said = (value: string): Setting => ({ value, source: "global" });
  return {
    accountId: said(cloudflare.account.id),
    zoneId: { value: null, source: null },
    tunnelName: { value: tunnelName, source: "default" },
    apiToken: said(token.value),
    apiTokenEnv: "CLOUDFLARE_API_TOKEN",
    tokenFlaw: null,
  };
}

/** Path, mode and content of every file. */
async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    const { mode } = await Deno.lstat(path);
    if (isDirectory) found.push(path, ...await filesBelow(path));
    else found.push(`${path} ${mode} ${await Deno.readTextFile(path)}`);
  }
  return found;
}
