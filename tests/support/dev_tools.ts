/**
 * The DevTools protocol of a browser, as far as tests need it: open pages, and evaluate in them.
 *
 * @module
 */

import { readIfThere } from "./taskmux.ts";
import { until } from "./until.ts";

/** A page. It goes with its browser. */
export interface Page {
  /** What an expression comes to, promises awaited; for what JSON can hold. Throws what it throws, and in mid-navigation. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until an expression is true, over navigations too. */
  sees(expression: string, timeoutMs?: number): Promise<void>;
}

/** Has a page keep its WebSockets in `window.sockets`, which it does not tell otherwise. */
const WATCH = `{
  const sockets = window.sockets = [];
  window.WebSocket = class extends WebSocket {
    constructor(...args) { super(...args); sockets.push(this); }
  };
}`;

/** Name → value of a message. */
type Fields = Readonly<Record<string, unknown>>;

interface Answer {
  readonly id?: number;
  readonly result?: Fields;
  readonly error?: { readonly message: string };
}

/** A connection to a browser. Disposal closes it, and leaves the browser. */
export class DevTools implements Disposable {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Fields>>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)));
    socket.onclose = () => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error("Cannot ask the browser: it has ended"));
      }
    };
  }

  /** @param profile Folder of the browser's profile, in which it writes where it listens. */
  static async connect(profile: string): Promise<DevTools> {
    const [port, path] = await until(async () => {
      const lines = (await readIfThere(`${profile}/DevToolsActivePort`))
        .split("\n");
      return lines.length === 2 ? lines : null;
    }, { what: "DevTools port of Chromium", timeoutMs: 60_000 });
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    const opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = () => opened.reject(new Error("Cannot reach Chromium"));
    await opened.promise;
    return new DevTools(socket);
  }

  /** Opens a page with cookies and storage like every other one of this browser. */
  async open(url: string): Promise<Page> {
    const { targetId } = await this.#call("Target.createTarget", {
      url: "about:blank",
    });
    const { sessionId } = await this.#call("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    const call = (method: string, params: Fields) =>
      this.#call(method, params, String(sessionId));
    await call("Page.enable", {});
    await call("Page.addScriptToEvaluateOnNewDocument", { source: WATCH });
    await call("Page.navigate", { url });
    const evaluate = async <T>(expression: string): Promise<T> => {
      const { result, exceptionDetails } = await call("Runtime.evaluate", {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails !== undefined) {
        throw new Error(
          `${expression}: ${Deno.inspect(exceptionDetails, { depth: 5 })}`,
        );
      }
      return (result as { readonly value: T }).value;
    };
    return { evaluate, sees: (what, limit) => sees(evaluate, what, limit) };
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #call(
    method: string,
    params: Fields,
    sessionId?: string,
  ): Promise<Fields> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Fields>();
    this.#waiting.set(id, answer);
    this.#socket.send(
      JSON.stringify({ id, method, params, ...sessionId && { sessionId } }),
    );
    return await answer.promise;
  }

  #take({ id = 0, result = {}, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(`Chromium: ${error.message}`));
  }
}

async function sees(
  evaluate: (expression: string) => Promise<unknown>,
  expression: string,
  timeoutMs = 20_000,
): Promise<void> {
  let last: unknown = null;
  try {
    await until(async () => {
      // A page that is being replaced throws.
      last = await evaluate(expression).catch((error: unknown) => error);
      return last === true;
    }, { timeoutMs });
  } catch (cause) {
    const page = await evaluate(
      "location.href + ' ' + document.documentElement.outerHTML.slice(0, 2000)",
    );
    throw new Error(`Cannot see ${expression}: ${last}; the page is ${page}`, {
      cause,
    });
  }
}
