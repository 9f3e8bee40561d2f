/**
 * `taskmux_status`
 *
 * @module
 */

import type { McpTool } from "../catalogue.ts";

/** See the module. */
export const status: McpTool = {
  declaration: {
    name: "taskmux_status",
    description: "State of every task of a project",
    inputSchema: {
      type: "object",
      properties: { session: { type: "string" } },
    },
    annotations: { readOnlyHint: true },
  },
  async call(args, { connection, signal, onNews }) {
    const { caller, access, dispatcher, lifetime } = connection;
    const session = access.pin ?? args["session"];
    const answer = await dispatcher.call(
      "task.status",
      { scope: { session } },
      {
        caller,
        reveal: false,
        signal,
        lifetime,
        onProgress: () => {},
        onNews,
      },
    );
    return {
      content: [{ type: "text", text: JSON.stringify(answer) }],
    };
  },
};
