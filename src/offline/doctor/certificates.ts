/**
 * Checks of certificates: the authority that signs them, and whether keys are private. Whether clients trust it is asked
 * elsewhere.
 *
 * @module
 */

import type { Authority } from "../../certs/authority.ts";
import { openMkcertAuthority } from "../../certs/mkcert_authority.ts";
import { findOwnAuthority } from "../../certs/own_authority.ts";
import { type HostConfig, loadHostConfig } from "../../config/host_config.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { type CheckAnswer, failed, passed, warned } from "../../kit/checks.ts";
import { systemClock } from "../../kit/clock.ts";
import { kindOf } from "../../kit/set_aside.ts";
import type { DoctorCheck, DoctorWorld } from "./world.ts";

const DAY_MS = 86_400_000;

/** An authority with less time left is worth a word: whoever trusts it has to trust another one soon. */
const FEW_DAYS = 90;

/** Bits of a mode that let others in. */
const OTHERS_MODE = 0o077;

/** Whether there is an authority that can sign, for how long, and whose. */
export const authorityCheck: DoctorCheck = {
  name: "certificate_authority",
  run: async (world) => {
    const config = await settings(world);
    if (config === null) return passed("not looked at: the settings are wrong");
    return config.caProvider === "mkcert"
      ? await mkcertAnswer(world)
      : await ownAnswer(world, config);
  },
};

/** Whether others can read a key. */
export const keysCheck: DoctorCheck = {
  name: "keys",
  run: ({ paths }) => {
    const folders = [paths.ca, paths.certs, ...subfolders(paths.certs)];
    const files = folders.flatMap((folder) =>
      ["key.pem", "rootCA-key.pem"].map((name) => `${folder}/${name}`)
    );
    const open = [...folders, ...files].filter(isOpen);
    return Promise.resolve(
      open.length === 0
        ? passed("private")
        : open.map((path) =>
          warned(`${path} is open to other users`, `chmod go= ${path}`)
        ),
    );
  },
};

async function ownAnswer(
  { paths }: DoctorWorld,
  { dns }: HostConfig,
): Promise<CheckAnswer> {
  const found = await findOwnAuthority({
    folder: paths.ca,
    tld: dns.managedTld,
    now: () => systemClock.now(),
  });
  if (found.kind === "none") return passed("made with the first host");
  if (found.kind === "usable") {
    const { authority } = found;
    return ageOf(
      authority,
      `rm -r ${paths.ca}; taskmux ca install`,
    );
  }
  return failed(
    `the certificate authority in ${paths.ca} ${found.why}`,
    "taskmux ca install",
  );
}

async function mkcertAnswer({ env }: DoctorWorld): Promise<CheckAnswer> {
  try {
    const { CAROOT, XDG_DATA_HOME, HOME } = env;
    const authority = await openMkcertAuthority({
      env: {
        ...CAROOT === undefined ? {} : { CAROOT },
        ...XDG_DATA_HOME === undefined ? {} : { XDG_DATA_HOME },
        ...HOME === undefined ? {} : { HOME },
      },
      os: Deno.build.os,
      now: () => systemClock.now(),
    });
    return ageOf(authority, "mkcert -install");
  } catch (error) {
    if (!(error instanceof TaskmuxError)) throw error;
    return failed(error.message, error.hint ?? "mkcert -install");
  }
}

function ageOf(
  { path, notBefore, notAfter }: Authority,
  fix: string,
): CheckAnswer {
  const now = systemClock.now();
  const day = (time: number): string =>
    new Date(time).toISOString().slice(0, 10);
  if (notBefore > now) {
    return warned(`${path} is valid only from ${day(notBefore)} on`, "date -u");
  }
  const detail = `${path} is valid until ${day(notAfter)}`;
  return notAfter - now < FEW_DAYS * DAY_MS
    ? warned(detail, fix)
    : passed(detail);
}

/** Null if they cannot be read, which another check tells. */
async function settings({ paths }: DoctorWorld): Promise<HostConfig | null> {
  try {
    return (await loadHostConfig(paths.hostConfig)).config;
  } catch (error) {
    if (error instanceof TaskmuxError) return null;
    throw error;
  }
}

function subfolders(folder: string): string[] {
  if (kindOf(folder) !== "folder") return [];
  return [...Deno.readDirSync(folder)]
    .filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => `${folder}/${name}`);
}

function isOpen(path: string): boolean {
  return kindOf(path) !== "absent" &&
    ((Deno.statSync(path).mode ?? 0) & OTHERS_MODE) !== 0;
}
