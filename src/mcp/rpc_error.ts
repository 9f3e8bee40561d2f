/**
 * Error codes of JSON-RPC that are answered here and not by the SDK. One meaning each.
 *
 * @module
 */

/** `parse` and `invalidRequest` are JSON-RPC's own; of the others -32000 to -32002 mean what they mean to MCP and its SDK. */
export const RPC_ERROR = {
  /** It is no JSON. */
  parse: -32700,
  /** It is no request, or one under way has its id. */
  invalidRequest: -32600,
  /** The transport refuses, or a request ends without an answer. */
  transport: -32000,
  /** There is no such session. */
  noSession: -32001,
  /** There is no such resource. */
  noResource: -32002,
  /** There was an answer, and it is kept no more. */
  answerLost: -32003,
} as const;
