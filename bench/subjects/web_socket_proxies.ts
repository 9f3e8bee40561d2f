/**
 * Ways to one local server by TLS: taskmux, and the servers that people put before others, each with one worker.
 *
 * @module
 */

import { freePort } from "../../tests/support/free_port.ts";
import { until } from "../../tests/support/until.ts";
import type { Program, Sandbox } from "../harness/sandbox.ts";
import { taskmuxCommand, taskmuxHome } from "./taskmux.ts";

/** The name by which all of them are asked. */
export const NAME = "echo.bench.localhost";

/** A way. */
export interface Way {
  readonly name: string;
  readonly port: number;
  /** PEM to trust; null = without TLS. */
  readonly ca: string | null;
}

/** Has taskmux run the server. @param command Of the server, which listens on `$PORT`. */
export async function startTaskmux(
  sandbox: Sandbox,
  command: string,
): Promise<{ readonly way: Way; readonly upstream: number }> {
  const { paths } = taskmuxHome(sandbox);
  await sandbox.write(
    "home/config.toml",
    'api_port = 0\nproxy_https_port = 0\nproxy_http_redirect_port = 0\nhost_resolver = "noop"\n',
  );
  await Deno.chmod(paths.home, 0o700);
  await sandbox.write(
    "project/taskmux.toml",
    `name = "bench"\n[tasks.echo]\ncommand = ${
      JSON.stringify(command)
    }\nhost = "echo"\n`,
  );
  await sandbox.act(taskmuxCommand(sandbox, ["start"]));
  await sandbox.act(taskmuxCommand(sandbox, ["wait", "echo"]));
  const { text } = await sandbox.ask(
    taskmuxCommand(sandbox, ["status", "--json"]),
  );
  const { tasks: [task] } = JSON.parse(text) as {
    readonly tasks: readonly [{ readonly port: number; readonly url: string }];
  };
  const ca = await Deno.readTextFile(`${paths.ca}/rootCA.pem`);
  const port = Number(new URL(task.url).port);
  return { way: { name: "taskmux", port, ca }, upstream: task.port };
}

/** Starts the others before the same server, until the stack is disposed. Those that are not installed are named. */
export async function startOthers(
  sandbox: Sandbox,
  { upstream, stack }: {
    readonly upstream: number;
    readonly stack: AsyncDisposableStack;
  },
): Promise<{ readonly ways: Way[]; readonly missing: string[] }> {
  await sandbox.act({
    program: "openssl",
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt"],
      ...["ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-subj", `/CN=${NAME}`, "-addext", `subjectAltName=DNS:${NAME}`],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
      ...["-keyout", "key.pem", "-out", "leaf.pem"],
    ],
  });
  const ca = await Deno.readTextFile(`${sandbox.root}/leaf.pem`);
  const ways: Way[] = [];
  const missing: string[] = [];
  for (const [name, prepare] of [["nginx", nginx], ["Caddy", caddy]] as const) {
    const port = freePort();
    const program = await prepare(sandbox, { port, upstream });
    if (!await isThere(sandbox, program)) {
      missing.push(name);
      continue;
    }
    const child = sandbox.command(program, { stdout: "null", stderr: "null" })
      .spawn();
    // By hand: nginx overwrites the mark by which a sandbox knows what is its own.
    stack.defer(async () => {
      child.kill("SIGTERM");
      await child.status;
    });
    await until(() => listens(port), { what: `${name} listens` });
    ways.push({ name, port, ca });
  }
  return { ways, missing };
}

interface Ports {
  readonly port: number;
  readonly upstream: number;
}

async function nginx(
  sandbox: Sandbox,
  { port, upstream }: Ports,
): Promise<Program> {
  const { root } = sandbox;
  const file = await sandbox.write(
    "nginx.conf",
    `daemon off; pid ${root}/nginx.pid; error_log ${root}/nginx.log;
worker_processes 1;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${root}/body; proxy_temp_path ${root}/proxy;
  fastcgi_temp_path ${root}/fcgi; uwsgi_temp_path ${root}/uwsgi; scgi_temp_path ${root}/scgi;
  server {
    listen 127.0.0.1:${port} ssl http2;
    server_name ${NAME};
    ssl_certificate ${root}/leaf.pem; ssl_certificate_key ${root}/key.pem;
    location / {
      proxy_pass http://127.0.0.1:${upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $http_host;
      proxy_read_timeout 1h;
    }
  }
}
`,
  );
  return { program: "nginx", args: ["-c", file, "-e", `${root}/nginx.log`] };
}

async function caddy(
  sandbox: Sandbox,
  { port, upstream }: Ports,
): Promise<Program> {
  const { root } = sandbox;
  const file = await sandbox.write(
    "Caddyfile",
    `{
  admin off
  auto_https off
}
https://${NAME}:${port} {
  bind 127.0.0.1
  tls ${root}/leaf.pem ${root}/key.pem
  reverse_proxy 127.0.0.1:${upstream}
}
`,
  );
  return {
    program: "caddy",
    args: ["run", "--config", file, "--adapter", "caddyfile"],
    env: { GOMAXPROCS: "1" },
  };
}

async function isThere(sandbox: Sandbox, program: Program): Promise<boolean> {
  const { code } = await sandbox.ask({
    program: "sh",
    args: ["-c", 'command -v "$1"', "sh", program.program],
  });
  return code === 0;
}

async function listens(port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    return false;
  }
}
