/**
 * Operations on how the machine resolves host names.
 *
 * @module
 */

import { z } from "zod";
import { call } from "../operation.ts";

const RESOLVER = z.enum(["etc_hosts", "dns_server", "noop"]);

/** What an action did to the machine. */
const CHANGE = {
  ok: z.literal(true),
  resolver: RESOLVER,
  tld: z.string(),
  changed: z.boolean(),
  /** Commands that are still to be typed. */
  next: z.array(z.string()),
};

/** See the module. */
export const dns = {
  "dns.status": call({
    summary: "Tell how host names are resolved, and whether that works",
    permission: "read",
    effect: "none",
    params: z.strictObject({}),
    result: z.looseObject({
      ok: z.literal(true),
      /** The one in use; `auto` while nothing was looked at. */
      resolver: z.enum(["auto", ...RESOLVER.options]),
      /** `host_resolver` of the settings. */
      configured: z.string(),
      tld: z.string(),
      /** Port of the DNS server; null while it does not run. */
      port: z.number().nullable(),
      /** Whether the resolver does what it is there for. */
      active: z.boolean(),
      /** Whether something of it is in a file of the system, and whether that says what it should. */
      installed: z.boolean(),
      current: z.boolean(),
      path: z.string().nullable(),
      detail: z.string(),
      /** Whether every name leads to this machine for ordinary programs; null if that cannot be told. */
      resolves: z.boolean().nullable(),
      /** Addresses that names get. */
      addresses: z.array(z.string()),
      names: z.array(z.string()),
      /** Those that do not lead to this machine, of the first few. */
      unresolved: z.array(z.string()),
      /** Catch-alls, of which a hosts file knows nothing. */
      skipped: z.array(z.string()),
      problems: z.array(z.string()),
      /** A command to type. */
      hint: z.string().nullable(),
    }),
    errors: [],
    since: "0.3.0",
  }),
  "dns.install": call({
    summary: "Have host names resolved by this machine, from now on",
    permission: "admin",
    effect: "idempotent",
    params: z.strictObject({}),
    result: z.looseObject({
      ...CHANGE,
      port: z.number().nullable(),
      names: z.array(z.string()),
      skipped: z.array(z.string()),
      detail: z.string(),
    }),
    errors: ["E720"],
    since: "0.3.0",
  }),
  "dns.uninstall": call({
    summary: "Take back what was done to the machine, and leave it alone",
    permission: "admin",
    effect: "idempotent",
    params: z.strictObject({}),
    result: z.looseObject(CHANGE),
    errors: ["E720"],
    since: "0.3.0",
  }),
  "dns.flush": call({
    summary: "Have the machine forget what it remembers of names",
    permission: "control",
    effect: "idempotent",
    params: z.strictObject({}),
    result: z.looseObject(CHANGE),
    errors: ["E720"],
    since: "0.3.0",
  }),
  "dns.query": call({
    summary: "Ask our own DNS server",
    permission: "read",
    effect: "none",
    params: z.strictObject({
      name: z.string().min(1).max(254),
      type: z.string().default("A"),
    }),
    result: z.looseObject({
      ok: z.literal(true),
      name: z.string(),
      type: z.string(),
      rcode: z.string(),
      answers: z.array(z.string()),
    }),
    errors: ["E500", "E721"],
    since: "0.3.0",
  }),
};
