/**
 * Opens the port of the API on loopback, before there is anything to answer.
 *
 * @module
 */

import type { Paths } from "../config/paths.ts";
import { systemClock } from "../kit/clock.ts";
import type { Keeper } from "../supervisor/keeper.ts";
import {
  type HttpRoute,
  type HttpServer,
  serveHttp,
} from "../transports/http_server.ts";
import { RefusalLog } from "../transports/refusal_log.ts";
import { createAdmission } from "./api_admission.ts";
import { apiConnections, descriptorLimit } from "./descriptor_limit.ts";

/** Why agents get no answer after an upgrade. */
/** The default of `api_port`, suggested where another one cannot be had. */
const USUAL_PORT = 8_765;
const MAX_PORT = 65_535;

const TOO_OLD =
  "older than the daemon, and cannot tell whose a connection to the API is, so nobody is answered there; taskmux daemon restart --force";

/** The port of the API. Disposal closes it. */
export interface Api extends AsyncDisposable {
  /** Null = it could not be bound. */
  readonly port: number | null;
  /** From now on this answers. */
  serve(route: HttpRoute): void;
}

/** What opening it needs. */
export interface OpenApiOptions {
  readonly paths: Paths;
  readonly port: number;
  readonly keeper: Keeper;
  /** Present problems by subject. */
  readonly problems: Map<string, string>;
  log(level: "warning", message: string): void;
}

/** Opens it. A port that cannot be had is noted, and no reason not to start: the CLI does not need it. */
export function openApi(
  { paths, port, keeper, problems, log }: OpenApiOptions,
): Api {
  const warn = (message: string): void => log("warning", `api: ${message}`);
  const strangers = new RefusalLog({ clock: systemClock, log: warn });
  let route: HttpRoute = () => null;
  const server = tryServe({
    port,
    socketPath: paths.httpSocket,
    route: (request, url) => route(request, url),
    admits: createAdmission({
      keeper,
      clock: systemClock,
      onRefused: (message) => strangers.note(message),
      onKeeperAge: (isTooOld) => {
        if (isTooOld) problems.set("keeper", TOO_OLD);
        else if (problems.get("keeper") === TOO_OLD) problems.delete("keeper");
      },
    }),
    // 1 000 followers of events are no attack, but what most machines never see.
    moreConnections: async () =>
      apiConnections(await descriptorLimit(systemClock)),
    log: warn,
  }, problems);
  return {
    port: server?.port ?? null,
    serve: (next) => {
      route = next;
    },
    [Symbol.asyncDispose]: async () => {
      await server?.[Symbol.asyncDispose]();
    },
  };
}

function tryServe(
  options: Parameters<typeof serveHttp>[0],
  problems: Map<string, string>,
): HttpServer | null {
  try {
    const server = serveHttp(options);
    if (!server.hasIpv6 && isTakenOnIpv6(server.port)) {
      problems.set(
        "API",
        `port ${server.port} of [::1] is another program's, which gets what is sent to http://localhost:${server.port}; ${
          anotherPort(server.port)
        }`,
      );
    }
    return server;
  } catch (error) {
    const isForbidden = error instanceof Deno.errors.PermissionDenied;
    if (!isForbidden && !(error instanceof Deno.errors.AddrInUse)) throw error;
    const state = isForbidden ? "is for root only" : "is taken";
    problems.set(
      "API",
      `port ${options.port} ${state}, so only the command line and 'taskmux mcp serve' work; ${
        anotherPort(options.port)
      }`,
    );
    return null;
  }
}

/** How to get a port that stays: at 0 it would be another one each time, and agents could not be told. */
export function anotherPort(port: number): string {
  const other = port < USUAL_PORT ? USUAL_PORT : port % MAX_PORT + 1;
  return `taskmux config set api_port ${other} && taskmux daemon restart`;
}

/** Whether somebody else has it. A machine without IPv6 has no such port, and no client that looks for it there. */
function isTakenOnIpv6(port: number): boolean {
  try {
    Deno.listen({ hostname: "::1", port }).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.AddrInUse;
  }
}
