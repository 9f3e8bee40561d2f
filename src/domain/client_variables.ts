/**
 * The environment variables by which clients are told which certificates to trust.
 *
 * @module
 */

/** Node and Deno; Python's requests; OpenSSL, curl, Python, Ruby, Go. */
const NAMES = ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"];

/** Where systems keep their roots in one file. */
export const SYSTEM_BUNDLES: readonly string[] = [
  "/etc/ssl/cert.pem",
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
  "/var/lib/ca-certificates/ca-bundle.pem",
  "/etc/ssl/ca-bundle.pem",
];

/**
 * The variables for a bundle.
 *
 * @param bundle Absolute path of a file that holds the roots of the system as well.
 */
export function clientVariables(bundle: string): Record<string, string> {
  return Object.fromEntries(NAMES.map((name) => [name, bundle]));
}

/**
 * Whether our bundle may take the place of a value: nobody set it, or it names what the bundle holds as well.
 *
 * @param ours Paths that the variable may have from us.
 */
export function isReplaceable(
  value: string | undefined,
  ours: readonly string[] = [],
): boolean {
  return value === undefined || value === "" || ours.includes(value) ||
    SYSTEM_BUNDLES.includes(value);
}

/** The variables whose value is somebody else's: they are not to be set. */
export function othersVariables(
  env: Readonly<Record<string, string>>,
  ours: readonly string[],
): string[] {
  return NAMES.filter((name) => !isReplaceable(env[name], ours));
}

/** What to know of a variable that is somebody else's. */
export function keptVariable(name: string): string {
  return `${name} names another file and stays as it is: unset it, or add the certificate of "taskmux ca path" to that file`;
}
