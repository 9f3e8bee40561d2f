/**
 * Operations that set public names up for good, look whether they would work, and take them back.
 *
 * @module
 */

import { z } from "zod";
import { TUNNEL_BACKENDS } from "../../domain/tunnel.ts";
import { call, scope } from "../operation.ts";
import { tunnelCheck, tunnelView } from "./tunnel.ts";

const backend = z.enum(TUNNEL_BACKENDS);

const env = z.record(z.string(), z.string()).optional();

const task = z.string().min(1);

/** Longest token, id and name. */
const text = z.string().min(1).max(1_000);

/** A value, and where it stands. */
const setting = z.looseObject({
  value: z.string().nullable(),
  /** `override`, `project`, `global`, `env`, `default`; null = it stands nowhere. */
  source: z.string().nullable(),
});

/** What counts for a project. The token is masked. */
const effective = z.looseObject({
  account_id: setting,
  zone_id: setting,
  tunnel_name: setting,
  api_token: setting,
});

const preflight = z.looseObject({
  ok: z.boolean(),
  checks: z.array(tunnelCheck),
});

/** What stands beside `ok: false`. */
const failure = {
  error_code: z.string().optional(),
  error: z.string().nullable(),
  hint: z.string().optional(),
};

/** See the module. */
export const tunnelSetup = {
  "tunnel.test": call({
    summary: "Check whether tasks could be made public; changes nothing",
    permission: "control",
    effect: "none",
    params: z.strictObject({
      scope,
      /** Empty = all that the file names a tunnel for. */
      tasks: z.array(task).default([]),
      /** By default what the file says of each. */
      backend: backend.optional(),
      /** The caller's environment. */
      env,
    }),
    result: z.looseObject({
      ok: z.boolean(),
      session: z.string(),
      tasks: z.array(z.string()),
      preflight,
      ...failure,
    }),
    errors: ["E200", "E500"],
    since: "0.3.0",
  }),
  "tunnel.enable": call({
    summary:
      "Have tasks be public whenever they run; nothing is changed before every check has passed",
    permission: "admin",
    effect: "idempotent",
    params: z.strictObject({
      scope,
      backend: backend.default("cloudflare"),
      /** Kept in the host's settings. */
      api_token: text.optional(),
      account_id: text.optional(),
      /** Kept in the project's file. */
      zone_id: text.optional(),
      /** Empty = those of `public_hostnames`, else those that the file names this backend for. */
      tasks: z.array(task).default([]),
      /** Task → public name. */
      public_hostnames: z.record(task, z.string()).default({}),
      /** Only tell what would be done. */
      dry_run: z.boolean().default(false),
      env,
    }),
    result: z.looseObject({
      ok: z.boolean(),
      backend,
      project_id: z.string(),
      tunnel_name: z.string().nullable(),
      tunnel_id: z.string().nullable(),
      public_urls: z.record(z.string(), z.string()),
      config: effective,
      preflight,
      dry_run: z.boolean(),
      /** What has to be changed, each in some words; what is so already is left out. */
      plan: z.array(z.string()),
      /** What of it was done. */
      done: z.array(z.string()),
      tunnels: z.array(
        z.looseObject({ task: z.string(), ...tunnelView.shape }),
      ),
      warnings: z.array(z.string()),
      ...failure,
    }),
    errors: ["E200", "E500", "E700", "E701", "E740", "E741", "E742"],
    since: "0.3.0",
  }),
  "tunnel.disable": call({
    summary: "No longer have tasks be public, and take that out of the file",
    permission: "admin",
    effect: "idempotent",
    params: z.strictObject({
      scope,
      /** Empty = all of the project. */
      tasks: z.array(task).default([]),
      /** Remove what was set up at the provider, too. */
      prune: z.boolean().default(false),
      env,
    }),
    result: z.looseObject({
      ok: z.boolean(),
      backend,
      project_id: z.string(),
      pruned: z.boolean(),
      /** Only those that had a tunnel. */
      tasks_disabled: z.array(z.string()),
      /** Sentences: what was removed at the provider, what is left there and why. */
      removed: z.array(z.string()),
      left: z.array(z.string()),
      warnings: z.array(z.string()),
      ...failure,
    }),
    errors: ["E200", "E741"],
    since: "0.3.0",
  }),
  "tunnel.config": call({
    summary: "Tell which settings of public names count, and where they stand",
    permission: "read",
    effect: "none",
    params: z.strictObject({ scope, env }),
    result: z.looseObject({
      ok: z.literal(true),
      backend,
      project_id: z.string(),
      config_path: z.string(),
      global_config_path: z.string(),
      effective,
      global: z.looseObject({
        account_id: z.string().nullable(),
        zone_id: z.string().nullable(),
        tunnel_name: z.string().nullable(),
        api_token: z.string().nullable(),
        api_token_env: z.string(),
      }),
      project: z.looseObject({
        zone_id: z.string().nullable(),
        tunnel_name: z.string().nullable(),
      }),
      tasks: z.array(
        z.looseObject({
          name: z.string(),
          tunnel: z.string().nullable(),
          host: z.string().nullable(),
          public_hostname: z.string().nullable(),
          public_url: z.string().nullable(),
        }),
      ),
      cloudflared_in_path: z.boolean(),
      /** Null = there is no such file. */
      config_file_mode: z.string().nullable(),
      config_file_mode_ok: z.boolean(),
      warnings: z.array(z.string()),
    }),
    errors: [],
    since: "0.3.0",
  }),
  "tunnel.config_set": call({
    summary: "Change settings of public names, all of them or none",
    permission: "admin",
    effect: "idempotent",
    params: z.strictObject({
      scope,
      /** The host's settings or the project's file. */
      where: z.enum(["global", "project"]).default("global"),
      values: z.record(text, text),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      scope: z.enum(["global", "project"]),
      config_path: z.string(),
      /** Key → value; that of a secret is masked. */
      updated: z.record(z.string(), z.string()),
      warnings: z.array(z.string()),
    }),
    errors: ["E104", "E500"],
    since: "0.3.0",
  }),
  "tunnel.zones": call({
    summary: "List the accounts and zones that a token of Cloudflare sees",
    permission: "admin",
    effect: "none",
    params: z.strictObject({ scope, api_token: text.optional(), env }),
    result: z.looseObject({
      ok: z.literal(true),
      accounts: z.array(z.looseObject({ id: z.string(), name: z.string() })),
      zones: z.array(z.looseObject({ id: z.string(), name: z.string() })),
    }),
    errors: ["E741"],
    since: "0.3.0",
  }),
};
