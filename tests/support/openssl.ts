/**
 * OpenSSL's command line, as a judge of certificates that is not of our making, and as another maker of them.
 *
 * @module
 */

import { canRun } from "./optional_tool.ts";

/** Whether it is here. */
export const HAS_OPENSSL: boolean = canRun(
  "certificates, as OpenSSL sees them",
  [
    "openssl",
    "version",
  ],
);

/** What a program said. */
export interface Verdict {
  readonly ok: boolean;
  /** Both outputs. */
  readonly text: string;
}

/** Runs it without input. */
export async function openssl(...args: string[]): Promise<Verdict> {
  const { success, stdout, stderr } = await new Deno.Command("openssl", {
    args,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    ok: success,
    text: decoder.decode(stdout) + decoder.decode(stderr),
  };
}

/** Judges a certificate as strictly as it can: an authority's own, else one for TLS servers. */
export async function strictlyVerified(
  ca: string,
  certificate: string,
): Promise<Verdict> {
  const purpose = ca === certificate ? "any" : "sslserver";
  return await openssl(
    ...["verify", "-x509_strict", "-check_ss_sig", "-purpose", purpose],
    ...["-CAfile", ca, certificate],
  );
}

/**
 * Makes an authority as mkcert does: `rootCA.pem` and `rootCA-key.pem`, PKCS #8, without constraints.
 *
 * @param key Kind of the key in the words of `openssl req -newkey`.
 */
export async function mkcertLikeAuthority(
  folder: string,
  key = "rsa:2048",
): Promise<void> {
  const curve = key === "ec" ? ["-pkeyopt", "ec_paramgen_curve:P-256"] : [];
  const { ok, text } = await openssl(
    ...["req", "-x509", "-newkey", key, ...curve, "-nodes", "-days", "3650"],
    ...["-keyout", `${folder}/rootCA-key.pem`, "-out", `${folder}/rootCA.pem`],
    ...["-subj", "/O=mkcert development CA/OU=a@b (A B)/CN=mkcert a@b (A B)"],
    ...["-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"],
    ...["-addext", "keyUsage=critical,keyCertSign"],
  );
  if (!ok) throw new Error(text);
}
