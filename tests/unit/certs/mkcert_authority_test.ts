import assert from "node:assert/strict";
import { mkcertFolder } from "../../../src/certs/authority_files.ts";
import { readLeaf } from "../../../src/certs/leaf.ts";
import { openMkcertAuthority } from "../../../src/certs/mkcert_authority.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";
import {
  HAS_OPENSSL,
  mkcertLikeAuthority,
  strictlyVerified,
} from "../../support/openssl.ts";

const NAMES = {
  label: "shop",
  dns: ["shop.localhost", "*.shop.localhost"],
  addresses: [],
};

Deno.test("mkcert's authority is where mkcert says", () => {
  const folders = [
    [{ CAROOT: "/a", XDG_DATA_HOME: "/b", HOME: "/c" }, "linux"],
    [{ CAROOT: "", XDG_DATA_HOME: "/b", HOME: "/c" }, "darwin"],
    [{ HOME: "/c" }, "linux"],
    [{ HOME: "/c" }, "darwin"],
    [{}, "linux"],
  ] as const;
  assert.deepEqual(folders.map(([env, os]) => mkcertFolder(env, os)), [
    "/a",
    "/b/mkcert",
    "/c/.local/share/mkcert",
    "/c/Library/Application Support/mkcert",
    null,
  ]);
});

Deno.test({
  name: "mkcert's authority signs, whichever key it has",
  ignore: !HAS_OPENSSL,
  fn: async (t) => {
    for (const key of ["rsa:3072", "ec"]) {
      await t.step(key, async () => {
        const folder = await Deno.makeTempDir({ prefix: "tmx-mkcert-" });
        try {
          await mkcertLikeAuthority(folder, key);
          const authority = await openMkcertAuthority({
            env: { CAROOT: folder },
            os: "linux",
            now: Date.now,
          });
          const issued = await authority.issue(NAMES, Date.now());
          const path = `${folder}/leaf.pem`;
          await Deno.writeTextFile(path, issued.certificate);
          assert.equal(authority.path, `${folder}/rootCA.pem`);
          const verdict = await strictlyVerified(authority.path, path);
          assert(verdict.ok, verdict.text);
          assert(readLeaf(issued, NAMES, authority) !== null);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      });
    }
  },
});

Deno.test({
  name:
    "without a usable authority of mkcert there is none, and nothing is touched",
  ignore: !HAS_OPENSSL,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "tmx-mkcert-" });
    const open = (now = Date.now()): Promise<unknown> =>
      openMkcertAuthority({
        env: { CAROOT: folder },
        os: "linux",
        now: () => now,
      });
    try {
      await refused(
        open(),
        /there is no ".*\/rootCA\.pem"$/,
        /^mkcert -install/,
      );
      await mkcertLikeAuthority(folder);
      const late = Date.now() + 4_000 * 86_400_000;
      await refused(
        open(late),
        /rootCA\.pem" has expired$/,
        /mkcert -install$/,
      );
      await mkcertLikeAuthority(folder, "ed25519");
      await refused(open(), /neither RSA nor ECDSA$/, /mkcert -install$/);
      await Deno.writeTextFile(`${folder}/rootCA-key.pem`, "nonsense");
      await refused(open(), /has a key that is none$/, /mkcert -install$/);
      await Deno.remove(`${folder}/rootCA-key.pem`);
      await refused(open(), /there is no ".*\/rootCA-key\.pem"$/, /-install/);
      assert.deepEqual(await Array.fromAsync(Deno.readDir(folder), nameOf), [
        "rootCA.pem",
      ]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function refused(
  opening: Promise<unknown>,
  message: RegExp,
  hint: RegExp,
): Promise<void> {
  await assert.rejects(opening, (error) => {
    assert(error instanceof TaskmuxError);
    assert.equal(error.code, "E710");
    assert.match(error.message, message);
    assert.match(error.hint ?? "", hint);
    return true;
  });
}

function nameOf({ name }: Deno.DirEntry): string {
  return name;
}
