/**
 * The proxies: taskmux, and those that are found on this machine.
 *
 * They are looked for as `findPeers` looks for managers. portless is kept away from the machine's own certificates.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { VERSION } from "../../src/contract/wire.ts";
import { freePort } from "../../tests/support/free_port.ts";
import { type Program, Sandbox } from "../harness/sandbox.ts";
import { makeCertificate } from "./bench_certificate.ts";
import { findProgram, versionOf } from "./find_subjects.ts";
import {
  pidsWithout,
  PROXIED_NAME,
  type ProxySession,
  type ProxySubject,
  startInBackground,
  whenListening,
} from "./proxy_subject.ts";
import { pythonProxy } from "./python_proxy.ts";
import { taskmuxCommand, taskmuxHome, taskmuxPids } from "./taskmux.ts";

const UPSTREAM = fileURLToPath(
  new URL("../programs/proxy_upstream.ts", import.meta.url),
);

/** What was looked for. */
export interface FoundProxies {
  /** taskmux first. */
  readonly proxies: readonly ProxySubject[];
  readonly missing: readonly string[];
}

/** What starts a proxy. */
interface Start {
  readonly path: string;
  readonly sandbox: Sandbox;
  readonly port: number;
  readonly upstreamPort: number;
  readonly scheme: Scheme;
}

/** How clients ask a proxy. */
type Scheme = "http" | "https";

interface KnownProxy {
  readonly name: string;
  readonly version: readonly string[];
  readonly settings: string;
  /** Writes what it needs to know. @returns The command that runs it in the foreground. */
  prepare(start: Start): Promise<Program>;
}

const KNOWN: readonly KnownProxy[] = [
  {
    name: "nginx",
    version: ["-V"],
    settings: "one worker, no buffering, no limit of requests per connection",
    prepare: nginx,
  },
  {
    name: "caddy",
    version: ["version"],
    settings: "no admin endpoint, certificates from files",
    prepare: caddy,
  },
  {
    name: "portless",
    version: ["--version"],
    settings: "certificate from a file",
    prepare: portless,
  },
];

/** nginx and Caddy, asked in plain HTTP, as a gate is. */
export async function findPlainProxies(
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<FoundProxies> {
  const plain = KNOWN.filter(({ name }) => name !== "portless");
  return await find(plain, "http", { env, signal });
}

/** taskmux in front of a server, for a scenario of its own. */
export function taskmuxProxy(): ProxySubject {
  return {
    name: "taskmux",
    version: VERSION,
    settings: "any free port, names left to the clients",
    open: openTaskmux,
  };
}

/** Looks for all of them. */
export async function findProxies(
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<FoundProxies> {
  const { proxies, missing } = await find(KNOWN, "https", { env, signal });
  const python = findProgram("taskmux-py", env);
  if (python === null) {
    return {
      proxies: [taskmuxProxy(), ...proxies],
      missing: [...missing, "Python taskmux"],
    };
  }
  const version = await versionOf(python, ["--version"], signal);
  return {
    proxies: [taskmuxProxy(), ...proxies, pythonProxy(python, version)],
    missing,
  };
}

async function find(
  sought: readonly KnownProxy[],
  scheme: Scheme,
  { env, signal }: {
    readonly env: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<FoundProxies> {
  const proxies: ProxySubject[] = [];
  const missing: string[] = [];
  for (const known of sought) {
    const path = findProgram(known.name, env);
    if (path === null) missing.push(known.name);
    else {
      const version = await versionOf(path, known.version, signal);
      proxies.push(foreignProxy(known, { path, version, scheme }));
    }
  }
  return { proxies, missing };
}

async function openTaskmux(signal: AbortSignal): Promise<ProxySession> {
  const sandbox = await Sandbox.create(signal);
  const port = freePort();
  const upstreamPort = freePort();
  const { paths } = taskmuxHome(sandbox);
  await sandbox.write(
    "home/config.toml",
    `api_port = 0\nproxy_https_port = ${port}\n` +
      'proxy_http_redirect_port = 0\nhost_resolver = "noop"\n',
  );
  await Deno.chmod(paths.home, 0o700);
  const command = `exec deno run --quiet -A ${UPSTREAM} $PORT`;
  await sandbox.write(
    "project/taskmux.toml",
    `name = "bench"\n[tasks.web]\ncommand = ${JSON.stringify(command)}\n` +
      `host = "web"\nport = ${upstreamPort}\n`,
  );
  await sandbox.act(taskmuxCommand(sandbox, ["start"]));
  await whenListening(upstreamPort);
  return {
    sandbox,
    port,
    upstreamPort,
    pids: async () => [(await taskmuxPids(sandbox)).daemon],
    [Symbol.asyncDispose]: async () => {
      await using _sandbox = sandbox;
      await sandbox.ask(taskmuxCommand(sandbox, ["daemon", "stop"]));
    },
  };
}

function foreignProxy(
  { name, settings, prepare }: KnownProxy,
  { path, version, scheme }: {
    readonly path: string;
    readonly version: string;
    readonly scheme: Scheme;
  },
): ProxySubject {
  return {
    name,
    version,
    settings,
    async open(signal) {
      const sandbox = await Sandbox.create(signal);
      const port = freePort();
      const upstreamPort = freePort();
      startInBackground(sandbox, {
        program: "deno",
        args: ["run", "--quiet", "-A", UPSTREAM, String(upstreamPort)],
      });
      await makeCertificate(sandbox);
      startInBackground(
        sandbox,
        await prepare({ path, sandbox, port, upstreamPort, scheme }),
      );
      await whenListening(upstreamPort);
      await whenListening(port);
      return {
        sandbox,
        port,
        upstreamPort,
        pids: () => pidsWithout(sandbox, UPSTREAM),
        [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
      };
    },
  };
}

async function nginx(
  { path, sandbox, ...start }: Start,
): Promise<Program> {
  const { root } = sandbox;
  const isTls = start.scheme === "https";
  const conf = `daemon off; worker_processes 1; pid ${root}/nginx.pid;
error_log ${root}/error.log; worker_rlimit_nofile 65536;
events { worker_connections 32768; }
http {
  access_log off; client_max_body_size 0; keepalive_requests 1000000000;
  client_body_temp_path ${root}/body; proxy_temp_path ${root}/proxy;
  fastcgi_temp_path ${root}/fastcgi; uwsgi_temp_path ${root}/uwsgi;
  scgi_temp_path ${root}/scgi;
  map $http_upgrade $hop { default upgrade; "" ""; }
  upstream task { server 127.0.0.1:${start.upstreamPort}; keepalive 64; }
  server {
    listen 127.0.0.1:${start.port}${isTls ? " ssl http2" : ""};
    keepalive_timeout 75s;
    ${
    isTls
      ? `ssl_certificate ${root}/cert.pem; ssl_certificate_key ${root}/key.pem;`
      : ""
  }
    location / {
      proxy_pass http://task; proxy_http_version 1.1;
      proxy_set_header Host $http_host; proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $hop;
      proxy_buffering off; proxy_request_buffering off;
    }
  }
}
`;
  await Deno.writeTextFile(`${root}/nginx.conf`, conf);
  // It writes over its own environment, so it is recognised as the child of a shell.
  const script = '"$0" -e error.log -c "$PWD/nginx.conf"; :';
  return { program: "/bin/sh", args: ["-c", script, path] };
}

async function caddy(
  { path, sandbox, port, upstreamPort, scheme }: Start,
): Promise<Program> {
  const { root } = sandbox;
  const file = await sandbox.write(
    "Caddyfile",
    `{
  admin off
  auto_https off
  default_sni ${PROXIED_NAME}
}
${scheme}://:${port} {
  bind 127.0.0.1
  ${scheme === "https" ? `tls ${root}/cert.pem ${root}/key.pem` : ""}
  reverse_proxy 127.0.0.1:${upstreamPort}
}
`,
  );
  return {
    program: path,
    args: ["run", "--adapter", "caddyfile", "--config", file],
  };
}

/** In a mount namespace: should it want to trust a certificate, it finds no place for it. */
async function portless(
  { path, sandbox, port, upstreamPort }: Start,
): Promise<Program> {
  const { root } = sandbox;
  const script = `
mount -t tmpfs none /usr/local/share/ca-certificates
cp /etc/hosts ${root}/hosts && mount --bind ${root}/hosts /etc/hosts
"$0" alias ${PROXIED_NAME.replace(".localhost", "")} ${upstreamPort}
exec "$0" proxy start --foreground -p ${port} --cert ${root}/cert.pem --key ${root}/key.pem`;
  return await Promise.resolve({
    program: "unshare",
    args: ["--mount", "/bin/sh", "-c", script, path],
    env: {
      PORTLESS_STATE_DIR: `${root}/portless`,
      PORTLESS_SYNC_HOSTS: "0",
      PORTLESS_PORT: String(port),
    },
  });
}
