/**
 * Turns what a controller sent into requests that can be trusted. The only place where the keeper looks at unknown values.
 *
 * By hand, without a schema library: the keeper stays small.
 *
 * @module
 */

import { isIP } from "node:net";
import { isAbsolute } from "node:path";
import { signalNumber } from "../pty/native_pty.ts";
import {
  type ConnectionEnd,
  KEEPER_PROTOCOL,
  type KeeperRequest,
  type KeeperRequests,
  type LogTarget,
  OLDEST_KEEPER_PROTOCOL,
  type SpawnParams,
  type TerminateStep,
} from "../pty/protocol.ts";
import { Refusal } from "./refusal.ts";

/** Most columns or rows of a terminal: the kernel counts them in 16 bits. */
const MAX_TERMINAL_SIDE = 65_535;
const MAX_PORT = 65_535;
const MAX_STEPS = 16;

/** Longest form of an IPv6 address. */
const MAX_ADDRESS_LENGTH = 45;

/** Longest wait of one step: a day. */
const MAX_WAIT_MS = 24 * 60 * 60 * 1000;

/** Longest note on a run. */
const MAX_NOTE_LENGTH = 65_536;

/** Longest pattern to wait for. */
const MAX_PATTERN_LENGTH = 4 * 1024;

type Parsers = {
  readonly [Op in keyof KeeperRequests]: (
    value: unknown,
  ) => KeeperRequests[Op]["params"];
};

const PARSERS: Parsers = {
  introduce: (value) => ({
    pid: integer(object(value), "pid", 2),
    protocol: integer(
      object(value),
      "protocol",
      OLDEST_KEEPER_PROTOCOL,
      KEEPER_PROTOCOL,
    ),
  }),
  spawn,
  terminate: (value) => ({
    runId: runId(object(value)),
    steps: steps(object(value).steps),
  }),
  signal: (value) => ({
    runId: runId(object(value)),
    signal: signal(object(value)),
  }),
  list: () => ({}),
  acknowledge: (value) => ({ runIds: strings(object(value), "runIds") }),
  processes: (value) => ({ runId: runId(object(value)) }),
  waitForLine: (value) => ({
    runId: runId(object(value)),
    pattern: text(object(value), "pattern", MAX_PATTERN_LENGTH),
    flags: text(object(value), "flags"),
  }),
  write: (value) => ({
    runId: runId(object(value)),
    data: text(object(value), "data"),
  }),
  resize: (value) => ({
    runId: runId(object(value)),
    cols: integer(object(value), "cols", 1, MAX_TERMINAL_SIDE),
    rows: integer(object(value), "rows", 1, MAX_TERMINAL_SIDE),
  }),
  output: (value) => ({
    runId: runId(object(value)),
    from: integer(object(value), "from", 0),
  }),
  replay: (value) => ({ runId: runId(object(value)) }),
  putEnvironment: (value) => ({
    name: text(object(value), "name"),
    env: environment(object(value).env),
  }),
  getEnvironment: (value) => ({ name: text(object(value), "name") }),
  reclaim: (value) => {
    const runIds = strings(object(value), "runIds");
    runIds.forEach(checkRunId);
    const { since } = object(value);
    return { runIds, ...since === undefined ? {} : { since: times(since) } };
  },
  holders: (value) => ({
    port: integer(object(value), "port", 1, MAX_PORT),
    ...object(value).runId === undefined ? {} : { runId: runId(object(value)) },
    ...object(value).elsewhere === true ? { elsewhere: true } : {},
  }),
  connectionOwners: (value) => ({
    client: connectionEnd(object(value).client),
    server: connectionEnd(object(value).server),
  }),
  shutdown: () => ({}),
};

/** Whether this is the name of a request. */
export function isOperation(name: unknown): name is keyof KeeperRequests {
  return typeof name === "string" && Object.hasOwn(PARSERS, name);
}

/**
 * The parameters of a request.
 *
 * @throws {Refusal} `invalid` with what is wrong.
 */
export function parseParams<Op extends keyof KeeperRequests>(
  op: Op,
  value: unknown,
): KeeperRequests[Op]["params"] {
  return PARSERS[op](value);
}

/**
 * A frame of a controller, or null if it is not one: then the peer is broken. The operation may be unknown, and the
 * parameters are still unchecked.
 */
export function parseFrame(frame: unknown): KeeperRequest | null {
  if (!isObject(frame)) return null;
  if (typeof frame.cancel === "number") return { cancel: frame.cancel };
  const { id, op, params } = frame;
  if (typeof id !== "number" || typeof op !== "string") return null;
  return { id, op: op as keyof KeeperRequests, params };
}

/**
 * A regular expression from the outside.
 *
 * @throws {Refusal} `invalid` if it is not one, or has flags that carry state from one line to the next.
 */
export function parsePattern(pattern: string, flags: string): RegExp {
  if (!/^[imsuv]*$/.test(flags)) {
    throw invalid(`the flags "${flags}" are not among "imsuv"`);
  }
  try {
    return new RegExp(pattern, flags);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalid(error.message);
  }
}

function spawn(value: unknown): SpawnParams {
  const params = object(value);
  const argv = strings(params, "argv");
  const [program, ...args] = argv;
  if (program === undefined || program === "") {
    throw invalid('"argv" is empty');
  }
  argv.forEach((word) => withoutNul(word, "argv"));
  return {
    runId: runId(params),
    key: text(params, "key"),
    argv: [program, ...args],
    cwd: path(params, "cwd"),
    env: environment(params.env),
    log: logTarget(params.log),
    ...params.note === undefined
      ? {}
      : { note: text(params, "note", MAX_NOTE_LENGTH) },
    // Absent from an older controller.
    ...(params.pidsLimit === undefined
      ? {}
      : { pidsLimit: integer(params, "pidsLimit", 0) }),
  };
}

function logTarget(value: unknown): LogTarget {
  const log = object(value);
  return {
    path: path(log, "path"),
    maxBytes: integer(log, "maxBytes", 1),
    maxFiles: integer(log, "maxFiles", 0),
  };
}

function steps(value: unknown): TerminateStep[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw invalid('"steps" is no list or empty');
  }
  if (value.length > MAX_STEPS) throw invalid('"steps" is too long');
  return value.map((step) => ({
    signal: signal(object(step)),
    waitMs: duration(object(step), "waitMs"),
  }));
}

function environment(value: unknown): Record<string, string> {
  const entries = Object.entries(object(value)).map(([name, entry]) => {
    if (name === "" || name.includes("=")) {
      throw invalid(`the variable name "${name}" is not possible`);
    }
    if (typeof entry !== "string") {
      throw invalid(`the variable "${name}" is no text`);
    }
    return [withoutNul(name, "env"), withoutNul(entry, `env.${name}`)] as const;
  });
  return Object.fromEntries(entries);
}

function connectionEnd(value: unknown): ConnectionEnd {
  const end = object(value);
  const address = text(end, "address", MAX_ADDRESS_LENGTH);
  if (isIP(address) === 0) throw invalid(`"${address}" is no address`);
  return { address, port: integer(end, "port", 1, MAX_PORT) };
}

/** Start times by run. */
function times(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object(value)).map(([id, time]) => {
      checkRunId(id);
      if (typeof time !== "string" || !/^\d+$/.test(time)) {
        throw invalid(`"${time}" is no start time`);
      }
      return [id, time];
    }),
  );
}

function runId(params: Record<string, unknown>): string {
  const id = text(params, "runId");
  checkRunId(id);
  return id;
}

function checkRunId(id: string): void {
  if (!/^[0-9a-f]{12}$/.test(id)) throw invalid(`"${id}" is no run id`);
}

function signal(params: Record<string, unknown>): string {
  const name = text(params, "signal");
  if (signalNumber(name) === null) {
    throw invalid(`"${name}" is no signal of this system`);
  }
  return name;
}

function path(params: Record<string, unknown>, name: string): string {
  const value = withoutNul(text(params, name), name);
  if (!isAbsolute(value)) throw invalid(`"${name}" is no absolute path`);
  return value;
}

function text(
  params: Record<string, unknown>,
  name: string,
  maxLength = Number.POSITIVE_INFINITY,
): string {
  const value = params[name];
  if (typeof value !== "string") throw invalid(`"${name}" is no text`);
  if (value.length > maxLength) throw invalid(`"${name}" is too long`);
  return value;
}

function strings(params: Record<string, unknown>, name: string): string[] {
  const value = params[name];
  if (
    !Array.isArray(value) || !value.every((entry) => typeof entry === "string")
  ) throw invalid(`"${name}" is no list of texts`);
  return value;
}

function integer(
  params: Record<string, unknown>,
  name: string,
  ...range: readonly [min: number, max?: number]
): number {
  const [min, max = Number.MAX_SAFE_INTEGER] = range;
  const value = params[name];
  if (!Number.isSafeInteger(value)) throw invalid(`"${name}" is no integer`);
  const number = Number(value);
  if (number < min || number > max) {
    throw invalid(`"${name}" is ${number}, not within ${min} and ${max}`);
  }
  return number;
}

function duration(params: Record<string, unknown>, name: string): number {
  const value = params[name];
  if (typeof value !== "number" || !(value >= 0 && value <= MAX_WAIT_MS)) {
    throw invalid(`"${name}" is no time within ${MAX_WAIT_MS} ms`);
  }
  return value;
}

function withoutNul(value: string, name: string): string {
  if (value.includes("\0")) throw invalid(`"${name}" holds a NUL`);
  return value;
}

function object(value: unknown): Record<string, unknown> {
  if (!isObject(value)) throw invalid("an object is missing");
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(what: string): Refusal {
  return new Refusal("invalid", `Cannot take the request: ${what}`);
}
