/**
 * How a tool is declared: once, from an operation of the contract, and what it makes of the answer.
 *
 * @module
 */

import { z } from "zod";
import {
  type CallName,
  contract,
  type ParamsInput,
  type Result,
} from "../../contract/mod.ts";
import type { McpToolName } from "../../domain/mcp_tool_names.ts";
import { TOOL_PREFIX } from "../../domain/mcp_tool_names.ts";
import type { Effect } from "../../contract/operation.ts";
import type { Json, JsonObject } from "../../kit/json.ts";
import type { Tool } from "../sdk.ts";
import { inputSchema, outputSchema } from "./json_schema.ts";

/** Which project a tool is about: `one` needs one, `any` takes one, `all` is about the machine. */
export type Reach = "one" | "any" | "all";

/**
 * What a client is told. A client gives its model one of the two and drops the other, so each says everything: Claude
 * Code (2.1.280), Codex, OpenCode and Copilot take `structured` of a success, and Claude Code `text` of a failure; Claude
 * Desktop, Kimi Code and Open WebUI take `text`. Observed by their users in the issues anthropics/claude-code 79944 and
 * 86032, openai/codex 38287, anomalyco/opencode 32074, github/copilot-cli 3258, MoonshotAI/kimi-code 3234.
 */
export interface Brief {
  readonly structured: { readonly [key: string]: Json | undefined };
  readonly text: string;
  /** The operation has answered, and what was wanted has not happened. */
  readonly isFailure?: boolean;
}

/** What a brief may depend on beside the result. */
export interface BriefContext<A> {
  readonly args: A;
  /** The project; null = all. */
  readonly session: string | null;
  readonly isPinned: boolean;
  /** Wall time in milliseconds. */
  readonly now: number;
}

/** A tool before anything is derived from it. */
export interface ToolSpec<
  N extends CallName,
  I extends z.ZodRawShape,
  O extends z.ZodRawShape,
> {
  readonly name: McpToolName;
  readonly operation: N;
  /** For a model, in few words. */
  readonly description: string;
  readonly reach: Reach;
  /** Beside `session`. Names that the contract has too mean the same there. */
  readonly input: I;
  /** What `structured` may hold beside errors and news; nothing of it is promised in an error. */
  readonly output: O;
  params(
    args: z.output<z.ZodObject<I>>,
    scope: { readonly session: string } | undefined,
  ): ParamsInput<N>;
  brief(
    result: Result<N>,
    context: BriefContext<z.output<z.ZodObject<I>>>,
  ): Brief;
}

/** A tool, its types forgotten. */
export interface AnyTool {
  readonly name: string;
  readonly operation: CallName;
  readonly reach: Reach;
  /** Whether it changes anything. */
  readonly isActing: boolean;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** For `tools/list`. */
  declare(options: { readonly isPinned: boolean }): Tool;
  params(
    args: Readonly<Record<string, unknown>>,
    scope: { readonly session: string } | undefined,
  ): unknown;
  brief(
    result: JsonObject,
    context: BriefContext<Readonly<Record<string, unknown>>>,
  ): Brief;
}

/** Declares a tool. */
export function defineTool<
  N extends CallName,
  I extends z.ZodRawShape,
  O extends z.ZodRawShape,
>(spec: ToolSpec<N, I, O>): AnyTool {
  const operation: {
    readonly permission: string;
    readonly effect: Effect;
  } = contract[spec.operation];
  const isActing = operation.permission !== "read";
  const name = `${TOOL_PREFIX}${spec.name}`;
  const input = z.strictObject({
    ...spec.input,
    ...spec.reach === "all" ? {} : { session: z.string().optional() },
  });
  const output = z.object(spec.output).partial();
  const declare = (isPinned: boolean): Tool => ({
    name,
    description: spec.description,
    inputSchema: inputSchema(isPinned ? z.object(spec.input) : input),
    outputSchema: outputSchema(output),
    annotations: annotationsOf(isActing, operation.effect),
  });
  const pinned = declare(true);
  const free = declare(false);
  return {
    name,
    operation: spec.operation,
    reach: spec.reach,
    isActing,
    input,
    output,
    declare: ({ isPinned }) => isPinned ? pinned : free,
    // The arguments were read by `input`, and the result is that of `operation`.
    params: (args, scope) =>
      spec.params(args as z.output<z.ZodObject<I>>, scope),
    brief: (result, context) =>
      spec.brief(
        result as Result<N>,
        context as BriefContext<z.output<z.ZodObject<I>>>,
      ),
  };
}

/**
 * The specification's defaults say the worst of a tool: it acts, destroys, is not idempotent and reaches out into the
 * world. Codex asks its user before each call for which any of that is so; of a tool that only reads it asks no more.
 */
function annotationsOf(isActing: boolean, effect: Effect): Tool["annotations"] {
  if (!isActing) return { readOnlyHint: true };
  return {
    ...effect === "idempotent"
      ? { destructiveHint: false, idempotentHint: true }
      : { destructiveHint: true },
    openWorldHint: false,
  };
}
