/**
 * Real HTTPS clients, none of which is told to overlook anything. Names need not resolve: each connects to the address
 * it is given, and asks for the name.
 *
 * @module
 */

/** Where to connect, and as whom to take whoever answers. */
export interface TlsTarget {
  /** `127.0.0.1` or `::1`. */
  readonly address: string;
  readonly port: number;
  /** Host name or address of the URL. */
  readonly name: string;
  /** Path of the only authority to trust. */
  readonly ca: string;
  /** More variables of the client, such as those of another clock. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a client made of it. */
export interface TlsReply {
  readonly ok: boolean;
  /** Both outputs. */
  readonly text: string;
}

/** Fetches `/` with curl. The text ends with a line of status, HTTP version and bytes of the path. */
export async function curl(
  { address, port, name, ca }: TlsTarget,
  ...args: string[]
): Promise<TlsReply> {
  const host = name.includes(":") ? `[${name}]` : name;
  const to = address.includes(":") ? `[${address}]` : address;
  return await run("curl", [
    ...["--silent", "--show-error", "--max-time", "20", "--cacert", ca],
    ...["--connect-to", `${host}:${port}:${to}:${port}`, "--noproxy", "*"],
    ...["--write-out", "\n%{http_code} h%{http_version}\n", ...args],
    `https://${host}:${port}/`,
  ]);
}

/** Shakes hands with OpenSSL, as strictly as it can be. Without `sni` no name is sent, and the address is verified. */
export async function opensslClient(
  { address, port, name, ca }: TlsTarget,
  ...args: string[]
): Promise<TlsReply> {
  const to = address.includes(":") ? `[${address}]` : address;
  const isAddress = name === address;
  return await run("openssl", [
    ...["s_client", "-connect", `${to}:${port}`, "-CAfile", ca],
    ...["-x509_strict", "-verify_return_error", "-brief"],
    ...isAddress
      ? ["-noservername", "-verify_ip", name]
      : ["-servername", name, "-verify_hostname", name],
    ...args,
  ]);
}

/** Fetches `/` with Node, which finds the authority in `NODE_EXTRA_CA_CERTS`. */
export async function node(target: TlsTarget): Promise<TlsReply> {
  return await run("node", ["-e", NODE, JSON.stringify(target)], {
    NODE_EXTRA_CA_CERTS: target.ca,
  });
}

/** Fetches `/` with Python, which finds the authority in `SSL_CERT_FILE`, and checks as strictly as Python 3.13 does. */
export async function python(target: TlsTarget): Promise<TlsReply> {
  return await run("python3", ["-c", PYTHON, JSON.stringify(target)], {
    SSL_CERT_FILE: target.ca,
  });
}

/** Shakes hands with Deno, which finds the authority in a variable, and asks for `/`. */
export async function denoClient(
  target: TlsTarget,
  variable: "DENO_CERT" | "NODE_EXTRA_CA_CERTS",
): Promise<TlsReply> {
  const permissions = ["--no-prompt", "--allow-net", "--no-config"];
  const program = `data:application/javascript,${encodeURIComponent(DENO)}`;
  return await run(
    "deno",
    ["run", "--quiet", ...permissions, program, JSON.stringify(target)],
    { [variable]: target.ca },
  );
}

/**
 * Connects to a name so many times at once with Node.
 *
 * @returns The different certificates that were seen.
 * @throws If one of them was not trusted.
 */
export async function certificatesSeen(
  target: TlsTarget,
  count: number,
): Promise<string[]> {
  const { ok, text } = await run(
    "node",
    ["-e", NODE_MANY, JSON.stringify({ ...target, count })],
    { NODE_EXTRA_CA_CERTS: target.ca, ...target.env },
  );
  if (!ok) throw new Error(text);
  return JSON.parse(text);
}

const NODE = `
const https = require("node:https");
const { address, port, name } = JSON.parse(process.argv[1]);
const isAddress = name.includes(":") || /^[0-9.]+$/.test(name);
https.get({
  host: address, port, agent: false,
  ...(isAddress ? {} : { servername: name }),
  headers: { host: name + ":" + port },
}, (response) => {
  response.resume();
  response.on("end", () => console.log(response.statusCode, response.socket.authorized));
}).on("error", (error) => { console.log(error.code, error.message); process.exitCode = 1; });
`;

const NODE_MANY = `
const tls = require("node:tls");
const { address, port, name, count } = JSON.parse(process.argv[1]);
const one = () => new Promise((resolve, reject) => {
  const socket = tls.connect({ host: address, port, servername: name }, () => {
    resolve(socket.getPeerCertificate().fingerprint256);
    socket.destroy();
  });
  socket.on("error", reject);
});
Promise.all(Array.from({ length: count }, one))
  .then((all) => console.log(JSON.stringify([...new Set(all)])));
`;

const PYTHON = `
import http.client, json, socket, ssl, sys
target = json.loads(sys.argv[1])
context = ssl.create_default_context()
context.verify_flags |= ssl.VERIFY_X509_STRICT
plain = socket.create_connection((target["address"], target["port"]), 20)
secure = context.wrap_socket(plain, server_hostname=target["name"])
connection = http.client.HTTPConnection(target["name"], target["port"])
connection.sock = secure
connection.request("GET", "/")
print(connection.getresponse().status, secure.version())
`;

const DENO = `
const { address, port, name } = JSON.parse(Deno.args[0]);
const plain = await Deno.connect({ hostname: address, port });
const secure = await Deno.startTls(plain, { hostname: name });
const text = "GET / HTTP/1.1\\r\\nhost: " + name + ":" + port + "\\r\\nconnection: close\\r\\n\\r\\n";
await secure.write(new TextEncoder().encode(text));
const reply = await new Response(secure.readable).text();
console.log(reply.split(" ")[1]);
`;

async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<TlsReply> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    ok: success,
    text: (decoder.decode(stdout) + decoder.decode(stderr)).trim(),
  };
}
