/**
 * Operations on public names.
 *
 * @module
 */

import { z } from "zod";
import { TUNNEL_BACKENDS } from "../../domain/tunnel.ts";
import { call, scope } from "../operation.ts";

const backend = z.enum(TUNNEL_BACKENDS);

const access = z.enum(["open", "basic", "link"]);

const reach = z.enum(["public", "tailnet"]);

/** Longest time that a tunnel may be given: a year. */
const MAX_EXPIRES_S = 365 * 24 * 3600;

/** A tunnel as `status` and `tunnel status` tell it. */
export const tunnelView = z.looseObject({
  backend,
  state: z.enum(["opening", "open", "failing", "waiting", "off"]),
  public: z.boolean(),
  public_url: z.string().nullable(),
  public_hostname: z.string().nullable(),
  access,
  reach,
  standing: z.boolean(),
  /** Seconds since the epoch. */
  opened_at: z.number().nullable(),
  /** Seconds since the epoch; null = it has no end. */
  expires_at: z.number().nullable(),
  origin: z.string().nullable(),
  process: z.string().nullable(),
  reason: z.string().nullable(),
  requests: z.number(),
  refused: z.number(),
});

/** One thing that has to be right before a tunnel can be opened. */
export const tunnelCheck = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  detail: z.string(),
  fix: z.string().nullable(),
});

/** See the module. */
export const tunnel = {
  "tunnel.up": call({
    summary: "Make a running task reachable from outside this machine",
    permission: "control",
    effect: "destructive",
    params: z.strictObject({
      scope,
      task: z.string().min(1),
      /** By default that of the open tunnel, else what the file says, else `cloudflare-quick`. */
      backend: backend.optional(),
      /** The public name that is wanted; by default the file's `public_hostname`. */
      hostname: z.string().min(1).max(253).optional(),
      /** Who is let in. By default what it has, else everybody. */
      access: access.optional(),
      /** For `basic`. */
      user: z.string().min(1).max(100).optional(),
      /** For `basic`; by default one is made up and answered once. */
      password: z.string().min(8).max(1_000).optional(),
      reach: reach.optional(),
      /** Seconds after which it is closed; 0 = it has no end. By default what it has, else none. */
      expires: z.number().int().min(0).max(MAX_EXPIRES_S).optional(),
      /** The caller's environment. */
      env: z.record(z.string(), z.string()).optional(),
      /** Seconds until it must be open. */
      timeout: z.number().min(1).max(600).default(60),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      task: z.string(),
      session: z.string(),
      action: z.enum(["opened", "changed", "noop"]),
      public_url: z.string(),
      tunnel: tunnelView,
      /** For `basic`; the password only if it was made up just now. */
      user: z.string().nullable(),
      password: z.string().nullable(),
      /** For `link`: lets one browser in. */
      link: z.string().nullable(),
      warnings: z.array(z.string()),
    }),
    errors: ["E200", "E202", "E500", "E700", "E701", "E740", "E741", "E742"],
    since: "0.3.0",
    // Password and link are for whoever asked, and nobody can ask for them again.
    redacted: false,
  }),
  "tunnel.down": call({
    summary: "No longer have tasks reachable from outside; cuts connections",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({
      scope,
      /** Empty = all of the project. */
      tasks: z.array(z.string().min(1)).default([]),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      session: z.string(),
      /** Tasks whose tunnel was closed. */
      closed: z.array(z.string()),
      warnings: z.array(z.string()),
    }),
    errors: ["E200", "E743"],
    since: "0.3.0",
  }),
  "tunnel.link": call({
    summary: "Make one more link that lets one browser in",
    permission: "control",
    effect: "destructive",
    params: z.strictObject({ scope, task: z.string().min(1) }),
    result: z.looseObject({
      ok: z.literal(true),
      task: z.string(),
      link: z.string(),
      /** Seconds since the epoch. */
      expires_at: z.number(),
    }),
    errors: ["E200", "E500", "E743"],
    since: "0.3.0",
    redacted: false,
  }),
  "tunnel.status": call({
    summary: "Tell which tasks are public, and how",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      /** Absent = every project. */
      scope: scope.optional(),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      tunnels: z.array(
        z.looseObject({
          session: z.string(),
          task: z.string(),
          ...tunnelView.shape,
        }),
      ),
      count: z.number(),
    }),
    errors: [],
    since: "0.3.0",
  }),
};
