/**
 * One call of a tool: its progress, its notices, and its end when the client withdraws.
 *
 * @module
 */

import type { AnswerReceipts } from "./answer_receipts.ts";
import type { McpTool, ToolContext, ToolProgress } from "./catalogue.ts";
import type {
  CallToolResult,
  RequestHandlerExtra,
  ServerNotification,
  ServerRequest,
} from "./sdk.ts";
import type { Serving } from "./serve_resources.ts";

/** What the SDK knows of a request. */
type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** A call. */
export interface ToolCall {
  readonly tool: McpTool;
  readonly args: Readonly<Record<string, unknown>>;
  readonly extra: Extra;
  readonly receipts: AnswerReceipts;
}

/** Calls it. Nothing is told of it once it has answered. */
export async function callTool(
  { tool, args, extra, receipts }: ToolCall,
  { server, connection, outbox }: Serving,
): Promise<CallToolResult> {
  const { signal, requestId, closeSSEStream } = extra;
  const over = new AbortController();
  const context: ToolContext = {
    connection,
    signal,
    server,
    requestId,
    onProgress: createProgress(extra, over.signal, (progress) => {
      outbox.send(progress, extra.sendNotification);
    }),
    onNotice: (notice) => {
      if (!over.signal.aborted) outbox.notice(notice, extra.sendNotification);
    },
    onNews: (settle) => {
      // An answer that the transport has taken may still be lost where there are several streams.
      if (connection.onNews !== undefined) connection.onNews(requestId, settle);
      else receipts.expect(requestId, settle, signal);
    },
    ...closeSSEStream === undefined ? {} : { closeStream: closeSSEStream },
  };
  try {
    return await tool.call(args, context);
  } finally {
    over.abort();
  }
}

/** Progress goes up or is not told, as the specification wants. */
function createProgress(
  { _meta }: Extra,
  over: AbortSignal,
  send: (notification: ServerNotification) => void,
): (progress: ToolProgress) => void {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return () => {};
  let last = -Infinity;
  return ({ progress, total, message }) => {
    if (over.aborted || progress <= last) return;
    last = progress;
    send({
      method: "notifications/progress",
      params: {
        progressToken,
        progress,
        ...total === undefined ? {} : { total },
        ...message === undefined ? {} : { message },
      },
    });
  };
}
