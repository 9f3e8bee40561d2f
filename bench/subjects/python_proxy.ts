/**
 * The proxy of the Python original.
 *
 * It has mkcert install an authority into the system when it starts. A stand-in of that name, first on its PATH, hands out
 * the certificate of the other proxies and installs nothing.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { freePort } from "../../tests/support/free_port.ts";
import { until } from "../../tests/support/until.ts";
import { type Program, Sandbox } from "../harness/sandbox.ts";
import { makeCertificate } from "./bench_certificate.ts";
import {
  pidsWithout,
  type ProxySubject,
  whenListening,
} from "./proxy_subject.ts";

const UPSTREAM = fileURLToPath(
  new URL("../programs/proxy_upstream.ts", import.meta.url),
);

/** The subject. @param path Its program. */
export function pythonProxy(path: string, version: string): ProxySubject {
  return {
    name: "Python taskmux",
    version,
    settings: "a port that needs no root, certificate from a file",
    async open(signal) {
      const sandbox = await Sandbox.create(signal);
      const port = freePort();
      await makeCertificate(sandbox);
      await writeMkcert(sandbox);
      await sandbox.write(
        ".taskmux/config.toml",
        `api_port = ${freePort()}\nproxy_https_port = ${port}\n` +
          'proxy_http_redirect_port = 0\nhost_resolver = "noop"\n' +
          "auto_inject_agents = false\n[mcp]\nenabled = false\n",
      );
      const command = "echo $PORT > ../port; exec deno run --quiet -A " +
        `${UPSTREAM} $PORT`;
      await sandbox.write(
        "project/taskmux.toml",
        'name = "bench"\nauto_inject_agents = false\n' +
          `[tasks.web]\ncommand = ${JSON.stringify(command)}\nhost = "web"\n`,
      );
      const run = (...args: string[]): Program => ({
        program: path,
        args,
        cwd: `${sandbox.root}/project`,
        env: { PATH: `${sandbox.root}/bin:${sandbox.env["PATH"]}` },
      });
      await sandbox.act(run("daemon", "start"));
      // A cold start answers with an error, and starts its tasks all the same.
      await sandbox.ask(run("start"));
      const upstreamPort = await until(() => portIn(`${sandbox.root}/port`), {
        what: "the port of the task",
      });
      await whenListening(upstreamPort);
      await whenListening(port);
      return {
        sandbox,
        port,
        upstreamPort,
        pids: () => pidsWithout(sandbox, UPSTREAM),
        [Symbol.asyncDispose]: async () => {
          await using _sandbox = sandbox;
          await sandbox.ask(run("daemon", "stop"));
        },
      };
    },
  };
}

/** Copies the certificate to where it is asked for. */
async function writeMkcert({ root }: Sandbox): Promise<void> {
  await Deno.mkdir(`${root}/bin`, { recursive: true });
  await Deno.writeTextFile(
    `${root}/bin/mkcert`,
    `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
  -cert-file) cp ${root}/cert.pem "$2"; shift ;;
  -key-file) cp ${root}/key.pem "$2"; shift ;;
  -CAROOT) echo ${root} ;;
  esac
  shift
done
`,
    { mode: 0o755 },
  );
}

async function portIn(path: string): Promise<number | null> {
  try {
    return Number(await Deno.readTextFile(path)) || null;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return null;
  }
}
