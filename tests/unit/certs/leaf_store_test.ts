import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type {
  Authority,
  IssuedCertificate,
} from "../../../src/certs/authority.ts";
import { CurrentAuthority } from "../../../src/certs/current_authority.ts";
import { LeafStore } from "../../../src/certs/leaf_store.ts";
import { openOwnAuthority } from "../../../src/certs/own_authority.ts";
import { HAS_OPENSSL, strictlyVerified } from "../../support/openssl.ts";
import { until } from "../../support/until.ts";

const START = Date.UTC(2026, 10, 20);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const AUTHORITY = ["rootCA-key.pem", "rootCA.pem"] as const;

let shared: Promise<string[]> | null = null;

/** A store, its authority and its clock. */
class Bench implements AsyncDisposable {
  readonly root: string;
  readonly warnings: string[] = [];
  now = START;
  /** In the place of the authority. */
  failure: Error | null = null;
  store: LeafStore;
  authority: CurrentAuthority;

  constructor(root: string) {
    this.root = root;
    this.authority = this.#authority();
    this.store = this.restarted();
  }

  /** With the authority that all of them have, which takes a while to make. */
  static async make(): Promise<Bench> {
    const bench = await Bench.bare();
    shared ??= Bench.bare().then(async (first) => {
      await first.authority.get();
      const files = await Promise.all(
        AUTHORITY.map((name) => Deno.readTextFile(`${first.root}/ca/${name}`)),
      );
      await first[Symbol.asyncDispose]();
      return files;
    });
    await Deno.mkdir(`${bench.root}/ca`, { mode: 0o700 });
    for (const [index, text] of (await shared).entries()) {
      const path = `${bench.root}/ca/${AUTHORITY[index]}`;
      await Deno.writeTextFile(path, text, { mode: 0o600 });
    }
    return bench;
  }

  static async bare(): Promise<Bench> {
    return new Bench(await Deno.makeTempDir({ prefix: "tmx-leaf-" }));
  }

  /** The store of the next daemon. */
  restarted(tld = "localhost"): LeafStore {
    this.authority = this.#authority(tld);
    this.store = new LeafStore({
      folder: `${this.root}/certs`,
      tld,
      authority: () => this.#get(),
      now: () => this.now,
      onWarning: (message) => this.warnings.push(message),
    });
    return this.store;
  }

  of(projectId: string, host = "web"): Promise<IssuedCertificate> {
    return this.store.certificateFor({ projectId, host });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }

  #get(): Promise<Authority> {
    return this.failure === null
      ? this.authority.get()
      : Promise.reject(this.failure);
  }

  #authority(tld = "localhost"): CurrentAuthority {
    return new CurrentAuthority({
      now: () => this.now,
      open: () =>
        openOwnAuthority({
          folder: `${this.root}/ca`,
          tld,
          now: () => this.now,
          owner: () => Promise.resolve("me@here"),
          onDamage: ({ message }) => this.warnings.push(message),
          onWarning: (message) => this.warnings.push(message),
        }),
    });
  }
}

function parsed({ certificate }: IssuedCertificate): X509Certificate {
  return new X509Certificate(certificate);
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

Deno.test("a project has one certificate, however many ask, and the next daemon the same", async () => {
  await using bench = await Bench.make();
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, n) => bench.of("shop", `t${n}`)),
  );
  assert.equal(new Set(all).size, 1);
  assert.equal(await bench.of("shop", "@"), all[0]);
  const [first] = all;
  assert.equal(
    parsed(first!).subjectAltName,
    "DNS:shop.localhost, DNS:*.shop.localhost",
  );
  const folder = `${bench.root}/certs/shop`;
  assert.deepEqual(
    [folder, `${folder}/key.pem`, `${folder}/cert.pem`].map(modeOf),
    [0o700, 0o600, 0o600],
  );
  await Deno.chmod(folder, 0o755);
  await Deno.chmod(`${folder}/key.pem`, 0o644);
  bench.restarted();
  assert.equal((await bench.of("shop")).certificate, first!.certificate);
  assert.deepEqual([folder, `${folder}/key.pem`].map(modeOf), [0o700, 0o600]);
  assert.deepEqual(bench.warnings, [
    `${folder} was open to other users; its mode is 0700 now`,
    `${folder}/key.pem was open to other users; its mode is 0600 now`,
  ]);
});

Deno.test({
  name: "certificates are what strict clients want, for the longest names, too",
  ignore: !HAS_OPENSSL,
  fn: async () => {
    await using bench = await Bench.make();
    const long = "x".repeat(63);
    const { path } = await bench.authority.get();
    for (
      const issued of [
        await bench.of(long),
        await bench.of(long, `${"y".repeat(63)}.${"z".repeat(63)}`),
        await bench.store.certificateFor(null),
      ]
    ) {
      const leaf = parsed(issued);
      const lasts = leaf.validToDate.getTime() - leaf.validFromDate.getTime();
      assert(lasts < 397 * DAY_MS, `${lasts}`);
      assert.equal(leaf.validFromDate.getTime(), START - HOUR_MS);
      assert.equal(
        leaf.publicKey.asymmetricKeyDetails?.namedCurve,
        "prime256v1",
      );
      const file = `${bench.root}/leaf.pem`;
      await Deno.writeTextFile(file, issued.certificate);
      const verdict = await strictlyVerified(path, file);
      assert(verdict.ok, verdict.text);
    }
  },
});

Deno.test("a certificate is renewed in its last month without anybody waiting for it", async () => {
  await using bench = await Bench.make();
  const first = await bench.of("shop");
  bench.now = START + 366 * DAY_MS;
  assert.equal(await bench.of("shop"), first);
  bench.now = START + 367 * DAY_MS;
  assert.equal(await bench.of("shop"), first);
  const second = await until(async () => {
    const found = await bench.of("shop");
    return found === first ? null : found;
  });
  assert.equal(parsed(second).validFromDate.getTime(), bench.now - HOUR_MS);
  const all = await Promise.all(
    Array.from({ length: 20 }, () => bench.of("shop")),
  );
  assert.deepEqual(new Set(all), new Set([second]));
  bench.restarted();
  assert.equal((await bench.of("shop")).certificate, second.certificate);
});

Deno.test("a certificate whose renewal fails is served as long as it is valid", async () => {
  await using bench = await Bench.make();
  const first = await bench.of("shop");
  bench.now = START + 390 * DAY_MS;
  bench.failure = new Error("no authority");
  assert.equal(await bench.of("shop"), first);
  bench.now = START + 398 * DAY_MS;
  await assert.rejects(bench.of("shop"), /no authority/);
  bench.failure = null;
  assert.notEqual(await bench.of("shop"), first);
});

Deno.test("a clock that jumps leaves nobody with a certificate that is not valid", async () => {
  await using bench = await Bench.make();
  const first = await bench.of("shop");
  bench.now = START + 500 * DAY_MS;
  const late = await bench.of("shop");
  assert.notEqual(late, first);
  bench.now = START;
  const back = await bench.of("shop");
  assert(parsed(back).validFromDate.getTime() <= START);
  assert.deepEqual(bench.warnings, []);
});

Deno.test("near the end of the authority certificates end with it, and are signed once", async () => {
  await using bench = await Bench.make();
  const { notAfter } = await bench.authority.get();
  bench.now = notAfter - 10 * DAY_MS;
  const last = await bench.of("shop");
  assert.equal(parsed(last).validToDate.getTime(), notAfter);
  bench.now += 5 * DAY_MS;
  assert.equal(await bench.of("shop"), last);
  bench.now = notAfter;
  const next = await bench.of("shop");
  assert.notEqual(parsed(next).issuer, parsed(last).issuer);
  assert.match(bench.warnings.join(), /rootCA\.pem has expired/);
});

Deno.test({
  name: "what is wrong on disk is signed anew",
  ignore: !HAS_OPENSSL,
  fn: async (t) => {
    await using bench = await Bench.make();
    const cert = `${bench.root}/certs/shop/cert.pem`;
    const key = `${bench.root}/certs/shop/key.pem`;
    const damages: Record<string, () => Promise<void>> = {
      "half a certificate": () => Deno.truncate(cert, 300),
      "no key": () => Deno.remove(key),
      "a folder for a key": async () => {
        await Deno.remove(key);
        await Deno.mkdir(key);
      },
      "a key that is not its own": async () => {
        await bench.of("other");
        await Deno.copyFile(`${bench.root}/certs/other/key.pem`, key);
      },
      "other names": async () => {
        await bench.of("other");
        await Deno.copyFile(`${bench.root}/certs/other/key.pem`, key);
        await Deno.copyFile(`${bench.root}/certs/other/cert.pem`, cert);
      },
      "another authority": () =>
        Deno.remove(`${bench.root}/ca`, { recursive: true }),
    };
    for (const [name, damage] of Object.entries(damages)) {
      await t.step(name, async () => {
        bench.restarted();
        const before = await bench.of("shop");
        await damage();
        bench.restarted();
        const after = await bench.of("shop");
        assert.notEqual(after.certificate, before.certificate);
        const { path } = await bench.authority.get();
        const verdict = await strictlyVerified(path, cert);
        assert(verdict.ok, verdict.text);
        assert.equal(await Deno.readTextFile(cert), after.certificate);
      });
    }
  },
});

Deno.test("another top-level domain has other certificates", async () => {
  await using bench = await Bench.make();
  await bench.of("shop");
  bench.restarted("test");
  assert.equal(
    parsed(await bench.of("shop")).subjectAltName,
    "DNS:shop.test, DNS:*.shop.test",
  );
});

Deno.test("an authority that changes under a running daemon is taken up once it is left alone", async () => {
  await using bench = await Bench.make();
  const first = await bench.of("shop");
  await using other = await Bench.bare();
  await other.authority.get();
  for (const name of AUTHORITY) {
    await Deno.copyFile(`${other.root}/ca/${name}`, `${bench.root}/ca/${name}`);
    bench.now += 3_000;
    assert.equal(await bench.of("shop"), first);
  }
  bench.now += 3_000;
  const second = await bench.of("shop");
  const { certificate } = await other.authority.get();
  assert.equal(parsed(second).issuer, certificate.subject);
  assert.deepEqual(bench.warnings, []);
});

Deno.test("an authority that is gone, or asked for in earnest, is looked for at once", async () => {
  await using bench = await Bench.make();
  const { fingerprint } = await bench.authority.get();
  await Deno.remove(`${bench.root}/ca`, { recursive: true });
  assert.equal((await bench.authority.get()).fingerprint, fingerprint);
  const urgent = await bench.authority.get({ isUrgent: true });
  assert.notEqual(urgent.fingerprint, fingerprint);
  await Deno.remove(`${bench.root}/ca`, { recursive: true });
  bench.now += 3_000;
  const later = await bench.authority.get();
  assert.notEqual(later.fingerprint, urgent.fingerprint);
  assert.deepEqual(bench.warnings, []);
});

Deno.test("deeper names have certificates of their own, but not thousands", async () => {
  await using bench = await Bench.make();
  const project = await bench.of("shop");
  const first = await bench.of("shop", "a.b");
  assert.equal(parsed(first).subjectAltName, "DNS:a.b.shop.localhost");
  assert.equal(await bench.of("shop", "a.b"), first);
  for (let n = 1; n < 64; n++) {
    assert.notEqual(await bench.of("shop", `n${n}.b`), project, `${n}`);
  }
  // The rest of what one project may have at once.
  assert.equal(await bench.of("shop", "one.more"), project);
  assert.equal(await bench.of("shop", "a.b"), first);
  assert.notEqual(await bench.of("other", "a.b"), await bench.of("other"));
  bench.now += 1_000;
  const later = await bench.of("shop", "one.more");
  assert.equal(parsed(later).subjectAltName, "DNS:one.more.shop.localhost");
  assert.equal(await bench.of("shop", "and.more"), project);
  // That longest unused made room: the second, because the first was asked for since.
  assert.equal(await bench.of("shop", "a.b"), first);
  assert.equal(await bench.of("shop", "n1.b"), project);
  bench.now -= HOUR_MS / 2;
  assert.equal(await bench.of("shop", "back.then"), project);
});

Deno.test("a forgotten project leaves nothing, and gets a new certificate when it is back", async () => {
  await using bench = await Bench.make();
  const first = await bench.of("shop");
  const deep = await bench.of("shop", "a.b");
  await bench.store.forget("shop");
  await assert.rejects(Deno.stat(`${bench.root}/certs/shop`));
  assert.notEqual(await bench.of("shop"), first);
  assert.notEqual(await bench.of("shop", "a.b"), deep);
  const signing = bench.store.mint("shop");
  await bench.store.forget("shop");
  await signing;
  await assert.rejects(Deno.stat(`${bench.root}/certs/shop`));
  await bench.store.forget("never.there");
});

Deno.test("a minted certificate is new, and the one that is served", async () => {
  await using bench = await Bench.make();
  const first = await bench.of("shop");
  const minted = await bench.store.mint("shop");
  const served = await bench.of("shop");
  assert.notEqual(served.certificate, first.certificate);
  assert.equal(
    await Deno.readTextFile(minted.certificate),
    served.certificate,
  );
  assert.equal(await Deno.readTextFile(minted.privateKey), served.privateKey);
  assert.deepEqual(minted.names, ["shop.localhost", "*.shop.localhost"]);
});

Deno.test("without a disk certificates are served all the same, and it is told", async () => {
  await using bench = await Bench.make();
  await bench.authority.get();
  await Deno.symlink("/proc/nowhere", `${bench.root}/elsewhere`);
  bench.store = new LeafStore({
    folder: `${bench.root}/elsewhere/certs`,
    tld: "localhost",
    authority: () => bench.authority.get(),
    now: () => bench.now,
    onWarning: (message) => bench.warnings.push(message),
  });
  const first = await bench.of("shop");
  assert.equal(await bench.of("shop"), first);
  assert.match(
    bench.warnings.join("\n"),
    /^the certificate of shop cannot be kept: /,
  );
  await assert.rejects(bench.store.mint("shop"));
});
