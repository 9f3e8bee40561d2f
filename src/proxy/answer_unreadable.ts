/**
 * What a client gets for bytes that are no HTTP/1.1 request.
 *
 * @module
 */

import type { Duplex } from "node:stream";

/** By code; anything else is a bad request. */
const STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  // This is no proxy to other places.
  CONNECT: "501 Not Implemented",
};

/**
 * Answers by the code of the parser's error, or to `CONNECT`, and ends the connection.
 *
 * @param fields More fields of the answer, each with its line end.
 */
export function answerUnreadable(
  error: { readonly code?: string },
  socket: Duplex,
  fields: string = "",
): void {
  // What the client has begun to read cannot be answered again.
  if (!socket.writable || isAnswering(socket) || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const status = STATUS[error.code ?? ""] ?? "400 Bad Request";
  const body = `taskmux: ${status.slice(4)}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${body.length}\r\nconnection: close\r\n${fields}\r\n${body}`,
    () => socket.destroy(),
  );
}

function isAnswering(socket: Duplex): boolean {
  const { _httpMessage: message } = socket as {
    _httpMessage?: { headersSent: boolean } | null;
  };
  return message?.headersSent === true;
}
