/**
 * Operations on the trust of clients in the certificate authority.
 *
 * @module
 */

import { z } from "zod";
import { call } from "../operation.ts";

/** Variables of the caller's environment that decide which stores are its own: HOME, PATH, JAVA_HOME and such. */
const environment = z.record(z.string(), z.string()).default({});

/** A store of trusted certificates. */
export const trustStore = z.strictObject({
  store: z.enum(["system", "chromium", "firefox", "java"]),
  path: z.string(),
  state: z.enum([
    "installed",
    "present",
    "removed",
    "absent",
    "needs_root",
    "no_tool",
    "failed",
    "unknown",
  ]),
  /** Whether it trusts the certificate now; null = nobody can tell. */
  trusted: z.boolean().nullable(),
  detail: z.string().nullable(),
  /** A command to type. */
  fix: z.string().nullable(),
});

/** What was done to all stores. */
export const trustChange = z.strictObject({
  /** Whether all stores are as they were asked to be. */
  ok: z.boolean(),
  action: z.enum(["installed", "uninstalled"]),
  /** Of the authority's certificate; null = there is none. */
  path: z.string().nullable(),
  fingerprint: z.string().nullable(),
  stores: z.array(trustStore),
  error_code: z.string().optional(),
  error: z.string().optional(),
  hint: z.string().optional(),
});

/** See the module. */
export const trust = {
  "ca.status": call({
    summary:
      "Tell which stores of this machine trust the certificate authority",
    permission: "read",
    effect: "none",
    params: z.strictObject({ environment }),
    result: z.looseObject({
      ok: z.literal(true),
      exists: z.boolean(),
      /** Of the certificate; null = there is none. */
      path: z.string().nullable(),
      /** SHA-256, pairs of digits with colons between. */
      fingerprint: z.string().nullable(),
      subject: z.string().nullable(),
      /** ISO 8601, UTC. */
      not_after: z.string().nullable(),
      /** Whether every store trusts it. */
      trusted: z.boolean(),
      stores: z.array(trustStore),
      /** The roots of the system and our own in one file. */
      bundle: z.strictObject({ path: z.string(), current: z.boolean() }),
    }),
    errors: ["E710"],
    since: "0.2.0",
  }),
  "ca.install": call({
    summary:
      "Have every store of this machine trust the certificate authority, which is made if there is none",
    permission: "admin",
    effect: "idempotent",
    params: z.strictObject({ environment }),
    result: trustChange,
    errors: ["E710", "E711"],
    since: "0.2.0",
  }),
  "ca.uninstall": call({
    summary: "Take the certificate authority out of every store",
    permission: "admin",
    effect: "destructive",
    params: z.strictObject({ environment }),
    result: trustChange,
    errors: ["E710", "E711"],
    since: "0.2.0",
  }),
  "ca.trust_clients": call({
    summary:
      "Have programs started in a shell trust the certificate authority, by variables in the file the shell reads",
    permission: "admin",
    effect: "idempotent",
    params: z.strictObject({
      environment,
      /** By default that of SHELL. */
      shell: z.string().optional(),
      /** Only tell the lines. */
      print: z.boolean().default(false),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      action: z.enum(["wrote", "replaced", "unchanged", "printed"]),
      shell: z.string(),
      /** The combined bundle. */
      caPath: z.string(),
      /** The authority's certificate, under the name that the first taskmux had for it, too. */
      rootCaPath: z.string(),
      mkcertCaPath: z.string(),
      rcFile: z.string().optional(),
      sourceCmd: z.string().optional(),
      exports: z.string().optional(),
      warnings: z.array(z.string()).optional(),
    }),
    errors: ["E500", "E710", "E711"],
    since: "0.2.0",
  }),
};
