/**
 * A real browser for pages that a test serves.
 *
 * @module
 */

import { until } from "./until.ts";

/** Whether there is one here. Where `CI` is set its absence is a failure, not a reason to skip. */
export const HAS_CHROMIUM: boolean = Deno.env.get("CI") === "true" ||
  new Deno.Command("sh", { args: ["-c", "command -v chromium"] })
    .outputSync().success;

/** A browser with one page. Disposal ends it. */
export type Browser = AsyncDisposable;

/**
 * Opens a page.
 *
 * @param names Host names, with a port each, and the port of 127.0.0.1 that each leads to. No other name is known.
 */
export async function openPage(
  url: string,
  names: Readonly<Record<string, number>>,
): Promise<Browser> {
  const profile = await Deno.makeTempDir({ prefix: "tmx-chromium-" });
  const rules = Object.entries(names)
    .map(([name, port]) => `MAP ${name} 127.0.0.1:${port}`);
  const child = new Deno.Command("chromium", {
    args: [
      "--headless=new",
      // The sandbox needs rights that containers lack; the page is ours.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--no-proxy-server",
      `--user-data-dir=${profile}`,
      `--host-resolver-rules=${rules.join(", ")}, ` +
      "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
      url,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await child.status;
      // Its other processes end a moment later, and write until then.
      await until(() => isRemoved(profile), { what: "profile is removed" });
    },
  };
}

async function isRemoved(folder: string): Promise<boolean> {
  try {
    await Deno.remove(folder, { recursive: true });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    if (!(error instanceof Error)) throw error;
    return false;
  }
}
