/**
 * Which names, of variables, options, headers and keys of JSON, say that their value is a secret.
 *
 * @module
 */

/** A word that makes a name secret wherever it stands in it. */
const SECRET_WORDS: ReadonlySet<string> = new Set([
  "APIKEY",
  "CREDENTIAL",
  "CREDENTIALS",
  "DSN",
  "PASSPHRASE",
  "PASSWD",
  "PASSWORD",
  "PASSWORDS",
  "PWD",
  "SECRET",
  "SECRETS",
  "TOKEN",
]);

/** Endings of words that are written as one, such as `PGPASSWORD`. */
const SECRET_ENDING =
  /(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|APIKEY|CREDENTIALS)$/;

/** What a key has to be for, to be a secret one. A key alone may be that of a cache, a table or a keyboard. */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  "ACCESS",
  "ACCOUNT",
  "AES",
  "API",
  "APP",
  "AUTH",
  "CIPHER",
  "COOKIE",
  "DECRYPTION",
  "DEPLOY",
  "ENCRYPTION",
  "HMAC",
  "JWT",
  "MASTER",
  "PRIVATE",
  "ROLE",
  "RSA",
  "SECRET",
  "SERVICE",
  "SESSION",
  "SHARED",
  "SIGNING",
  "STORAGE",
]);

/** Last words that say that the value is about a secret, and not one. */
const HARMLESS_ENDINGS: ReadonlySet<string> = new Set([
  "ALGORITHM",
  "AUDIENCE",
  "COUNT",
  "DIR",
  "DOMAIN",
  "DURATION",
  "ENABLED",
  "ENDPOINT",
  "EXPIRES",
  "EXPIRY",
  "FILE",
  "FORMAT",
  "HEADER",
  "HOST",
  "ID",
  "ISSUER",
  "LEN",
  "LENGTH",
  "LIFETIME",
  "LIMIT",
  "MAX",
  "METHOD",
  "MIN",
  "MODE",
  "NAME",
  "PATH",
  "POLICY",
  "PORT",
  "PROVIDER",
  "REGION",
  "REQUIRED",
  "SIZE",
  "TIMEOUT",
  "TTL",
  "TYPE",
  "URI",
  "URL",
  "USER",
  "USERNAME",
  "VERSION",
]);

/** Names of the machine's own that hold no secret, whatever their words say. */
const HARMLESS_NAMES: ReadonlySet<string> = new Set([
  "OLDPWD",
  "PWD",
  "SSH_AUTH_SOCK",
  "XAUTHORITY",
]);

/** Longest name that is looked at. */
export const MAX_SECRET_NAME_LENGTH = 128;

/**
 * Whether a name says that its value is a secret: `DB_PASSWORD`, `--api-key`, `clientSecret`, `x-auth-token`. Names of
 * files, addresses and measures of secrets do not (`KEY_FILE`, `TOKEN_TTL`), nor do `TOKENIZERS_PARALLELISM` or `AUTHOR`.
 */
export function isSecretName(name: string): boolean {
  if (name.length > MAX_SECRET_NAME_LENGTH || HARMLESS_NAMES.has(name)) {
    return false;
  }
  const words = wordsOf(name);
  const last = words.at(-1);
  if (last === undefined || HARMLESS_ENDINGS.has(last)) return false;
  if (last === "PASS" && words.length > 1) return true;
  return last === "AUTH" ||
    words.some((word, index) =>
      SECRET_WORDS.has(word) || SECRET_ENDING.test(word) ||
      (isKey(word) && SECRET_KEYS.has(words[index - 1] ?? ""))
    );
}

function isKey(word: string): boolean {
  return word === "KEY" || word === "KEYS";
}

/** `clientSecret` and `client-secret` are `CLIENT`, `SECRET`. */
function wordsOf(name: string): string[] {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== "")
    .map((word) => word.toUpperCase());
}
