/**
 * Every module that the daemon loads only when it is needed.
 *
 * @module
 */

/**
 * Loads all of them now. A daemon that is about to give up the rights of root does so before: its modules may be in a
 * cache that only root can read.
 */
export async function loadDeferredModules(): Promise<void> {
  await Promise.all([
    import("../api/web_socket_api.ts"),
    import("../certs/current_authority.ts"),
    import("../certs/leaf_store.ts"),
    import("../certs/mkcert_authority.ts"),
    import("../certs/own_authority.ts"),
    import("../certs/sign_certificate.ts"),
    import("../client/sandbox_error.ts"),
    import("../dns/ask_server.ts"),
    import("../dns/dns_server.ts"),
    import("./examine.ts"),
    import("./handlers/log_errors.ts"),
    import("./handlers/project_file.ts"),
    import("./handlers/trust.ts"),
    import("./handlers/tunnel.ts"),
    import("./handlers/tunnel_setup.ts"),
    import("./handlers/worktree.ts"),
    import("../mcp/mcp_sessions.ts"),
    import("../proxy/proxy_server.ts"),
    import("../proxy/redirect_server.ts"),
    import("./tunnels/project_tunnels.ts"),
    import("../trust/ca_bundle.ts"),
    import("../trust/root_certificate.ts"),
    import("../trust/trust_stores.ts"),
    import("./tunnels/disable_tunnels.ts"),
    import("./tunnels/enable_tunnels.ts"),
    import("./tunnels/test_tunnels.ts"),
    import("../tunnels/cloudflare/cloudflare_provider.ts"),
    import("../tunnels/cloudflare/seen_places.ts"),
    import("../tunnels/cloudflare_quick.ts"),
    import("../tunnels/ngrok.ts"),
    import("../tunnels/noop.ts"),
    import("../tunnels/program_check.ts"),
    import("../tunnels/providers.ts"),
    import("../tunnels/tailscale.ts"),
  ]);
}
