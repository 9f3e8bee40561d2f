/**
 * A request of a client and the answer to it, whichever protocol the client speaks.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** A request of either protocol. */
export type ClientRequest = IncomingMessage | Http2ServerRequest;

/** The answer to it. */
export type ClientResponse = ServerResponse | Http2ServerResponse;
