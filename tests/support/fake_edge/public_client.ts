/**
 * Asks for public names as somebody in the internet does, at a fake edge.
 *
 * @module
 */

import { request as httpRequest } from "node:http";
import { type FakeEdge, FROM_TAILNET } from "../fake_edge.ts";

/** What was answered. */
export interface PublicAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** How to ask. */
export interface PublicOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whether a device of the tailnet asks. */
  readonly tailnet?: boolean;
  readonly signal?: AbortSignal;
}

/** One request to a public address, such as `https://api.example.com/path`, without TLS. */
export function askPublic(
  edge: FakeEdge,
  address: string,
  options: PublicOptions = {},
): Promise<PublicAnswer> {
  const url = new URL(address);
  const { promise, resolve, reject } = Promise.withResolvers<PublicAnswer>();
  const request = httpRequest({
    host: "127.0.0.1",
    port: edge.port,
    agent: false,
    method: options.method ?? "GET",
    path: `${url.pathname}${url.search}`,
    headers: {
      ...options.headers,
      ...options.tailnet === true ? { [FROM_TAILNET]: "yes" } : {},
      host: url.host,
    },
    ...options.signal === undefined ? {} : { signal: options.signal },
  });
  request.on("error", reject);
  request.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (part: string) => text += part);
    response.on("error", reject);
    response.on("end", () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text,
      }));
  });
  request.end(options.body);
  return promise;
}
