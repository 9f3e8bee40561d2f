/**
 * A WebSocket server that sends back what it gets, byte by byte and so at the least cost: it answers the handshake, and
 * clears the mask of each frame. Frames are short and come whole. Argument: its port.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { createServer } from "node:net";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const server = createServer({ noDelay: true }, (socket) => {
  let isOpen = false;
  socket.on("error", () => socket.destroy());
  socket.on("data", (data) => {
    if (isOpen) return void socket.write(unmasked(data));
    const [, key] = /sec-websocket-key: *(\S+)/i.exec(data.toString()) ?? [];
    const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
    isOpen = true;
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
        `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  });
});
server.listen(Number(Deno.args[0]), "127.0.0.1");

/** @param frame Of a client, with at most 125 bytes. */
function unmasked(frame: Uint8Array): Uint8Array {
  const length = frame[1]! & 0x7f;
  const answer = new Uint8Array(2 + length);
  answer[0] = frame[0]!;
  answer[1] = length;
  for (let at = 0; at < length; at++) {
    answer[2 + at] = frame[6 + at]! ^ frame[2 + (at & 3)]!;
  }
  return answer;
}
