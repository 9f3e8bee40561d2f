/**
 * Certificates as real clients see them, through a proxy that runs: no client is told to overlook anything. What Chromium
 * makes of them is in the tests of the browser.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import { FakeClock, HAS_FAKE_CLOCK } from "../support/fake_clock.ts";
import {
  HAS_OPENSSL,
  mkcertLikeAuthority,
  openssl,
} from "../support/openssl.ts";
import { canRun } from "../support/optional_tool.ts";
import { program, type TestProject } from "../support/project.ts";
import {
  type Json,
  PROXY_CONFIG,
  type Taskmux,
  testTaskmux,
} from "../support/taskmux.ts";
import {
  certificatesSeen,
  curl,
  denoClient,
  node,
  opensslClient,
  python,
  type TlsTarget,
} from "../support/tls_clients.ts";
import { until } from "../support/until.ts";

const HAS_CLIENTS = HAS_OPENSSL &&
  ["curl", "node", "python3"].every((client) =>
    canRun(`certificates, as ${client} sees them`, [client, "--version"])
  );

const LONG = "l".repeat(63);

function project(name: string): string {
  return `
name = "${name}"
[tasks.web]
command = "${program("http_server.ts")}"
host = "web"
[tasks.all]
command = "${program("http_server.ts")}"
host = "*"
auto_start = false
`;
}

/** Two projects behind one proxy. */
interface Stage {
  readonly taskmux: Taskmux;
  readonly shop: TestProject;
  readonly target: (name: string, address?: string) => TlsTarget;
}

async function raise(taskmux: Taskmux): Promise<Stage> {
  const shop = await taskmux.project(project("shop"));
  const long = await taskmux.project(project(LONG), "long");
  await shop.ok(["start", "--wait"]);
  await long.ok(["start", "--wait"]);
  const { proxy } = await shop.status();
  assert.equal(proxy["bound"], true);
  const port = Number(proxy["port"]);
  const ca = `${taskmux.home.paths.ca}/rootCA.pem`;
  return {
    taskmux,
    shop,
    target: (name, address = "127.0.0.1") => ({ address, port, name, ca }),
  };
}

Deno.test({
  name: "every client trusts the certificates of a proxy that runs",
  ignore: !HAS_CLIENTS,
  fn: async (t) => {
    await using taskmux = await testTaskmux({ hostConfig: PROXY_CONFIG });
    const stage = await raise(taskmux);
    await t.step("curl", () => curlTrusts(stage));
    await t.step("OpenSSL at its strictest", () => opensslTrusts(stage));
    await t.step("Node, Python and Deno", () => runtimesTrust(stage));
    await t.step("nobody trusts a stranger's name", () => strangersFail(stage));
    await t.step("20 first connections", () => oneForAll(stage));
    await t.step("ca mint", () => mints(stage));
    await t.step("the next daemon", () => outlivesDaemon(stage));
    await t.step("a damaged authority", () => replacesAuthority(stage));
    await t.step("unregister", () => goesWithProject(stage));
  },
});

async function curlTrusts({ target }: Stage): Promise<void> {
  const web = target("web.shop.localhost");
  const replies = await Promise.all([
    curl(web, "--tls-max", "1.2"),
    curl(web, "--tlsv1.3", "--http1.1"),
    curl(target("web.shop.localhost", "::1")),
    curl(target(`web.${LONG}.localhost`)),
    curl(target("shop.localhost")),
    curl(target("deep.er.shop.localhost")),
    curl(target("127.0.0.1")),
    curl(target("::1", "::1")),
    curl(target("localhost")),
  ]);
  const lastLine = replies.map(({ text }) => text.split("\n").at(-1));
  assert.deepEqual(lastLine.slice(0, 4), [
    "200 h2",
    "200 h1.1",
    "200 h2",
    "200 h2",
  ]);
  // No task has these names: what counts is that a page could be fetched to say so.
  for (const line of lastLine.slice(4)) assert.match(line!, /^[45]\d\d h2$/);
}

async function opensslTrusts({ target }: Stage): Promise<void> {
  const names: readonly (readonly [TlsTarget, ...string[]])[] = [
    [target("web.shop.localhost"), "-tls1_2"],
    [target("WEB.SHOP.LOCALHOST"), "-tls1_3"],
    [target("shop.localhost")],
    [target("any.shop.localhost"), "-alpn", "h2"],
    [target("a.b.shop.localhost"), "-alpn", "http/1.1"],
    [target(`${"y".repeat(63)}.${LONG}.localhost`)],
    [target("127.0.0.1")],
    [target("::1", "::1"), "-tls1_2"],
  ];
  const replies = await Promise.all(
    names.map(([each, ...args]) => opensslClient(each, ...args)),
  );
  for (const [index, { ok, text }] of replies.entries()) {
    assert(ok, `${names[index]![0].name}: ${text}`);
    assert.match(text, /Verification: OK/);
  }
}

async function runtimesTrust({ target }: Stage): Promise<void> {
  const web = target("web.shop.localhost");
  const replies = await Promise.all([
    node(web),
    node(target("web.shop.localhost", "::1")),
    python(web),
    denoClient(web, "DENO_CERT"),
    denoClient(web, "NODE_EXTRA_CA_CERTS"),
  ]);
  assert.deepEqual(replies.map(({ text }) => text), [
    "200 true",
    "200 true",
    "200 TLSv1.3",
    "200",
    "200",
  ]);
  const byAddress = await Promise.all([
    node(target("::1", "::1")),
    python(target("127.0.0.1")),
    denoClient(target("127.0.0.1"), "DENO_CERT"),
  ]);
  for (const { text } of byAddress) assert.match(text, /^4\d\d\b/);
}

/** Even signed with the stolen key of the authority. */
async function strangersFail({ taskmux, target }: Stage): Promise<void> {
  const foreign = await curl(target("example.com"));
  assert.match(foreign.text, /no alternative certificate subject name matches/);
  const { root, paths } = taskmux.home;
  const [cert, key] = [`${root}/stolen.pem`, `${root}/stolen-key.pem`];
  const request = await openssl(
    ...["req", "-newkey", "rsa:2048", "-nodes", "-keyout", key],
    ...["-out", `${root}/stolen.csr`, "-subj", "/O=stolen"],
    ...["-addext", "subjectAltName=DNS:example.com"],
  );
  assert(request.ok, request.text);
  const signed = await openssl(
    ...["x509", "-req", "-in", `${root}/stolen.csr`, "-out", cert],
    ...["-CA", `${paths.ca}/rootCA.pem`, "-copy_extensions", "copyall"],
    ...["-CAkey", `${paths.ca}/rootCA-key.pem`, "-days", "30"],
  );
  assert(signed.ok, signed.text);
  await using server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(cert),
    key: await Deno.readTextFile(key),
    onListen: () => {},
  }, () => new Response("stolen"));
  const stolen = { ...target("example.com"), port: server.addr.port };
  const replies = await Promise.all([
    curl(stolen),
    node(stolen),
    python(stolen),
    denoClient(stolen, "DENO_CERT"),
  ]);
  for (const { ok, text } of replies) {
    assert.equal(ok, false, text);
    assert.match(
      text,
      /permitted subtree violation|PERMITTED_VIOLATION|NameConstraintViolation/,
    );
  }
}

async function oneForAll({ shop, taskmux, target }: Stage): Promise<void> {
  const folder = `${taskmux.home.paths.certs}/shop`;
  const before = await Deno.readTextFile(`${folder}/cert.pem`);
  await shop.fails("E301", ["clean", "--certs"]);
  const dry = await shop.ok<Result<"project.clean">>(
    ["clean", "--certs", "--dry-run"],
  );
  assert.deepEqual(dry.reports["certs"]?.deleted, [folder]);
  await shop.ok(["clean", "--certs", "--force"]);
  await assert.rejects(Deno.stat(folder));
  const seen = await certificatesSeen(target("web.shop.localhost"), 20);
  assert.equal(seen.length, 1);
  assert.notEqual(await Deno.readTextFile(`${folder}/cert.pem`), before);
}

async function mints({ shop, taskmux, target }: Stage): Promise<void> {
  const web = target("web.shop.localhost");
  const [before] = await certificatesSeen(web, 1);
  const minted = await shop.ok(["ca", "mint"]);
  const folder = `${taskmux.home.paths.certs}/shop`;
  assert.deepEqual(
    [minted["project"], minted["cert"], minted["key"], minted["names"]],
    [
      "shop",
      `${folder}/cert.pem`,
      `${folder}/key.pem`,
      ["shop.localhost", "*.shop.localhost"],
    ],
  );
  const [after] = await certificatesSeen(web, 1);
  assert.notEqual(after, before);
  const { text } = await openssl(
    ...["x509", "-noout", "-fingerprint", "-sha256", "-in"],
    String(minted["cert"]),
  );
  assert.equal(text.trim(), `sha256 Fingerprint=${after}`);
}

async function outlivesDaemon(stage: Stage): Promise<void> {
  const { shop, taskmux, target } = stage;
  const [before] = await certificatesSeen(target("web.shop.localhost"), 1);
  await shop.ok(["daemon", "restart"]);
  const { proxy } = await shop.status();
  const web = { ...target("web.shop.localhost"), port: Number(proxy["port"]) };
  assert.deepEqual(await certificatesSeen(web, 1), [before]);
  const entries = Deno.readDir(taskmux.home.paths.certs);
  const names = (await Array.fromAsync(entries)).map(({ name }) => name);
  assert.deepEqual(names.sort(), [".machine", LONG, "shop"]);
}

async function replacesAuthority(stage: Stage): Promise<void> {
  const { shop, taskmux: { home }, target } = stage;
  const authority = (): Promise<string[]> =>
    findings(shop, /^(certificate_authority|keys|set_aside)$/);
  const { ca } = home.paths;
  await shop.ok(["daemon", "stop"]);
  const [fine] = await authority();
  assert.match(
    fine!,
    /^ok certificate_authority: .*rootCA\.pem is valid until/,
  );
  await Deno.truncate(`${ca}/rootCA-key.pem`, 100);
  await Deno.chmod(`${ca}/rootCA-key.pem`, 0o644);
  assert.deepEqual((await authority()).filter((each) => !/^ok/.test(each)), [
    `fail certificate_authority: the certificate authority in ${ca} has a key that is none => taskmux ca install`,
    `warn keys: ${ca}/rootCA-key.pem is open to other users => chmod go= ${ca}/rootCA-key.pem`,
  ]);
  const started = await shop.ok<Json & { tasks: Json[] }>(["start", "--wait"]);
  assert.equal(started["action"], "started");
  const { proxy, warnings } = await shop.status();
  const told = (warnings ?? []).filter((each) => each.includes("rootCA.pem"));
  assert.match(
    told.join(),
    /has a key that is none; it is now ".*rootCA\.pem\.corrupt-.*taskmux ca install$/,
  );
  const web = { ...target("web.shop.localhost"), port: Number(proxy["port"]) };
  const { text } = await curl(web);
  assert.match(text, /200 h2$/);
  const after = await authority();
  assert.match(after.join("\n"), /^ok certificate_authority: /m);
  assert.match(after.join("\n"), /^ok keys: private/m);
  assert.match(after.join("\n"), /^warn set_aside: .*rootCA\.pem\.corrupt-/m);
}

/** What \`doctor\` finds out about something. */
async function findings(shop: TestProject, name: RegExp): Promise<string[]> {
  const { stdout } = await shop.run(["doctor", "--json"]);
  const { checks } = JSON.parse(stdout) as Result<"daemon.examine">;
  return checks.filter((check) => name.test(check.name)).map((check) =>
    `${check.status} ${check.name}: ${check.detail} => ${check.fix}`
  );
}

async function goesWithProject({ shop, taskmux }: Stage): Promise<void> {
  await shop.ok(["daemon", "unregister", "shop"]);
  await assert.rejects(Deno.stat(`${taskmux.home.paths.certs}/shop`));
}

Deno.test({
  name: "a daemon that runs for years never shows a certificate out of date",
  ignore: !HAS_FAKE_CLOCK || !HAS_CLIENTS,
  fn: async () => {
    await using taskmux = await testTaskmux({ hostConfig: PROXY_CONFIG });
    await using clock = await FakeClock.start(taskmux);
    const shop = await taskmux.project(project("shop"));
    await shop.ok(["start"]);
    const { proxy } = await shop.status();
    const web: TlsTarget = {
      address: "127.0.0.1",
      port: Number(proxy["port"]),
      name: "web.shop.localhost",
      ca: `${taskmux.home.paths.ca}/rootCA.pem`,
      env: clock.env,
    };
    const seen = async (): Promise<string> =>
      (await certificatesSeen(web, 1))[0]!;
    const first = await seen();
    // In its last month, after its end, and before its beginning.
    await clock.set("+370d");
    assert.equal(await seen(), first);
    const second = await until(async () => {
      const found = await seen();
      return found === first ? null : found;
    });
    await clock.set("+1200d");
    const third = await seen();
    assert.notEqual(third, second);
    await clock.set("+0");
    assert.notEqual(await seen(), third);
    // After the end of the authority.
    const { paths } = taskmux.home;
    const authority = await Deno.readTextFile(`${paths.ca}/rootCA.pem`);
    await clock.set("+3700d");
    await assert.rejects(seen());
    assert.notEqual(
      await Deno.readTextFile(`${paths.ca}/rootCA.pem`),
      authority,
    );
    await seen();
    const { warnings } = await shop.status();
    assert.match((warnings ?? []).join(), /rootCA\.pem has expired; it is now/);
  },
});

Deno.test({
  name:
    "mkcert's authority signs where the settings say so, and tasks start without it, too",
  ignore: !HAS_CLIENTS,
  fn: async () => {
    await using taskmux = await testTaskmux({
      hostConfig: `${PROXY_CONFIG}ca_provider = "mkcert"\n`,
      expectedErrors: /Cannot use the certificate authority of mkcert/,
    });
    const { root } = taskmux.home;
    const shop = await taskmux.project(project("shop"));
    await shop.ok(["start", "--wait"]);
    const without = await shop.status();
    assert.equal(without.proxy["bound"], false);
    assert.match(
      String(without.proxy["reason"]),
      /authority of mkcert: there is no ".*\/\.local\/share\/mkcert\/rootCA\.pem"; mkcert -install/,
    );
    const minting = await shop.fails("E710", ["ca", "mint"]);
    assert.match(minting.hint ?? "", /^mkcert -install/);

    const caRoot = `${root}/.local/share/mkcert`;
    await Deno.mkdir(caRoot, { recursive: true });
    await mkcertLikeAuthority(caRoot);
    await shop.ok(["daemon", "restart"]);
    const { proxy, warnings } = await shop.status();
    assert.equal(proxy["bound"], true, `${proxy["reason"]}`);
    assert.deepEqual(
      (warnings ?? []).filter((each) => /mkcert/.test(each)),
      [],
    );
    const web: TlsTarget = {
      address: "127.0.0.1",
      port: Number(proxy["port"]),
      name: "web.shop.localhost",
      ca: `${caRoot}/rootCA.pem`,
    };
    const replies = await Promise.all([curl(web), opensslClient(web)]);
    assert.match(replies[0].text, /200 h2$/);
    assert.match(replies[1].text, /Verification: OK/);
    // What was served before goes on while the authority is away.
    await Deno.rename(caRoot, `${caRoot}.away`);
    const told = await until(async () => {
      assert.match(
        (await opensslClient({ ...web, ca: `${caRoot}.away/rootCA.pem` })).text,
        /: OK/,
      );
      const { warnings = [] } = await shop.status();
      return warnings.find((each) => /mkcert/.test(each));
    });
    assert.match(told, /^certificates: .*there is no ".*"; mkcert -install/);
    // Whoever asks for what was not signed before is sent away, and fills no log.
    const strange = { ...web, name: "localhost" };
    for (
      const { ok } of await Promise.all([1, 2, 3].map(() => curl(strange)))
    ) {
      assert.equal(ok, false);
    }
    const log = await Deno.readTextFile(taskmux.home.paths.daemonLog);
    assert.equal(log.split("[WRN]").length - 1, 1, log);
    assert.equal(log.split("[ERR]").length - 1, 1, log);
    await Deno.rename(`${caRoot}.away`, caRoot);
    assert.match((await curl(strange)).text, /\d h2$/);
    const { warnings: left = [] } = await shop.status();
    assert.deepEqual(left.filter((each) => /mkcert/.test(each)), []);
    await assert.rejects(Deno.stat(taskmux.home.paths.ca));
  },
});
