/**
 * Asks as an agent does, and counts what comes back.
 *
 * @module
 */

import type { AgentSession, Asking } from "../subjects/agents/agent_subject.ts";
import type { Json, McpSession } from "./mcp_client.ts";

/** Bytes that count as one token. */
export const TOKEN_BYTES = 4;

/** Pause between two looks at something that takes time, and how often there is one at most. */
const REPEAT_MS = 1_000;
const REPEATS = 10;

/** What one question cost. */
export interface Cost {
  /** Calls made, or commands run. */
  readonly calls: number;
  /** Bytes of the text that the model reads, of all answers together. */
  readonly textBytes: number;
  /** Bytes of the whole results, which hold the same as structured content where a server gives both. */
  readonly wholeBytes: number;
  /** All that the model read. */
  readonly text: string;
}

/** Asks, and tells what it cost. @param mcp Null = by commands. */
export async function counted(
  session: AgentSession,
  mcp: McpSession | null,
  way: (asking: Asking) => Promise<void>,
): Promise<Cost> {
  const texts: string[] = [];
  let wholeBytes = 0;
  const note = (text: string, whole: string): string => {
    texts.push(text);
    wholeBytes += bytesOf(whole);
    return text;
  };
  await way({
    tool: async (name, args = {}) => {
      if (mcp === null) throw new Error("there is no MCP");
      const result = await callTool(mcp, name, args);
      return note(textOf(result), JSON.stringify(result));
    },
    command: async (...args) => {
      const { text } = await session.sandbox.ask(session.command(args));
      return note(text, text);
    },
    repeat: async (call, isDone) => {
      for (let n = 0; n < REPEATS && !isDone(await call()); n++) {
        await new Promise((resolve) => setTimeout(resolve, REPEAT_MS));
      }
    },
  });
  const text = texts.join("\n");
  const textBytes = texts.reduce((sum, each) => sum + bytesOf(each), 0);
  return { calls: texts.length, textBytes, wholeBytes, text };
}

/** Bytes in UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Calls a tool; what is no result is an answer that says why, as it is to an agent. */
async function callTool(
  mcp: McpSession,
  name: string,
  args: Json,
): Promise<Json> {
  try {
    return await mcp.request("tools/call", { name, arguments: args });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { content: [{ type: "text", text: error.message }] };
  }
}

/** The text blocks of a tool's result. */
function textOf(result: Json): string {
  const { content = [] } = result as {
    readonly content?: readonly { readonly text?: string }[];
  };
  return content.map(({ text = "" }) => text).join("\n");
}
