/**
 * Reads the database in which Firefox and Chromium keep certificates, `cert9.db`. Since 2009 that is SQLite with one row
 * for each PKCS #11 object and a column `a…` for each attribute, named by its number; so what is in it can be told
 * exactly and without `certutil`, which only few machines have.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";

/** PKCS #11: the class of certificates, and NSS' own class of what each is trusted for. */
const CERTIFICATE_CLASS = Uint8Array.of(0, 0, 0, 1);
const TRUST_CLASS = Uint8Array.of(0xce, 0x53, 0x43, 0x53);
/** Columns: CKA_CLASS, CKA_LABEL, CKA_VALUE, CKA_CERT_SHA1_HASH, CKA_TRUST_SERVER_AUTH. */
const COLUMN = {
  class: "a0",
  label: "a3",
  value: "a11",
  sha1: "ace5363b4",
  serverAuth: "ace536358",
} as const;
/** CKT_NSS_TRUSTED_DELEGATOR: whatever it signs is to be trusted. */
const TRUSTED = "ce534352";

const BUSY_TIMEOUT_MS = 2_000;

/** A certificate in a database. */
export interface NssEntry {
  readonly nickname: string;
  readonly der: Uint8Array<ArrayBuffer>;
  /** Whether servers whose certificates it signs are trusted. */
  readonly isTrusted: boolean;
}

/**
 * The certificates of a database; none if it does not exist yet.
 *
 * @param folder The folder of `cert9.db`.
 * @throws {Error} Of SQLite: it cannot be read.
 */
export async function readNss(folder: string): Promise<NssEntry[]> {
  const path = `${folder}/cert9.db`;
  if (!await isThere(path)) return [];
  using database = new DatabaseSync(path, {
    readOnly: true,
    timeout: BUSY_TIMEOUT_MS,
  });
  const rows = database.prepare(
    `select ${COLUMN.label} as label, ${COLUMN.value} as value
     from nssPublic where ${COLUMN.class} = ?`,
  ).all(CERTIFICATE_CLASS);
  const trust = new Map(
    database.prepare(
      `select ${COLUMN.sha1} as sha1, ${COLUMN.serverAuth} as trust
       from nssPublic where ${COLUMN.class} = ?`,
    ).all(TRUST_CLASS).map((row) => [hex(row["sha1"]), hex(row["trust"])]),
  );
  return await Promise.all(rows.map(async ({ label, value }) => {
    const der = bytes(value);
    const sha1 = await crypto.subtle.digest("SHA-1", der);
    return {
      nickname: new TextDecoder().decode(bytes(label)),
      der,
      isTrusted: trust.get(new Uint8Array(sha1).toHex()) === TRUSTED,
    };
  }));
}

function bytes(value: unknown): Uint8Array<ArrayBuffer> {
  if (typeof value === "string") return new TextEncoder().encode(value);
  return value instanceof Uint8Array ? new Uint8Array(value) : new Uint8Array();
}

function hex(value: unknown): string {
  return bytes(value).toHex();
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
