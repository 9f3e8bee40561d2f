/**
 * The way of a machine that resolves the names by itself, or whose user sees to it.
 *
 * @module
 */

import type { Resolver, ResolverChange, ResolverState } from "./resolver.ts";

const NOTHING: ResolverChange = { changed: false, next: [] };

/** Does nothing. */
export class NoResolver implements Resolver {
  readonly name = "noop";

  status(): Promise<ResolverState> {
    return Promise.resolve({
      installed: false,
      current: true,
      path: null,
      detail: "nothing is written",
      instead: null,
    });
  }

  install(): Promise<ResolverChange> {
    return Promise.resolve(NOTHING);
  }

  uninstall(): Promise<ResolverChange> {
    return Promise.resolve(NOTHING);
  }

  flush(): Promise<ResolverChange> {
    return Promise.resolve(NOTHING);
  }
}
