import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { Authority } from "../../../src/certs/authority.ts";
import {
  type AuthorityDamage,
  openOwnAuthority,
} from "../../../src/certs/own_authority.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import {
  HAS_OPENSSL,
  openssl,
  strictlyVerified,
} from "../../support/openssl.ts";

const NOW = Date.UTC(2026, 10, 20);
const DAY_MS = 86_400_000;

let shared: Promise<string[]> | null = null;

/** A folder of an authority, and what was said about it. */
class Place implements AsyncDisposable {
  readonly root: string;
  readonly folder: string;
  readonly damage: AuthorityDamage[] = [];
  readonly warnings: string[] = [];

  constructor(root: string) {
    this.root = root;
    this.folder = `${root}/ca`;
  }

  static async make(): Promise<Place> {
    return new Place(await Deno.makeTempDir({ prefix: "tmx-ca-" }));
  }

  /** With the authority that all of them have, which takes a while to make. */
  static async filled(): Promise<Place> {
    const place = await Place.make();
    shared ??= Place.make().then(async (first) => {
      await first.open();
      const files = [first.certificate, first.privateKey];
      const texts = await Promise.all(
        files.map((file) => Deno.readTextFile(file)),
      );
      await first[Symbol.asyncDispose]();
      return texts;
    });
    const [certificate = "", privateKey = ""] = await shared;
    await Deno.mkdir(place.folder, { mode: 0o700 });
    await Deno.writeTextFile(place.certificate, certificate);
    await Deno.writeTextFile(place.privateKey, privateKey, { mode: 0o600 });
    return place;
  }

  get certificate(): string {
    return `${this.folder}/rootCA.pem`;
  }

  get privateKey(): string {
    return `${this.folder}/rootCA-key.pem`;
  }

  async open(now = NOW, tld = "localhost"): Promise<Authority> {
    return await openOwnAuthority({
      folder: this.folder,
      tld,
      now: () => now,
      owner: () => Promise.resolve("me@here"),
      onDamage: (damage) => this.damage.push(damage),
      onWarning: (message) => this.warnings.push(message),
    });
  }

  async names(): Promise<string[]> {
    const entries = await Array.fromAsync(Deno.readDir(this.folder));
    return entries.map(({ name }) => name.replace(/\d{8}T\d+Z/, "TIME"))
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

Deno.test({
  name: "an authority is private, lasts, and says what it may sign",
  ignore: !HAS_OPENSSL,
  fn: async () => {
    await using place = await Place.make();
    const made = await place.open();
    assert.deepEqual([modeOf(place.folder), modeOf(place.privateKey)], [
      0o700,
      0o600,
    ]);
    const again = await place.open();
    assert.equal(again.fingerprint, made.fingerprint);
    const { text } = await openssl("x509", "-noout", "-text", "-in", made.path);
    for (
      const part of [
        /Subject: O = taskmux development CA, CN = taskmux development CA me@here [0-9a-f]{8}\n/,
        /Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/,
        /Key Usage: critical\s+Certificate Sign, CRL Sign\n/,
        /Name Constraints: critical\s+Permitted:\s+DNS:localhost\s+IP:127\.0\.0\.0\/255\.0\.0\.0\s+IP:0:0:0:0:0:0:0:1\/(FFFF:?){8}\s+X509v3/,
        /Subject Key Identifier:/,
        /Public-Key: \(2048 bit\)/,
      ]
    ) assert.match(text, part);
    assert.equal(Math.round((made.notAfter - made.notBefore) / DAY_MS), 3650);
    assert.equal(made.notBefore, NOW - 3_600_000);
    const verdict = await strictlyVerified(made.path, made.path);
    assert(verdict.ok, verdict.text);
    assert.deepEqual([place.damage, place.warnings], [[], []]);
  },
});

Deno.test("two authorities of one user have different subjects", async () => {
  await using one = await Place.make();
  await using other = await Place.make();
  const [first, second] = [await one.open(), await other.open()];
  assert.notEqual(first.certificate.subject, second.certificate.subject);
});

Deno.test("what others could read is theirs no more, and told of", async () => {
  await using place = await Place.filled();
  const made = await place.open();
  await Deno.chmod(place.folder, 0o755);
  await Deno.chmod(place.privateKey, 0o644);
  const again = await place.open();
  assert.equal(again.fingerprint, made.fingerprint);
  assert.deepEqual([modeOf(place.folder), modeOf(place.privateKey)], [
    0o700,
    0o600,
  ]);
  assert.deepEqual(place.warnings, [
    `${place.folder} was open to other users; its mode is 0700 now`,
    `${place.privateKey} was open to other users; its mode is 0600 now`,
  ]);
});

const DAMAGES: readonly {
  readonly name: string;
  readonly why: RegExp;
  readonly aside: readonly string[];
  readonly now?: number;
  readonly tld?: string;
  damage?(place: Place): Promise<void>;
}[] = [
  {
    name: "a crash between key and certificate",
    why: /^rootCA-key\.pem has no certificate beside it; it is now "/,
    aside: ["rootCA-key.pem.corrupt-TIME"],
    damage: (place) => Deno.remove(place.certificate),
  },
  {
    name: "a lost key",
    why: /^rootCA\.pem has no key beside it;/,
    aside: ["rootCA.pem.corrupt-TIME"],
    damage: (place) => Deno.remove(place.privateKey),
  },
  {
    name: "half a certificate",
    why: /holds no certificate/,
    aside: ["rootCA-key.pem.corrupt-TIME", "rootCA.pem.corrupt-TIME"],
    damage: (place) => Deno.truncate(place.certificate, 500),
  },
  {
    name: "half a key",
    why: /has a key that is none/,
    aside: ["rootCA-key.pem.corrupt-TIME", "rootCA.pem.corrupt-TIME"],
    damage: (place) => Deno.truncate(place.privateKey, 500),
  },
  {
    name: "a folder in the place of the certificate",
    why: /holds no certificate/,
    aside: ["rootCA-key.pem.corrupt-TIME", "rootCA.pem.corrupt-TIME"],
    damage: async (place) => {
      await Deno.remove(place.certificate);
      await Deno.mkdir(place.certificate);
    },
  },
  {
    name: "the key of another",
    why: /does not belong to the key beside it/,
    aside: ["rootCA-key.pem.corrupt-TIME", "rootCA.pem.corrupt-TIME"],
    damage: async (place) => {
      await using other = await Place.make();
      await other.open();
      await Deno.copyFile(other.privateKey, place.privateKey);
    },
  },
  {
    name: "a certificate that is no authority's",
    why: /is not that of an authority/,
    aside: ["rootCA-key.pem.corrupt-TIME", "rootCA.pem.corrupt-TIME"],
    damage: async (place) => {
      const authority = await place.open();
      const leaf = await authority.issue(
        { label: "x", dns: ["x.localhost"], addresses: [] },
        NOW,
      );
      await Deno.writeTextFile(place.certificate, leaf.certificate);
      await Deno.writeTextFile(place.privateKey, leaf.privateKey);
    },
  },
  {
    name: "the end of its days",
    why: /has expired/,
    aside: ["rootCA-key.pem.corrupt-TIME", "rootCA.pem.corrupt-TIME"],
    now: NOW + 3_650 * DAY_MS,
  },
  {
    name: "another domain",
    why: /may not sign names under \.test/,
    aside: ["rootCA-key.pem.corrupt-TIME", "rootCA.pem.corrupt-TIME"],
    tld: "test",
  },
];

Deno.test("what is no authority is moved aside and told of, and there is a new one", async (t) => {
  for (const { name, why, aside, now, tld, damage } of DAMAGES) {
    await t.step(name, async () => {
      await using place = await Place.filled();
      const { fingerprint } = await place.open();
      await damage?.(place);
      const made = await place.open(now, tld);
      assert.notEqual(made.fingerprint, fingerprint);
      assert.equal(place.damage.length, 1);
      const { message } = place.damage[0]!;
      assert.match(message, why);
      assert.match(message, /new certificate authority: taskmux ca install$/);
      assert.deepEqual(
        await place.names(),
        ["rootCA-key.pem", "rootCA.pem", ...aside].sort(),
      );
      assert.equal((await place.open(now, tld)).fingerprint, made.fingerprint);
    });
  }
});

Deno.test("an authority from the future is kept, for it is the clock that is wrong", async () => {
  await using place = await Place.filled();
  const { fingerprint } = await place.open();
  const early = await place.open(NOW - 365 * DAY_MS);
  assert.equal(early.fingerprint, fingerprint);
  assert.deepEqual(place.damage, []);
});

Deno.test("a file in the place of the folder is moved aside", async () => {
  await using place = await Place.make();
  await Deno.writeTextFile(place.folder, "");
  await place.open();
  assert.match(
    place.warnings.join(),
    /ca was no folder; it is now ".*ca\.corr/,
  );
});

Deno.test("an authority that cannot be kept is none", async () => {
  await using place = await Place.make();
  const stuck = new Place(`${place.root}/nowhere`);
  await Deno.symlink("/proc/nowhere", stuck.root);
  await assert.rejects(stuck.open(), (error) => {
    assert(error instanceof TaskmuxError);
    assert.equal(error.code, "E710");
    assert.match(
      error.message,
      /^Cannot use the certificate authority in ".*\/nowhere\/ca": /,
    );
    return true;
  });
});

Deno.test({
  name: "the authority of another domain permits that and this machine",
  ignore: !HAS_OPENSSL,
  fn: async () => {
    await using place = await Place.make();
    const authority = await place.open(NOW, "test");
    const issued = await authority.issue({
      label: "x",
      dns: ["localhost", "x.test", "*.x.test"],
      addresses: ["127.0.0.1", "::1"],
    }, NOW);
    const path = `${place.root}/leaf.pem`;
    await Deno.writeTextFile(path, issued.certificate);
    const verdict = await strictlyVerified(authority.path, path);
    assert(verdict.ok, verdict.text);
    assert.equal(
      new X509Certificate(issued.certificate).subjectAltName,
      "DNS:localhost, DNS:x.test, DNS:*.x.test, IP Address:127.0.0.1, IP Address:::1",
    );
  },
});

Deno.test({
  name: "what an authority signs beyond its domain nobody believes",
  ignore: !HAS_OPENSSL,
  fn: async () => {
    await using place = await Place.filled();
    const authority = await place.open();
    for (const dns of ["example.com", "localhost.example.com", "xlocalhost"]) {
      const issued = await authority.issue(
        { label: "x", dns: [dns], addresses: [] },
        NOW,
      );
      const path = `${place.root}/leaf.pem`;
      await Deno.writeTextFile(path, issued.certificate);
      const { ok, text } = await strictlyVerified(authority.path, path);
      assert.equal(ok, false, dns);
      assert.match(text, /permitted subtree violation/, dns);
    }
  },
});
