/** Resolvers in folders of their own: what they write, and what they leave alone. */

import assert from "node:assert/strict";
import { TaskmuxError } from "../../../src/domain/error.ts";
import { Delegation } from "../../../src/resolvers/delegation.ts";
import { EtcHosts } from "../../../src/resolvers/etc_hosts.ts";
import type { Machine } from "../../../src/resolvers/resolver.ts";

const NEVER = new AbortController().signal;
const QUIETLY = { sudo: false };
const RELOAD = "sudo systemctl reload-or-restart systemd-resolved";

interface TestMachine extends Machine, AsyncDisposable {}

async function machine(
  os: typeof Deno.build.os = "linux",
): Promise<TestMachine> {
  const root = await Deno.makeTempDir({ dir: "/tmp", prefix: "tmx-" });
  for (const name of ["etc", "run", "home"]) {
    await Deno.mkdir(`${root}/${name}`);
  }
  return {
    os,
    etc: `${root}/etc`,
    run: `${root}/run`,
    home: `${root}/home`,
    addresses: ["127.0.0.1"],
    program: null,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

async function refused(work: Promise<unknown>): Promise<TaskmuxError> {
  const error = await work.then(() => null, (reason: unknown) => reason);
  assert(error instanceof TaskmuxError && error.code === "E720", `${error}`);
  return error;
}

Deno.test("systemd-resolved is given one file, which is taken back alone", async () => {
  await using own = await machine();
  await Deno.mkdir(`${own.run}/systemd/resolve`, { recursive: true });
  const folder = `${own.etc}/systemd/resolved.conf.d`;
  const path = `${folder}/taskmux.conf`;
  const at = (port: number) => new Delegation(own, { tld: "test", port });
  const install = (port: number) => at(port).install([], QUIETLY, NEVER);
  assert.deepEqual(await install(5454), { changed: true, next: [RELOAD] });
  assert.equal(
    await Deno.readTextFile(path),
    "[Resolve]\nDNS=127.0.0.1:5454\nDomains=~test\n",
  );
  assert.deepEqual(await install(5454), { changed: false, next: [] });
  const stale = await at(6000).status();
  assert.deepEqual([stale.installed, stale.current], [true, false]);
  assert.equal((await install(6000)).changed, true);
  await Deno.writeTextFile(`${folder}/mine.conf`, "[Resolve]\n");
  const gone = await at(6000).uninstall(QUIETLY, NEVER);
  assert.deepEqual(gone, { changed: true, next: [RELOAD] });
  const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assert.deepEqual(left, ["mine.conf"]);
  assert.equal((await at(1).uninstall(QUIETLY, NEVER)).changed, false);

  const text = "[Resolve]\nDNS=127.0.0.1:5454 9.9.9.9\nDomains=~test\n";
  await Deno.writeTextFile(path, text);
  await refused(install(5454));
  await refused(at(5454).uninstall(QUIETLY, NEVER));
  assert.equal(await Deno.readTextFile(path), text, "of somebody else");
});

Deno.test("macOS has a file for each domain", async () => {
  await using own = await machine("darwin");
  const delegation = new Delegation(own, { tld: "test", port: 5454 });
  const change = await delegation.install([], QUIETLY, NEVER);
  assert.deepEqual(change, { changed: true, next: [] });
  assert.equal(
    await Deno.readTextFile(`${own.etc}/resolver/test`),
    "nameserver 127.0.0.1\nport 5454\n",
  );
  await delegation.uninstall(QUIETLY, NEVER);
  assert.deepEqual([...Deno.readDirSync(`${own.etc}/resolver`)], []);
});

Deno.test("other systems are told what they can do instead", async () => {
  await using own = await machine();
  const delegation = new Delegation(own, { tld: "test", port: 5454 });
  const plain = await refused(delegation.install([], QUIETLY, NEVER));
  assert.equal(plain.hint, "taskmux config set host_resolver etc_hosts");
  await Deno.mkdir(`${own.etc}/dnsmasq.d`);
  const dnsmasq = await refused(delegation.install([], QUIETLY, NEVER));
  assert.match(dnsmasq.hint ?? "", /^echo server=\/test\/127\.0\.0\.1#5454 \|/);
  const there = [...Deno.readDirSync(own.etc)].map(({ name }) => name);
  assert.deepEqual(there, ["dnsmasq.d"]);
});

Deno.test("a hosts file keeps its mode, its link and every byte of others", async () => {
  await using own = await machine();
  const target = `${own.etc}/real`;
  // Latin-1, and bytes that are no text at all.
  const before = new Uint8Array([0x23, 0xe4, 0xff, 0x80, 0x00, 0x0a]);
  await Deno.writeFile(target, before, { mode: 0o640 });
  await Deno.symlink("real", `${own.etc}/hosts`);
  const hosts = new EtcHosts(own);
  const names = ["a.shop.test"];
  assert.equal((await hosts.install(names, QUIETLY, NEVER)).changed, true);
  assert.equal((await hosts.install(names, QUIETLY, NEVER)).changed, false);
  const after = await Deno.readFile(target);
  assert.deepEqual(after.subarray(0, before.length), before);
  assert.equal(Deno.lstatSync(`${own.etc}/hosts`).isSymlink, true);
  assert.equal(Deno.statSync(target).mode! & 0o777, 0o640);
  await hosts.uninstall(QUIETLY, NEVER);
  assert.deepEqual(await Deno.readFile(target), before);
});

Deno.test("who comes later clears away blocks of state folders that are gone", async () => {
  await using own = await machine();
  await using other = await machine();
  const others = new EtcHosts({ ...own, home: other.home });
  const gone = new EtcHosts({ ...own, home: `${own.home}/gone` });
  await others.install(["b.other.test"], QUIETLY, NEVER);
  await gone.install(["c.gone.test"], QUIETLY, NEVER);
  await new EtcHosts(own).install(["a.shop.test"], QUIETLY, NEVER);
  const text = await Deno.readTextFile(`${own.etc}/hosts`);
  assert.deepEqual(text.match(/\S+\.test$/gm), ["b.other.test", "a.shop.test"]);
  assert.equal((await others.status(["b.other.test"])).current, true);
});
