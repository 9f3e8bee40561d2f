/**
 * Who trusts the certificates: the stores of the system, of browsers and of Java, and clients that look into none.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Result } from "../../src/contract/mod.ts";
import type { Finding } from "../../src/kit/checks.ts";
import { nameInStores } from "../../src/trust/trust_stores.ts";
import {
  HAS_PRIVATE_TRUST,
  type PrivateTrust,
  privateTrust,
} from "../support/private_trust.ts";
import {
  AS_SECOND_USER,
  CAN_CHANGE_USER,
  giveToSecondUser,
} from "../support/second_user.ts";
import { openTerminal } from "../support/terminal.ts";
import type { TestProject } from "../support/project.ts";
import { PROXY_CONFIG, type Taskmux, testTaskmux } from "../support/taskmux.ts";

type Change = Result<"ca.install">;
type Status = Result<"ca.status">;
type Store = Status["stores"][number];

/** People are told each time, scripts never. */
async function toldWhoVisits(
  { taskmux: { home } }: Machine,
  project: TestProject,
  isTold: boolean,
): Promise<void> {
  const script = await project.run(["url", "api"]);
  assert.equal(script.stderr, "");
  for (const args of [["url", "api"], ["url"]]) {
    await using terminal = openTerminal(home, args, project.folder);
    assert.equal(await terminal.ended(), 0);
    assert.match(terminal.text, /https:\/\/api\.t\.localhost/);
    assert.equal(/do not trust/.test(terminal.text), isTold, terminal.text);
  }
}

/** It takes seconds, so people see that it goes on. */
async function installsAgain(
  { taskmux: { home } }: Machine,
  project: TestProject,
): Promise<void> {
  const args = ["ca", "install"];
  await using terminal = openTerminal(home, args, project.folder);
  await terminal.shows("Telling the certificate stores");
  assert.equal(await terminal.ended(), 0);
  assert.match(terminal.text, /system +trusts it/);
}

/** Where `CI` is set its absence is a failure, not a reason to skip. */
const HAS_CERTUTIL = Deno.env.get("CI") === "true" ||
  await realPathOf("certutil") !== null;

/** As well. */
const KEYTOOL = await realPathOf("keytool");
if (KEYTOOL === null && Deno.env.get("CI") === "true") {
  throw new Error("Cannot test Java's store: there is no keytool");
}
const JAVA = KEYTOOL === null ? [] : ["java"];

const PROJECT = `name = "t"
[tasks.api]
host = "api"
command = "exec python3 -m http.server --bind 127.0.0.1 $PORT"
`;

/** A task that asks another one by its name, with nothing said about certificates. */
const ASKING = `${PROJECT}
[tasks.asking]
restart_policy = "no"
depends_on = ["api"]
command = """node -e 'fetch(process.env.TASKMUX_URL_API).then((r) => console.log("answer", r.status), (e) => console.log("no answer", e.cause))'"""
`;

/** Clients that are told nothing of certificates. All of them exit with 0 only if the certificate is trusted. */
const CLIENTS: Readonly<Record<string, (port: number) => string[]>> = {
  curl: (port) => ["curl", "-sS", "-o", "/dev/null", `${url(port)}/`],
  openssl: (port) => [
    "openssl",
    "s_client",
    "-verify_return_error",
    "-verify_hostname",
    NAME,
    "-servername",
    NAME,
    "-connect",
    `127.0.0.1:${port}`,
  ],
  python: (port) => [
    "python3",
    "-c",
    "import sys, urllib.request; urllib.request.urlopen(sys.argv[1])",
    `${url(port)}/`,
  ],
};

const NAME = "api.t.localhost";

function url(port: number): string {
  return `https://${NAME}:${port}`;
}

Deno.test({
  name:
    "ca install has every store trust what the proxy serves, and ca uninstall takes exactly that back",
  ignore: !HAS_PRIVATE_TRUST || !HAS_CERTUTIL,
  async fn() {
    await using machine = await testMachine();
    const { taskmux, trust, profile } = machine;
    const project = await taskmux.project(ASKING);
    const before = {
      bundle: await Deno.readTextFile(trust.bundle),
      anchors: names(trust.anchors),
    };
    await nothingYet(taskmux);
    assert.match(await warningOf(project), /trust[^]*taskmux ca install$/);
    await project.ok(["stop"]);
    assert.equal(await warningOf(project), "");
    await toldWhoVisits(machine, project, true);
    const port = await httpsPort(taskmux);
    await clientsSay(machine, port, false);
    const all = ["system", "chromium", "firefox", ...JAVA];
    assert.deepEqual(await doubts(taskmux), all);

    const { path = "" } = await taskmux.ok<{ path: string }>(["ca", "path"]);
    const name = await addEarlier(machine);
    const installed = await taskmux.ok<Change>(["ca", "install"]);
    assert.deepEqual(kindsOf(installed.stores), all);
    for (const { store, state, trusted, detail } of installed.stores) {
      assert.deepEqual([store, state, trusted], [store, "installed", true]);
      if (store !== "chromium") assert.match(detail ?? "", /earlier one/);
    }
    for (const folder of [`${taskmux.home.root}/.pki/nssdb`, profile]) {
      const { output } = await trust.run([
        "certutil",
        "-L",
        "-d",
        `sql:${folder}`,
      ]);
      assert.match(output, new RegExp(`^${name} +C,, *$`, "m"));
      assert.equal(output.match(/taskmux/g)?.length, 1);
      assert.equal(output.includes("stranger"), folder === profile);
    }
    await clientsSay(machine, port, true);
    await project.ok(["start", "asking"]);
    await project.when("asking", "completed");
    const { lines } = await project.ok<{ lines: string[] }>(["logs", "asking"]);
    assert.match(lines.join("\n"), / answer 200$/m);

    await toldWhoVisits(machine, project, false);
    await installsAgain(machine, project);
    await taskmux.ok(["daemon", "stop"]);
    const status = await taskmux.ok<Status>(["ca", "status"]);
    assert.deepEqual(await doubts(taskmux), []);
    assert.equal(await taskmux.daemonPid(), null);
    assert.equal(status.trusted, true);
    assert.equal(status.path, path);
    assert.equal(status.fingerprint, await opensslFingerprint(trust, path));

    const removed = await taskmux.ok<Change>(["ca", "uninstall"]);
    assert(removed.stores.every(({ state }) => state === "removed"));
    assert.equal(await Deno.readTextFile(trust.bundle), before.bundle);
    assert.deepEqual(names(trust.anchors), before.anchors);
    const { output } = await trust.run([
      "certutil",
      "-L",
      "-d",
      `sql:${profile}`,
    ]);
    assert.match(output, /^stranger +,, *$/m);
    assert(!output.includes("taskmux"));
    await project.ok(["start", "api", "--wait"]);
    await clientsSay(machine, await httpsPort(taskmux), false);
    const gone = await taskmux.ok<Change>(["ca", "uninstall"]);
    assert(gone.stores.every(({ state }) => state === "absent"));
  },
});

Deno.test({
  name:
    "a user without root is told the line to type, and has the other stores, shells and programs",
  ignore: !HAS_PRIVATE_TRUST || !HAS_CERTUTIL || !CAN_CHANGE_USER,
  async fn() {
    await using machine = await testMachine(AS_SECOND_USER);
    const { taskmux, trust } = machine;
    const project = await taskmux.project(PROJECT);
    const refused = await taskmux.fails<Change>("E711", ["ca", "install"]);
    const [system, ...others] = refused.stores;
    assert.equal(system?.state, "needs_root");
    assert.equal(refused.hint, system?.fix);
    assert.deepEqual(kindsOf(others), ["chromium", "firefox", ...JAVA]);
    assert(others.every(({ state }) => state === "installed"));

    await project.ok(["start", "api", "--wait"]);
    const port = await httpsPort(taskmux);
    await shellsTrust(machine, port);

    // What a person copies. In the test it is root who types it.
    const typed = await trust.run(["sh", "-c", system?.fix ?? "false"]);
    assert.equal(typed.code, 0, typed.output);
    await clientsSay(machine, port, true);
    const done = await taskmux.ok<Change>(["ca", "install"]);
    assert(done.stores.every(({ state }) => state === "present"));
    const left = await taskmux.fails<Change>("E711", ["ca", "uninstall"]);
    const undone = await trust.run(["sh", "-c", left.hint ?? "false"]);
    assert.equal(undone.code, 0, undone.output);
    await taskmux.ok(["ca", "uninstall"]);
    await clientsSay(machine, port, false);
  },
});

/** Asking makes no authority and starts no daemon. */
async function nothingYet(taskmux: Taskmux): Promise<void> {
  await taskmux.fails("E710", ["ca", "path"]);
  const { exists, stores } = await taskmux.ok<Status>(["ca", "status"]);
  assert.deepEqual([exists, stores], [false, []]);
  assert.equal(await taskmux.daemonPid(), null);
}

/** `ca trust-clients` and `env` are all that a machine without root has. */
async function shellsTrust(
  { taskmux, trust }: Machine,
  port: number,
): Promise<void> {
  const shell = ["ca", "trust-clients", "--shell", "bash"];
  const wrote = await taskmux.ok<Result<"ca.trust_clients">>(shell);
  assert.equal(wrote.action, "wrote");
  assert.equal(wrote.rcFile, `${taskmux.home.root}/.bashrc`);
  const again = await taskmux.ok<Result<"ca.trust_clients">>(shell);
  assert.equal(again.action, "unchanged");
  const node = `node -e 'fetch("${
    url(port)
  }/").then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))'`;
  const deno = `deno eval 'await fetch("${url(port)}/")'`;
  const clients = [
    `curl -sS -o /dev/null ${url(port)}/`,
    `python3 -c 'import urllib.request as r; r.urlopen("${url(port)}/")'`,
    node,
    deno,
  ].map((line) => `${line} || echo "failed: ${line.slice(0, 9)}"`).join("\n");
  const sourced = await trust.run([
    "bash",
    "-c",
    `${wrote.sourceCmd}\n${clients}`,
  ]);
  assert.equal(sourced.output, "");
  const told = await trust.run(["bash", "-c", clients]);
  assert.equal(told.output.match(/^failed: /gm)?.length, 4, told.output);

  const cwd = `${taskmux.home.work}/project`;
  // Neither our own bundle nor a file with one root gets into the bundle by way of a variable, and it follows the system.
  const roots = await Deno.readTextFile(trust.bundle);
  const more = roots.split(/(?<=-----END CERTIFICATE-----\n)/)[0]!;
  await Deno.writeTextFile(trust.bundle, more, { append: true });
  const { env } = await taskmux.ok<Result<"project.env">>(["env"], {
    cwd,
    env: { SSL_CERT_FILE: wrote.caPath },
  });
  assert.equal(env["SSL_CERT_FILE"], wrote.caPath);
  const parts = [roots, more, await Deno.readTextFile(wrote.rootCaPath)];
  const bundle = await Deno.readTextFile(wrote.caPath);
  assert(plain(bundle) === plain(parts.join("")), "roots, and ours at the end");
  assert.equal(Deno.statSync(wrote.caPath).mode! & 0o7777, 0o644);
  const own = { SSL_CERT_FILE: "/somebody/elses.pem" };
  const kept = await taskmux.ok<{
    env: Record<string, string>;
    warnings: string[];
  }>(["env"], { env: own, cwd });
  assert.equal(kept.env["SSL_CERT_FILE"], undefined);
  assert.match(kept.warnings.join(), /SSL_CERT_FILE/);
}

/** A machine with a profile of Firefox, the folder of Chromium's database, and Java where there is one. */
interface Machine extends AsyncDisposable {
  readonly taskmux: Taskmux;
  readonly trust: PrivateTrust;
  /** Folder of Firefox. */
  readonly profile: string;
}

async function testMachine(user: readonly string[] = []): Promise<Machine> {
  const taskmux = await testTaskmux({ hostConfig: PROXY_CONFIG });
  const { root, work, home } = taskmux.home;
  const profile = `${root}/.mozilla/firefox/x.default`;
  await Deno.mkdir(profile, { recursive: true });
  await Deno.writeTextFile(`${profile}/prefs.js`, "");
  await Deno.mkdir(`${root}/.pki/nssdb`, { recursive: true });
  await Deno.mkdir(`${work}/project`);
  if (KEYTOOL !== null) await copyJava(KEYTOOL, root);
  const own = user.length === 0 ? {} : await giveToSecondUser(taskmux.home);
  const trust = await privateTrust(taskmux.home, [NAME]);
  const env = {
    DENO_DIR: taskmux.home.env["DENO_DIR"] ?? "",
    ...trust.env,
    ...own,
    TASKMUX_HOME: home,
    JAVA_HOME: `${root}/java`,
    NO_COLOR: "1",
  };
  Object.assign(taskmux.home, { launcher: [...trust.launcher, ...user], env });
  return {
    taskmux,
    trust,
    profile,
    [Symbol.asyncDispose]: () => taskmux[Symbol.asyncDispose](),
  };
}

/** A Java whose store a test may change. */
async function copyJava(keytool: string, root: string): Promise<void> {
  const home = keytool.replace(/\/bin\/keytool$/, "");
  await Deno.mkdir(`${root}/java/lib/security`, { recursive: true });
  await Deno.mkdir(`${root}/java/bin`);
  await Deno.copyFile(
    `${home}/lib/security/cacerts`,
    `${root}/java/lib/security/cacerts`,
  );
  await Deno.symlink(keytool, `${root}/java/bin/keytool`);
}

/** Where a program really is; null = nowhere, which is said. */
async function realPathOf(program: string): Promise<string | null> {
  const { success, stdout } = await new Deno.Command("sh", {
    args: ["-c", `readlink -f "$(command -v ${program})"`],
  }).output();
  if (success) return new TextDecoder().decode(stdout).trim();
  console.error(`SKIPPED: stores of certificates: there is no ${program}`);
  return null;
}

/**
 * What an earlier authority of this taskmux has left, and what is not ours.
 *
 * @returns What ours is called in the stores.
 */
async function addEarlier(
  { taskmux, trust, profile }: Machine,
): Promise<string> {
  const { root, home } = taskmux.home;
  const name = nameInStores(home);
  const make = async (file: string, organization: string): Promise<string> => {
    const path = `${root}/${file}`;
    const words = [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "9",
    ];
    const subject = `/O=${organization}/CN=${organization} 1`;
    const { code, output } = await trust.run(
      [
        "openssl",
        ...words,
        "-keyout",
        "/dev/null",
        "-out",
        path,
        "-subj",
        subject,
      ],
    );
    assert.equal(code, 0, output);
    return path;
  };
  const earlier = await make("earlier.pem", "taskmux development CA");
  const stranger = await make("stranger.pem", "Somebody");
  await Deno.copyFile(earlier, `${trust.anchors}/${name}.crt`);
  const database = `sql:${profile}`;
  const java = ["-keystore", `${root}/java/lib/security/cacerts`];
  const commands = [
    ["certutil", "-N", "--empty-password", "-d", database],
    ["certutil", "-A", "-d", database, "-t", "C,,", "-n", name, "-i", earlier],
    [
      "certutil",
      "-A",
      "-d",
      database,
      "-t",
      ",,",
      "-n",
      "stranger",
      "-i",
      stranger,
    ],
    ...KEYTOOL === null ? [] : [
      [
        ...[KEYTOOL, "-importcert", "-noprompt", "-storepass", "changeit"],
        ...[...java, "-alias", name, "-file", earlier],
      ],
    ],
  ];
  for (const argv of commands) {
    const { code, output } = await trust.run(argv);
    assert.equal(code, 0, output);
  }
  return name;
}

async function clientsSay(
  { trust }: Machine,
  port: number,
  isTrusted: boolean,
): Promise<void> {
  const said = await Promise.all(
    Object.entries(CLIENTS).map(async ([client, argv]) => {
      const { code, output } = await trust.run(argv(port));
      return { client, isTrusted: code === 0, output };
    }),
  );
  for (const each of said) {
    assert.equal(each.isTrusted, isTrusted, `${each.client}: ${each.output}`);
    // Not for any other reason than the certificate.
    if (!isTrusted) assert.match(each.output, /certificate|verify error/);
  }
}

/** Without comments and carriage returns. */
function plain(pem: string): string {
  return pem.replace(/^#.*\n|\r/gm, "");
}

/** What a start with a name warns of. */
async function warningOf(project: TestProject): Promise<string> {
  const started = await project.ok<{ warnings?: string[] }>(
    ["start", "api", "--wait"],
  );
  return started.warnings?.join("\n") ?? "";
}

/** The stores that doctor has found not to trust the certificates. */
async function doubts(taskmux: Taskmux): Promise<string[]> {
  const { checks } = (await taskmux.run(["doctor", "--json"])).json();
  return (checks as Finding[]).flatMap(({ name, status, detail }) =>
    name === "trust" && status === "warn" ? [detail.split(" ")[0]!] : []
  );
}

async function httpsPort(taskmux: Taskmux): Promise<number> {
  const { proxy } = await taskmux.ok<Result<"daemon.status">>([
    "daemon",
    "status",
  ]);
  assert(typeof proxy["port"] === "number");
  return proxy["port"];
}

async function opensslFingerprint(
  trust: PrivateTrust,
  path: string,
): Promise<string> {
  const words = ["x509", "-noout", "-fingerprint", "-sha256", "-in", path];
  const { output } = await trust.run(["openssl", ...words]);
  return output.trim().split("=").at(-1) ?? "";
}

function kindsOf(stores: readonly Store[]): string[] {
  return stores.map(({ store }) => store);
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
