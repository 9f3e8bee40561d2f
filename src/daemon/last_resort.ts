/**
 * What nobody caught is logged, and the daemon goes on: a client of the proxy that makes `node:http2` throw where nobody
 * can catch it must not take addresses, probes and restarts of all projects with it.
 *
 * @module
 */

/** So many in a minute are no accident but a loop, which only a new process ends. */
const MAX_PER_MINUTE = 60;

const MINUTE_MS = 60_000;

/** How to go on. */
export interface LastResortOptions {
  log(message: string): void;
  /** Milliseconds, monotonic. */
  now(): number;
}

/** Catches errors of event handlers and rejections of promises that nobody waits for, until disposal. */
export function catchUncaught({ log, now }: LastResortOptions): Disposable {
  let times: number[] = [];
  const goOn = (event: Event, error: unknown): void => {
    const at = now();
    times = [...times.filter((time) => at - time < MINUTE_MS), at];
    const isLoop = times.length > MAX_PER_MINUTE;
    log(`uncaught${isLoop ? " too often" : ""}: ${describe(error)}`);
    if (!isLoop) event.preventDefault();
  };
  const onError = (event: ErrorEvent): void => goOn(event, event.error);
  const onRejection = (event: PromiseRejectionEvent): void =>
    goOn(event, event.reason);
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return {
    [Symbol.dispose]: () => {
      globalThis.removeEventListener("error", onError);
      globalThis.removeEventListener("unhandledrejection", onRejection);
    },
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
