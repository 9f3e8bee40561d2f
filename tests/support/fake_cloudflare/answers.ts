/**
 * What the fake Cloudflare API answers with: the envelope of its version 4, and refusals.
 *
 * @module
 */

/** An entry of `errors`. */
export interface ApiErrorEntry {
  readonly code: number;
  readonly message: string;
  readonly error_chain?: readonly ApiErrorEntry[];
}

/** An answer before it is written. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is refused. Thrown by routes. */
export class Refusal extends Error {
  readonly status: number;
  readonly entry: ApiErrorEntry;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    entry: ApiErrorEntry,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(`${entry.code}: ${entry.message}`);
    this.status = status;
    this.entry = entry;
    this.headers = headers;
  }

  /** As it is answered. */
  answer(): ApiAnswer {
    return {
      status: this.status,
      headers: this.headers,
      body: {
        success: false,
        errors: [this.entry],
        messages: [],
        result: null,
      },
    };
  }
}

/** An answer with a result. */
export function done(
  result: unknown,
  messages: readonly unknown[] = [],
): ApiAnswer {
  return {
    status: 200,
    body: { success: true, errors: [], messages, result },
  };
}

/** One page of a list. */
export interface PageOptions {
  /** Without `per_page`. */
  readonly usual: number;
  readonly most: number;
  /** Tunnels are counted without the number of pages. */
  readonly withPages: boolean;
}

/** The page that is asked for, with `result_info`. More per page than there may be counts as the most. */
export function page(
  all: readonly unknown[],
  query: URLSearchParams,
  options: PageOptions,
): ApiAnswer {
  const number = Math.max(1, Number(query.get("page") ?? 1) || 1);
  const asked = Number(query.get("per_page") ?? options.usual) || options.usual;
  const size = Math.min(options.most, Math.max(1, asked));
  const result = all.slice((number - 1) * size, number * size);
  return {
    status: 200,
    body: {
      success: true,
      errors: [],
      messages: [],
      result,
      result_info: {
        page: number,
        per_page: size,
        count: result.length,
        total_count: all.length,
        ...options.withPages
          ? { total_pages: Math.ceil(all.length / size) }
          : {},
      },
    },
  };
}

/** What an address that leads nowhere is answered with. */
export function noRoute(path: string): Refusal {
  return new Refusal(404, {
    code: 7003,
    message:
      `Could not route to ${path}, perhaps your object identifier is invalid?`,
    error_chain: [{ code: 7000, message: "No route for that URI" }],
  });
}
