/**
 * A real browser for pages that a test serves.
 *
 * @module
 */

import { DevTools, type Page } from "./dev_tools.ts";
import { canRun } from "./optional_tool.ts";
import { until } from "./until.ts";

/** Whether there is one here. Where `CI` is set its absence is a failure, not a reason to skip. */
export const HAS_CHROMIUM: boolean = Deno.env.get("CI") === "true" ||
  new Deno.Command("sh", { args: ["-c", "command -v chromium"] })
    .outputSync().success;

/** Whether it can also be made to trust a certificate; as above. */
export const HAS_TRUSTING_CHROMIUM: boolean = Deno.env.get("CI") === "true" ||
  canRun("pages in Chromium", [
    "sh",
    "-c",
    'for each in chromium certutil; do command -v $each || { echo "there is no $each" >&2; exit 1; }; done',
  ]);

/** A browser with one page. Disposal ends it. */
export type Browser = AsyncDisposable;

/** A browser that a test drives. Disposal ends it. */
export interface DrivenBrowser extends Browser {
  /** Opens a page in a tab of its own. */
  open(url: string): Promise<Page>;
}

/**
 * Opens a page.
 *
 * @param names Host names, with a port each, and the port of 127.0.0.1 that each leads to. No other name is known.
 */
export async function openPage(
  url: string,
  names: Readonly<Record<string, number>>,
): Promise<Browser> {
  const rules = mapping(names);
  return await launch([
    `--host-resolver-rules=${[...rules, ...NOTHING_ELSE].join(", ")}`,
    url,
  ]);
}

/**
 * Starts a browser as a user has it: it finds `*.localhost` by itself, and trusts what its own store of certificates
 * holds.
 *
 * @param ca Path of a certificate that the user has put there.
 * @param names As for {@linkcode openPage}, beside `*.localhost`.
 */
export async function openBrowser(
  ca: string,
  names: Readonly<Record<string, number>> = {},
): Promise<DrivenBrowser> {
  await using stack = new AsyncDisposableStack();
  const home = await Deno.makeTempDir({ prefix: "tmx-browser-" });
  stack.defer(() => Deno.remove(home, { recursive: true }));
  await trust(home, ca);
  const rules = [...mapping(names), ...NOTHING_ELSE, "EXCLUDE *.localhost"];
  const browser = stack.use(
    await launch([
      "--remote-debugging-port=0",
      `--host-resolver-rules=${rules.join(", ")}`,
    ], home),
  );
  const tools = stack.use(await DevTools.connect(browser.profile));
  const owned = stack.move();
  return {
    open: (url) => tools.open(url),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const NOTHING_ELSE = [
  "MAP * ~NOTFOUND",
  "EXCLUDE localhost",
  "EXCLUDE 127.0.0.1",
];

function mapping(names: Readonly<Record<string, number>>): string[] {
  return Object.entries(names)
    .map(([name, port]) => `MAP ${name} 127.0.0.1:${port}`);
}

/** Puts a certificate where Chromium on Linux looks for the user's own. */
async function trust(home: string, ca: string): Promise<void> {
  const folder = `${home}/.pki/nssdb`;
  await Deno.mkdir(folder, { recursive: true });
  const database = `sql:${folder}`;
  const steps = [
    ["-N", "-d", database, "--empty-password"],
    ["-A", "-d", database, "-n", "taskmux", "-t", "C,,", "-i", ca],
  ];
  for (const args of steps) {
    const { success, stderr } = await new Deno.Command("certutil", { args })
      .output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }
}

/** @param home The user's home, if it is not that of the tests. */
async function launch(
  args: readonly string[],
  home?: string,
): Promise<Browser & { readonly profile: string }> {
  // Short, whatever TMPDIR is: Chromium puts a socket below its own one. There, since it leaves that folder behind.
  const profile = await Deno.makeTempDir({
    dir: "/tmp",
    prefix: "tmx-chromium-",
  });
  const temporary = `${profile}/tmp`;
  await Deno.mkdir(temporary);
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
      ...args,
    ],
    env: {
      TMPDIR: temporary,
      ...home === undefined ? {} : { HOME: home, XDG_DATA_HOME: "" },
    },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    profile,
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
