/**
 * The authority of this state folder: read, or made when there is none.
 *
 * A pair that cannot be used is moved aside and told of, because somebody may have it in a trust store; then a new one
 * is made. Of two processes only the one with the daemon's lock may call this.
 *
 * @module
 */

import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { diskError } from "../domain/disk_error.ts";
import { TaskmuxError } from "../domain/error.ts";
import { writeFileAtomic } from "../kit/atomic_file.ts";
import { kindOf, setAside } from "../kit/set_aside.ts";
import {
  Authority,
  BACKDATE_MS,
  type IssuedCertificate,
  NotAnAuthority,
} from "./authority.ts";
import { type AuthorityFiles, authorityFiles } from "./authority_files.ts";
import {
  maySign,
  NAME_CONSTRAINTS_OID,
  nameConstraints,
} from "./name_constraints.ts";
import { makePrivateFolder, narrowFile, readPem } from "./private_files.ts";

/** Signing takes 1.3 ms and happens once a year for each project; every client can verify RSA. */
const CA_BITS = 2_048;

const CA_MS = 3_650 * 86_400_000;

/** Longest common name, RFC 5280 appendix A.1. */
const MAX_NAME_LENGTH = 64;

const ORGANIZATION = "taskmux development CA";

/** What could not be used, and where it is now. */
export interface AuthorityDamage {
  /** Absolute path of the certificate, or of the key where only that was there. */
  readonly file: string;
  readonly aside: string;
  /** A sentence without a full stop, with the next command. */
  readonly message: string;
}

/** Where the authority is kept, and for whom it may sign. */
export interface OwnAuthorityOptions {
  /** Folder of `rootCA.pem` and `rootCA-key.pem`; made with mode 0700. */
  readonly folder: string;
  /** The only top-level domain it may sign names of, beside `localhost`. */
  readonly tld: string;
  /** Milliseconds since the epoch. */
  now(): number;
  /** For people, to tell authorities apart: `user@machine`. Asked only when one is made. */
  owner(): Promise<string>;
  onDamage(damage: AuthorityDamage): void;
  /** Gets sentences on what was not as it should be and is now. */
  onWarning(message: string): void;
}

/**
 * Reads the authority; makes it, in some 100 ms, if there is none that can be used.
 *
 * @throws {TaskmuxError} E710 if its files can neither be read nor be written.
 */
export async function openOwnAuthority(
  options: OwnAuthorityOptions,
): Promise<Authority> {
  const { folder } = options;
  try {
    return await open(options);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const why = diskError(error)?.message ?? error.message;
    throw new TaskmuxError(
      "E710",
      `Cannot use the certificate authority in "${folder}": ${why}`,
      { hint: `ls -la "${folder}"`, cause: error },
    );
  }
}

/** What there is in a folder of an authority. */
export type FoundAuthority =
  | { readonly kind: "none" }
  | { readonly kind: "usable"; readonly authority: Authority }
  /** `why` has the name of the file as its subject. */
  | { readonly kind: "damaged"; readonly why: string };

/** Looks for the authority, and changes nothing. @throws what the disk says of files that cannot be read. */
export async function findOwnAuthority(
  { folder, tld, now }: Pick<OwnAuthorityOptions, "folder" | "tld" | "now">,
): Promise<FoundAuthority> {
  const files = authorityFiles(folder);
  const certificate = await readPem(files.certificate);
  const privateKey = await readPem(files.privateKey);
  if (certificate === null) {
    return privateKey === null
      ? { kind: "none" }
      : damaged("has no certificate beside it");
  }
  if (privateKey === null) return damaged("has no key beside it");
  try {
    const pair = { certificate, privateKey };
    const authority = Authority.of(files.certificate, pair);
    // One that is not valid yet is kept: it is the clock that is wrong.
    if (authority.notAfter <= now()) return damaged("has expired");
    return maySign(authority.certificate.raw, tld)
      ? { kind: "usable", authority }
      : damaged(`may not sign names under .${tld}`);
  } catch (error) {
    if (error instanceof NotAnAuthority) return damaged(error.message);
    throw error;
  }
}

async function open(options: OwnAuthorityOptions): Promise<Authority> {
  const { folder, now, onWarning } = options;
  const files = authorityFiles(folder);
  for (const warning of await makePrivateFolder(folder, now())) {
    onWarning(warning);
  }
  const found = await findOwnAuthority(options);
  if (found.kind === "usable") {
    const warning = narrowFile(files.privateKey);
    if (warning !== null) onWarning(warning);
    return found.authority;
  }
  if (found.kind === "damaged") {
    options.onDamage(moveAside(files, found.why, now()));
  }
  return await make(options, files);
}

function damaged(why: string): FoundAuthority {
  return { kind: "damaged", why };
}

/** The key goes first: whatever happens in between, no key is overwritten. */
function moveAside(
  { certificate, privateKey }: AuthorityFiles,
  why: string,
  now: number,
): AuthorityDamage {
  const moved = [privateKey, certificate].flatMap((file) =>
    kindOf(file) === "absent" ? [] : [{ file, aside: setAside(file, now) }]
  );
  const { file, aside } = moved.at(-1)!;
  const name = file.slice(file.lastIndexOf("/") + 1);
  return {
    file,
    aside,
    message: `${name} ${why}; it is now "${aside}", and there is a new ` +
      "certificate authority: taskmux ca install",
  };
}

async function make(
  options: OwnAuthorityOptions,
  files: AuthorityFiles,
): Promise<Authority> {
  const pair = await makePair(options);
  await writeFileAtomic(files.privateKey, pair.privateKey, { mode: 0o600 });
  await writeFileAtomic(files.certificate, pair.certificate, { mode: 0o644 });
  return Authority.of(files.certificate, pair);
}

async function makePair(
  { tld, now, owner }: OwnAuthorityOptions,
): Promise<IssuedCertificate> {
  const { signCertificate } = await import("./sign_certificate.ts");
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: CA_BITS,
  });
  const notBefore = now() - BACKDATE_MS;
  const certificate = signCertificate({
    subject: {
      organizationName: ORGANIZATION,
      commonName: commonName(await owner()),
    },
    publicKey,
    notBefore,
    notAfter: notBefore + CA_MS,
    extensions: [
      {
        name: "basicConstraints",
        cA: true,
        pathLenConstraint: 0,
        critical: true,
      },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
      {
        id: NAME_CONSTRAINTS_OID,
        critical: true,
        value: String.fromCharCode(...nameConstraints(tld)),
      },
    ],
  }, { certificate: null, key: privateKey });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  return { certificate, privateKey: pem.toString() };
}

/** Another one for each authority: trust stores file certificates under their subjects. */
function commonName(owner: string): string {
  const mark = crypto.getRandomValues(new Uint8Array(4)).toHex();
  const room = MAX_NAME_LENGTH - ORGANIZATION.length - mark.length - 2;
  const plain = owner.replaceAll(/[^\w.@-]/g, "").slice(0, room);
  return `${ORGANIZATION} ${plain} ${mark}`;
}
