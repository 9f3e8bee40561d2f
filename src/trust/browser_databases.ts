/**
 * Where the browsers of a user keep their certificates on this machine.
 *
 * @module
 */

import type { Toolbox } from "./toolbox.ts";

/** A folder of a `cert9.db`, which may not exist yet. */
export interface BrowserDatabase {
  readonly kind: "chromium" | "firefox";
  readonly folder: string;
}

/** Browsers that read the database of the user's home. */
const CHROMIUM_PROGRAMS = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "google-chrome-beta",
  "microsoft-edge",
  "microsoft-edge-stable",
  "brave-browser",
  "brave",
  "vivaldi",
  "vivaldi-stable",
  "opera",
];

/** Homes that a package of its own kind gives to Chromium and its relatives, below the user's. */
const CHROMIUM_HOMES = [
  "snap/chromium/current",
  ".var/app/org.chromium.Chromium",
  ".var/app/com.google.Chrome",
  ".var/app/com.microsoft.Edge",
  ".var/app/com.brave.Browser",
  ".var/app/io.github.ungoogled_software.ungoogled_chromium",
];

const CHROMIUM_DATABASE = ".pki/nssdb";

/** Folders of the profiles of Firefox and its relatives, below the user's home. */
const FIREFOX_FOLDERS = [
  ".mozilla/firefox",
  ".config/mozilla/firefox",
  ".librewolf",
  "snap/firefox/common/.mozilla/firefox",
  ".var/app/org.mozilla.firefox/.mozilla/firefox",
  ".var/app/org.mozilla.firefox/config/mozilla/firefox",
  ".var/app/io.gitlab.librewolf-community/.librewolf",
  "Library/Application Support/Firefox/Profiles",
];

/** One of these shows that a folder is a profile. */
const PROFILE_FILES = ["cert9.db", "prefs.js", "times.json"];

/** All of them, in a stable order. Without HOME none. */
export async function browserDatabases(
  tools: Toolbox,
): Promise<BrowserDatabase[]> {
  const home = tools.env["HOME"];
  if (home === undefined || !home.startsWith("/")) return [];
  return [
    ...chromiumFolders(home, tools).map((folder) => ({
      kind: "chromium" as const,
      folder,
    })),
    ...(await firefoxFolders(home)).map((folder) => ({
      kind: "firefox" as const,
      folder,
    })),
  ];
}

function chromiumFolders(home: string, tools: Toolbox): string[] {
  // On macOS they read the keychain.
  if (Deno.build.os === "darwin") return [];
  const own = `${home}/${CHROMIUM_DATABASE}`;
  const xdg = tools.env["XDG_DATA_HOME"];
  const data = `${
    xdg?.startsWith("/") ? xdg : `${home}/.local/share`
  }/pki/nssdb`;
  const hasData = isThere(`${data}/cert9.db`);
  const isUsed = isThere(own) ||
    // Once it is there, newer ones no longer look into the other one, with whatever else is in it.
    !hasData && CHROMIUM_PROGRAMS.some((each) => tools.find(each) !== null);
  return [
    ...isUsed ? [own] : [],
    ...hasData ? [data] : [],
    ...CHROMIUM_HOMES.map((each) => `${home}/${each}`).filter(isThere)
      .map((each) => `${each}/${CHROMIUM_DATABASE}`),
  ];
}

async function firefoxFolders(home: string): Promise<string[]> {
  const folders: string[] = [];
  for (const parent of FIREFOX_FOLDERS.map((each) => `${home}/${each}`)) {
    if (!isThere(parent)) continue;
    const names: string[] = [];
    for await (const { name } of Deno.readDir(parent)) names.push(name);
    folders.push(
      ...names.sort().map((name) => `${parent}/${name}`).filter((folder) =>
        PROFILE_FILES.some((file) => isThere(`${folder}/${file}`))
      ),
    );
  }
  return folders;
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied
    ) return false;
    throw error;
  }
}
