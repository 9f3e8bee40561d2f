/**
 * Odd stores: behind a password, damaged, with certificates of others, of other formats.
 *
 * @module
 */

import assert from "node:assert/strict";
import { systemClock } from "../../../src/kit/clock.ts";
import { folderOf } from "../../../src/kit/path.ts";
import { browserDatabases } from "../../../src/trust/browser_databases.ts";
import { JavaStore } from "../../../src/trust/java_store.ts";
import { readNss } from "../../../src/trust/nss_database.ts";
import { NssStore } from "../../../src/trust/nss_store.ts";
import {
  readRoot,
  type RootCertificate,
} from "../../../src/trust/root_certificate.ts";
import { SystemStore } from "../../../src/trust/system_store.ts";
import { Toolbox } from "../../../src/trust/toolbox.ts";
import type {
  StoreAnswer,
  TrustStore,
} from "../../../src/trust/trust_store.ts";
import { type TempHome, tempHome } from "../../support/temp_home.ts";

const NAME = "taskmux-00000000";
const OURS = "taskmux development CA";

const HAS_CERTUTIL = Deno.env.get("CI") === "true" || hasProgram("certutil");
const HAS_KEYTOOL = Deno.env.get("CI") === "true" || hasProgram("keytool");
const HAS_SYSTEM_STORE = hasProgram("/usr/sbin/update-ca-certificates");

/** A store that was prepared, and what becomes of it. */
interface OddDatabase {
  readonly name: string;
  /** Arguments of certutil after the database, with `OURS` and `STRANGER` for files, one call each. */
  readonly before: readonly (readonly string[])[];
  readonly password?: string;
  readonly install: string;
  readonly uninstall: string;
  /** Nicknames that are left in the end. */
  readonly left: readonly string[];
}

const DATABASES: readonly OddDatabase[] = [
  {
    name: "an empty one",
    before: [],
    install: "installed",
    uninstall: "removed",
    left: [],
  },
  {
    name: "one behind a password, which does not keep what it does not trust",
    before: [],
    password: "a secret",
    install: "failed",
    uninstall: "absent",
    left: [],
  },
  {
    name: "one that distrusts our certificate",
    before: [["-A", "-t", "p,,", "-n", NAME, "-i", "OURS"]],
    install: "installed",
    uninstall: "removed",
    left: [],
  },
  {
    name: "one that has our certificate under another name",
    before: [["-A", "-t", "C,,", "-n", "by hand", "-i", "OURS"]],
    install: "present",
    uninstall: "removed",
    left: [],
  },
  {
    name: "one in which a stranger has our name",
    before: [["-A", "-t", "C,,", "-n", NAME, "-i", "STRANGER"]],
    install: "failed",
    uninstall: "absent",
    left: [NAME],
  },
];

Deno.test("databases of browsers are found where browsers look, and none is made that would hide another", async () => {
  await using home = await tempHome();
  const [HOME, PATH] = [home.work, `${home.root}/bin`];
  const folders = async (): Promise<string[]> =>
    (await browserDatabases(toolbox({ HOME, PATH, XDG_DATA_HOME: "" })))
      .map(({ folder }) => folder.slice(HOME.length + 1));
  const touch = async (path: string): Promise<void> => {
    await Deno.mkdir(folderOf(path), { recursive: true });
    await Deno.writeTextFile(path, "", { mode: 0o755 });
  };
  const [old, newer] = [".pki/nssdb", ".local/share/pki/nssdb"];
  assert.deepEqual(await folders(), []);
  await touch(`${PATH}/chromium`);
  assert.deepEqual(await folders(), [old]);
  await touch(`${HOME}/${newer}/cert9.db`);
  assert.deepEqual(await folders(), [newer]);
  await touch(`${HOME}/${old}/cert9.db`);
  assert.deepEqual(await folders(), [old, newer]);
  const snap = "snap/firefox/common/.mozilla/firefox";
  await touch(`${HOME}/${snap}/b.two/times.json`);
  await touch(`${HOME}/.mozilla/firefox/a.one/cert9.db`);
  await touch(`${HOME}/.mozilla/firefox/Crash Reports/InstallTime1`);
  await Deno.mkdir(`${HOME}/snap/chromium/current`, { recursive: true });
  assert.deepEqual(await folders(), [
    old,
    newer,
    `snap/chromium/current/${old}`,
    ".mozilla/firefox/a.one",
    `${snap}/b.two`,
  ]);
});

for (const { name, before, password = "", ...expected } of DATABASES) {
  Deno.test({
    name: `a database of a browser: ${name}`,
    ignore: !HAS_CERTUTIL,
    async fn() {
      await using home = await tempHome();
      const { ours, stranger } = await certificates(home);
      const folder = `${home.work}/it's a profile`;
      await Deno.mkdir(folder);
      await Deno.writeTextFile(`${home.work}/password`, password);
      const words = ["-d", `sql:${folder}`, "-f", `${home.work}/password`];
      await run("certutil", "-N", ...words);
      for (const each of before) {
        const args = each.map((word) =>
          word === "OURS" ? ours.path : word === "STRANGER" ? stranger : word
        );
        await run("certutil", ...args, ...words);
      }
      const tools = toolbox();
      const kind = "firefox";
      const store = new NssStore({ kind, folder, name: NAME, tools });
      const installed = await store.install(ours);
      assert.equal(installed.state, expected.install, installed.detail ?? "");
      assert.equal((await store.look(ours)).trusted, installed.trusted);
      const again = await store.install(ours);
      assert.equal(again.state, installed.trusted ? "present" : "failed");
      assert.equal((await store.uninstall(ours)).state, expected.uninstall);
      const left = (await readNss(folder)).map(({ nickname }) => nickname);
      assert.deepEqual(left, expected.left);
    },
  });
}

Deno.test("a database of a browser that cannot be read, or without certutil, is left as it is", async () => {
  await using home = await tempHome();
  const { ours } = await certificates(home);
  const folder = home.work;
  const options = { kind: "chromium", folder, name: NAME } as const;
  const bare = new NssStore({ ...options, tools: toolbox({ PATH: "/none" }) });
  const { state, fix } = await bare.install(ours);
  assert.equal(state, "no_tool");
  assert.match(fix ?? "", /install .*nss.* && taskmux ca install$/);
  assert.match((await bare.look(ours)).fix ?? "", / && taskmux ca install$/);
  assert.equal((await bare.uninstall(ours)).state, "absent");

  await Deno.writeTextFile(
    `${folder}/cert9.db`,
    "no database at all\n".repeat(99),
  );
  const store = new NssStore({ ...options, tools: toolbox() });
  const { look, install, uninstall } = bound(store);
  for (const act of [look, install, uninstall]) {
    assert.deepEqual(
      (({ state, trusted }) => [state, trusted])(await act(ours)),
      ["unknown", null],
    );
  }
});

Deno.test({
  name: "the system's store is changed by sudo without a prompt, or not at all",
  ignore: !HAS_SYSTEM_STORE,
  async fn() {
    await using home = await tempHome();
    const { ours } = await certificates(home);
    const sudo = `${home.work}/sudo`;
    const log = `${home.work}/log`;
    const become = async (last: string): Promise<StoreAnswer> => {
      // Nothing of the machine changes: it only notes what it is told to do.
      const text = `#!/bin/sh\necho "$*" >> ${log}\n${last}\n`;
      await Deno.writeTextFile(sudo, text, { mode: 0o755 });
      const PATH = `${home.work}:${Deno.env.get("PATH")}`;
      return await new SystemStore(NAME, toolbox({ PATH })).install(ours);
    };
    const refused = await become("exit 1");
    assert.equal(refused.state, "needs_root");
    const [copy = "", update = ""] = refused.fix?.split(" && ") ?? [];
    const target = `/usr/local/share/ca-certificates/${NAME}.crt`;
    assert.equal(copy, `sudo install -m 0644 '${ours.path}' ${target}`);
    assert.match(update, /^sudo \/\S+\/update-ca-certificates$/);
    const useless = await become("exit 0");
    assert.equal(useless.state, "failed");
    assert.match(useless.detail ?? "", /did not take it over/);
    assert.deepEqual((await Deno.readTextFile(log)).trim().split("\n"), [
      "-n true",
      "-n true",
      `-n -- install -m 0644 ${ours.path} ${target}`,
      update.replace("sudo", "-n --"),
    ]);
  },
});

Deno.test({
  name: "Java's store in a format that only keytool can read",
  ignore: !HAS_KEYTOOL,
  async fn() {
    await using home = await tempHome();
    const { ours, stranger } = await certificates(home);
    const cacerts = `${home.work}/ca certs`;
    const store = ["-keystore", cacerts, "-storepass", "changeit"];
    const words = ["-importcert", "-noprompt", "-storetype", "PKCS12"];
    const entry = ["-alias", "stranger", "-file", stranger];
    await run("keytool", ...words, ...store, ...entry);
    const place = { cacerts, keytool: toolbox().find("keytool") };
    const make = (canRun: boolean) =>
      new JavaStore(place, { name: NAME, tools: toolbox({}, canRun) });
    const java = make(true);
    assert.equal((await make(false).look(ours)).state, "unknown");
    assert.equal((await java.install(ours)).state, "installed");
    assert.equal((await java.look(ours)).state, "present");
    assert.equal((await java.uninstall(ours)).state, "removed");
    const listed = await run("keytool", "-list", ...store);
    assert.match(listed, /^stranger, /m);
    assert(!listed.includes(NAME));
  },
});

function bound(store: TrustStore) {
  return {
    look: (root: RootCertificate) => store.look(root),
    install: (root: RootCertificate) => store.install(root),
    uninstall: (root: RootCertificate) => store.uninstall(root),
  };
}

function toolbox(env: Record<string, string> = {}, canRun = true): Toolbox {
  return new Toolbox({
    env: { PATH: Deno.env.get("PATH") ?? "", ...env },
    isRoot: false,
    canRun,
    clock: systemClock,
    signal: new AbortController().signal,
  });
}

/** One of ours, and the file of one that is not. */
async function certificates(
  { root }: TempHome,
): Promise<{ readonly ours: RootCertificate; readonly stranger: string }> {
  const make = async (file: string, organization: string): Promise<string> => {
    const path = `${root}/${file}`;
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    const words = ["req", "-x509", ...key, "-nodes", "-keyout", "/dev/null"];
    await run("openssl", ...words, "-out", path, "-subj", `/O=${organization}`);
    return path;
  };
  const ours = await readRoot(await make("our own.pem", OURS));
  assert(ours !== null);
  return { ours, stranger: await make("stranger.pem", "Somebody") };
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args })
    .output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  assert(success, `${program} ${args.join(" ")}: ${text}`);
  return text;
}

function hasProgram(program: string): boolean {
  const args = ["-c", `command -v ${program}`];
  const { success } = new Deno.Command("sh", { args }).outputSync();
  if (!success) console.error(`SKIPPED: odd stores: there is no ${program}`);
  return success;
}
