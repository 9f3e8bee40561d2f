/**
 * How an operation of the daemon is declared: once, here, for every surface.
 *
 * @module
 */

import { z } from "zod";
import type { ErrorCode } from "../domain/error_codes.ts";

/** Who may call. */
export type Permission = "read" | "control" | "admin";

/** What a call does to the world. */
export type Effect = "none" | "idempotent" | "destructive";

/** Everything a surface needs to know of an operation. */
export interface Spec<P extends z.ZodType, R extends z.ZodType> {
  /** One sentence for people and agents. */
  readonly summary: string;
  readonly permission: Permission;
  readonly effect: Effect;
  readonly params: P;
  readonly result: R;
  /** Codes this operation can fail with, beside those any operation can. */
  readonly errors: readonly ErrorCode[];
  /** Version of taskmux that first had it. */
  readonly since: string;
  /** False = the answer is given as it is. By default secrets are taken out of it, unless the caller wants to see them. */
  readonly redacted?: false;
  /** True = an answer may hold tens of thousands of items, so only a few are made at the same time. */
  readonly bulky?: true;
}

/** One question, one answer, perhaps with progress between. */
export type Call<
  P extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> = Spec<P, R> & { readonly kind: "call" };

/** One question, many answers. `result` is the type of an item. */
export type Stream<
  P extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
> = Spec<P, R> & { readonly kind: "stream" };

/** Declares a call. */
export function call<P extends z.ZodType, R extends z.ZodType>(
  spec: Spec<P, R>,
): Call<P, R> {
  return { kind: "call", ...spec };
}

/** Declares a stream. */
export function stream<P extends z.ZodType, R extends z.ZodType>(
  spec: Spec<P, R>,
): Stream<P, R> {
  return { kind: "stream", ...spec };
}

/** Which project an operation is about: the path of its file, or its id. Exactly one. */
export const scope = z.strictObject({
  /** Absolute path of the `taskmux.toml`. */
  config: z.string().startsWith("/").optional(),
  /** Project id. */
  session: z.string().optional(),
}).refine(
  (value) => (value.config === undefined) !== (value.session === undefined),
  {
    message: "Give either config or session",
  },
);

/** A project reference, see {@linkcode scope}. */
export type Scope = z.infer<typeof scope>;
