/**
 * A server to be put behind a proxy: `deno run -A proxy_upstream.ts PORT`.
 *
 * `/small` is 100 bytes at once, `/stream` 100 bytes after their head, `/body?BYTES` as many as are asked for; what is
 * sent is counted; WebSockets echo.
 *
 * @module
 */

const SMALL = "x".repeat(100);
const CHUNK = new Uint8Array(64 * 1024);

if (import.meta.main) {
  Deno.serve({
    hostname: "127.0.0.1",
    port: Number(Deno.args[0]),
    onListen: () => {},
  }, answer);
}

async function answer(request: Request): Promise<Response> {
  if (request.headers.get("upgrade") === "websocket") {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  }
  const { pathname, search } = new URL(request.url);
  if (pathname === "/stream") return streamed();
  if (pathname === "/body") return body(Number(search.slice(1)));
  if (request.body === null) return new Response(SMALL);
  let count = 0;
  for await (const chunk of request.body) count += chunk.length;
  return new Response(String(count));
}

/** The head first, the body in a later turn. */
function streamed(): Response {
  const bytes = new TextEncoder().encode(SMALL);
  const stream = new ReadableStream({
    start(controller) {
      setTimeout(() => {
        controller.enqueue(bytes);
        controller.close();
      }, 0);
    },
  });
  return new Response(stream);
}

function body(bytes: number): Response {
  let left = bytes;
  const stream = new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const chunk = CHUNK.subarray(0, Math.min(left, CHUNK.length));
      left -= chunk.length;
      controller.enqueue(chunk);
    },
  });
  return new Response(stream, {
    headers: { "content-length": String(bytes) },
  });
}
