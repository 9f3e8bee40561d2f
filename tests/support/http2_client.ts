/**
 * A client of HTTP/2 that asks a proxy for one name.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from "node:http2";
import { TASK_NAME } from "./proxied_task.ts";
import type { TestProxy } from "./test_proxy.ts";

/** The whole answer. */
export interface Http2Answer {
  readonly status: number;
  /** Names and values in turns. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** 0 if the stream ended as it should. */
  readonly code: number;
}

/** One connection. Disposal ends it at once. */
export class Http2Client implements Disposable {
  readonly session: ClientHttp2Session;

  constructor({ port, ca }: TestProxy) {
    this.session = connect(`https://127.0.0.1:${port}`, {
      ca,
      servername: TASK_NAME,
    });
    this.session.on("error", () => {});
  }

  /** Begins a request; what is left out is `GET /` without a body. */
  open(headers: OutgoingHttpHeaders = {}, hasBody = false): ClientHttp2Stream {
    return this.session.request(
      { ":authority": TASK_NAME, ":path": "/", ...headers },
      { endStream: !hasBody },
    );
  }

  /** Asks and reads all of the answer. */
  ask(headers?: OutgoingHttpHeaders, body?: string): Promise<Http2Answer> {
    const stream = this.open(headers, body !== undefined);
    if (body !== undefined) stream.end(Buffer.from(body, "latin1"));
    return readHttp2(stream);
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

/** Reads the answer to its end, whichever that is. */
export function readHttp2(stream: ClientHttp2Stream): Promise<Http2Answer> {
  const { promise, resolve } = Promise.withResolvers<Http2Answer>();
  let status = 0;
  let headers: readonly string[] = [];
  let trailers: readonly string[] = [];
  let body = "";
  stream.setEncoding("latin1");
  stream.on("error", () => {});
  stream.on(
    "response",
    (fields: Record<string, unknown>, _flags: number, raw?: string[]) => {
      status = Number(fields[":status"]);
      headers = raw ?? [];
    },
  );
  stream.on("trailers", (_fields: unknown, _flags: number, raw?: string[]) => {
    trailers = raw ?? [];
  });
  stream.on("data", (text: string) => body += text);
  stream.on("close", () => {
    resolve({ status, headers, body, trailers, code: stream.rstCode ?? 0 });
  });
  return promise;
}
