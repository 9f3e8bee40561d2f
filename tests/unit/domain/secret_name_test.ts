import assert from "node:assert/strict";
import { isSecretName } from "../../../src/domain/secret_name.ts";
import {
  isRecognizable,
  secretLines,
  secretValues,
} from "../../../src/domain/secret_values.ts";

const PURE = { permissions: "none" } as const;

const SECRET = `
  TOKEN GITHUB_TOKEN githubToken GITHUBTOKEN _authToken x-auth-token csrf_token
  DB_PASSWORD PGPASSWORD MYSQL_PWD REDIS_PASSWD smtp_pass SSH_KEY_PASSPHRASE PASSWORD_2
  SECRET CLIENT_SECRET clientSecret SECRET_KEY_BASE AWS_SECRET_ACCESS_KEY
  API_KEY APIKEY apiKey api-key x-api-key OPENAI_API_KEY API_KEYS
  PRIVATE_KEY privateKey ACCESS_KEY AccountKey RAILS_MASTER_KEY JWT_SIGNING_KEY APP_KEY ENCRYPTION_KEY
  CREDENTIALS GOOGLE_APPLICATION_CREDENTIALS DB_CREDENTIAL
  AUTH NPM_AUTH REDIS_AUTH SENTRY_DSN dsn
  --password --api-key spring.datasource.password
`.trim().split(/\s+/);

const HARMLESS = `
  KEYBOARD MONKEY KEY key KEY_FILE TLS_KEY_FILE SORT_KEY CACHE_KEY PUBLIC_KEY PRIMARY_KEY foreign_key
  TOKENIZERS_PARALLELISM TOKENS max_tokens total_tokens TOKEN_TTL TOKEN_COUNT ACCESS_TOKEN_EXPIRY token_type
  AUTHOR AUTHORITY author AUTH_URL AUTH_HOST SSH_AUTH_SOCK XAUTHORITY OAUTH_CALLBACK
  PASSENGER PASSAGE PASS pass COMPASS BYPASS PASSWORD_FILE PASSWORD_MIN_LENGTH
  PWD OLDPWD SECRETARY SECRET_NAME SECRETS_DIR AWS_ACCESS_KEY_ID API_KEY_HEADER
  DATABASE_URL PATH HOME PORT NODE_ENV HOSTNAME CREDENTIALS_PATH
`.trim().split(/\s+/);

for (const name of SECRET) {
  Deno.test(`isSecretName() finds ${name}`, PURE, () => {
    assert.equal(isSecretName(name), true);
  });
}

for (const name of HARMLESS) {
  Deno.test(`isSecretName() leaves ${name} alone`, PURE, () => {
    assert.equal(isSecretName(name), false);
  });
}

Deno.test("isSecretName() is quick with long and odd names", PURE, () => {
  assert.equal(isSecretName("TOKEN_".repeat(10_000)), false);
  assert.equal(isSecretName(""), false);
  assert.equal(isSecretName("___"), false);
});

Deno.test(
  "secretValues() tells values of secret names and passwords of addresses",
  PURE,
  () => {
    assert.deepEqual(
      secretValues({
        PATH: "/usr/bin",
        DB_PASSWORD: "hunter22",
        DATABASE_URL: "postgres://shop:s3cr%2Ft99@db:5432/shop",
        API_TOKEN: "  padded-value\n",
      }).sort(),
      ["hunter22", "padded-value", "s3cr%2Ft99", "s3cr/t99"],
    );
  },
);

Deno.test(
  "secretValues() leaves out what others may hold as well",
  PURE,
  () => {
    assert.deepEqual(
      secretValues({
        POSTGRES_USER: "shopper",
        POSTGRES_PASSWORD: "shopper",
        WEB_TOKEN: "frontend",
        API_KEY: "real-value-1",
      }, ["frontend"]),
      ["real-value-1"],
    );
  },
);

const NOT_RECOGNIZABLE = [
  "",
  "short",
  "true",
  "development",
  "Production",
  "localhost",
  "postgres",
  "3600000",
  "/run/secrets/db",
  "./key.pem",
  "~/.ssh/id_ed25519",
  "http://localhost:4318",
  "******",
  "xxxxxxxxxx",
  "$OTHER_SECRET",
  "${OTHER_SECRET}",
];

for (const value of NOT_RECOGNIZABLE) {
  Deno.test(`isRecognizable() says no to "${value}"`, PURE, () => {
    assert.equal(isRecognizable(value), false);
  });
}

for (
  const value of ["hunter2", "12345678", "correct horse", "a/b+c=", "été-2026"]
) {
  Deno.test(`isRecognizable() says yes to "${value}"`, PURE, () => {
    assert.equal(isRecognizable(value), true);
  });
}

Deno.test(
  "secretLines() tells the lines of a value that stand for themselves",
  PURE,
  () => {
    assert.deepEqual(secretLines("one line"), []);
    assert.deepEqual(
      secretLines(
        "-----BEGIN KEY-----\nMIIEabcdef123\n  \nab\n-----END KEY-----",
      ),
      ["MIIEabcdef123"],
    );
  },
);
