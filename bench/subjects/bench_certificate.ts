/**
 * The certificate of proxies that have none of their own.
 *
 * @module
 */

import type { Sandbox } from "../harness/sandbox.ts";
import { PROXIED_NAME } from "./proxy_subject.ts";

/** Writes `cert.pem` and `key.pem`: P-256, as taskmux has. */
export async function makeCertificate(sandbox: Sandbox): Promise<void> {
  await sandbox.act({
    program: "openssl",
    args: [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        .split(" "),
      ..."-keyout key.pem -out cert.pem -days 2 -subj /CN=bench".split(" "),
      "-addext",
      `subjectAltName=DNS:${PROXIED_NAME},IP:127.0.0.1`,
    ],
  });
}
