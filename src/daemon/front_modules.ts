/**
 * The modules of the proxy and its certificates, which are loaded when there is a name to serve.
 *
 * @module
 */

/**
 * Loads them. A daemon that is about to give up the rights of root does so before: its packages may be in a cache that
 * only root can read.
 */
export async function loadFrontModules(): Promise<{
  readonly authority: typeof import("../certs/current_authority.ts");
  readonly ownAuthority: typeof import("../certs/own_authority.ts");
  readonly leafStore: typeof import("../certs/leaf_store.ts");
  readonly proxyServer: typeof import("../proxy/proxy_server.ts");
  readonly redirectServer: typeof import("../proxy/redirect_server.ts");
}> {
  const [authority, leafStore, proxyServer, redirectServer, ownAuthority] =
    await Promise.all([
      import("../certs/current_authority.ts"),
      import("../certs/leaf_store.ts"),
      import("../proxy/proxy_server.ts"),
      import("../proxy/redirect_server.ts"),
      import("../certs/own_authority.ts"),
    ]);
  return { authority, leafStore, ownAuthority, proxyServer, redirectServer };
}
