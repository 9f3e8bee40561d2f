/**
 * Vite for the shop: serves the page on 127.0.0.1 (the port comes by flag) and hands /api to the API.
 *
 * @module
 */
import { lookup } from "node:dns";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { LookupFunction } from "node:net";
import process from "node:process";
import { defineConfig, type ProxyOptions } from "vite";

/** `*.localhost` is this machine, which not every resolver knows. */
const lookupLocalhost: LookupFunction = (hostname, options, callback) => {
  const name = hostname.endsWith(".localhost") ? "127.0.0.1" : hostname;
  lookup(name, options, callback);
};

function proxyTo(target: string): ProxyOptions {
  const Agent = target.startsWith("https:") ? HttpsAgent : HttpAgent;
  // No kept connections: one would be dead after each restart of the API.
  const agent = new Agent({ keepAlive: false, lookup: lookupLocalhost });
  return { target, changeOrigin: true, agent };
}

export default defineConfig(({ command }) => {
  const { SHOP_API_URL, TASKMUX_URL_API, TASKMUX_BASE_HOST } = process.env;
  const target = SHOP_API_URL || TASKMUX_URL_API;
  if (command === "serve" && !target) {
    throw new Error(
      "Cannot find the API: set SHOP_API_URL, or let taskmux set TASKMUX_URL_API",
    );
  }
  const proxy: Record<string, ProxyOptions> = {};
  if (target) proxy["/api"] = proxyTo(target);
  return {
    // The log belongs to taskmux; do not wipe it.
    clearScreen: false,
    server: {
      host: "127.0.0.1",
      allowedHosts: TASKMUX_BASE_HOST ? [`.${TASKMUX_BASE_HOST}`] : [],
      proxy,
    },
  };
});
