/**
 * The block in the files of shells, and what shells make of it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { withBlock, writeBlock } from "../../../src/trust/shell_block.ts";
import { shellTrust, TRUST_SHELLS } from "../../../src/trust/shell_trust.ts";
import { tempHome } from "../../support/temp_home.ts";

const BEGIN = "# >>> taskmux trust-clients >>>";
const END = "# <<< taskmux trust-clients <<<";
const OLD = 'export SSL_CERT_FILE="/home/me/.taskmux/ca-bundle.pem"';
const BLOCK = `${BEGIN}\nnew\n${END}\n`;

/** What is in the file, what becomes of it, and how that is called. */
const CASES: readonly (readonly [
  name: string,
  before: string,
  after: string,
  action: string,
])[] = [
  ["an empty file", "", BLOCK, "wrote"],
  ["the end", "a\n", `a\n${BLOCK}`, "wrote"],
  ["a last line without an end", "a", `a\n${BLOCK}`, "wrote"],
  ["the same", `a\n${BLOCK}b\n`, `a\n${BLOCK}b\n`, "unchanged"],
  ["its place", `a\n${BEGIN}\n${OLD}\n${END}\nb`, `a\n${BLOCK}b`, "replaced"],
  [
    "duplicates",
    `a\n${BEGIN}\n${OLD}\n${END}\nb\n${BLOCK}c\n${BLOCK}`,
    `a\n${BLOCK}b\nc\n`,
    "replaced",
  ],
  [
    "lines of somebody else inside",
    `${BEGIN}\n${OLD}\n# note\n${END}\nb\n`,
    `${BLOCK}b\n`,
    "replaced",
  ],
  [
    "a beginning without an end",
    `a\n${BEGIN}\n${OLD}\nexport SSL_CERT_FILE=/own.pem\nrest\n`,
    `a\n${BLOCK}export SSL_CERT_FILE=/own.pem\nrest\n`,
    "replaced",
  ],
  [
    "a beginning without an end before a whole block",
    `${BEGIN}\nmine\n${BLOCK}rest\n`,
    `${BLOCK}mine\nrest\n`,
    "replaced",
  ],
  [
    "lines with carriage returns",
    `a\r\n${BEGIN}\r\n${OLD}\r\n${END}\r\nb\r\n`,
    `a\r\n${BLOCK.replaceAll("\n", "\r\n")}b\r\n`,
    "replaced",
  ],
];

for (const [name, before, after, action] of CASES) {
  Deno.test(`the block of a shell: ${name}`, () => {
    assert.deepEqual(withBlock(before, ["new"]), { text: after, action });
    // Whatever there was, it is settled now.
    assert.deepEqual(withBlock(after, ["new"]), {
      text: after,
      action: "unchanged",
    });
  });
}

Deno.test("a file of a shell keeps its mode, its link, and bytes that are no UTF-8", async () => {
  await using home = await tempHome();
  const folder = home.work;
  const [file, link] = [`${folder}/real`, `${folder}/.bashrc`];
  const odd = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xff, 0x0a);
  await Deno.writeFile(file, odd, { mode: 0o640 });
  await Deno.symlink("real", link);
  assert.equal(await writeBlock(link, ["é"]), "wrote");
  assert.equal(await writeBlock(link, ["é"]), "unchanged");
  assert(Deno.lstatSync(link).isSymlink);
  assert.equal(Deno.statSync(file).mode! & 0o7777, 0o640);
  const bytes = await Deno.readFile(file);
  assert.deepEqual(bytes.subarray(0, odd.length), odd);
  const rest = new TextDecoder().decode(bytes.subarray(odd.length));
  assert.equal(rest, `${BEGIN}\né\n${END}\n`);
  assert.equal(await writeBlock(`${folder}/fish/config.fish`, []), "wrote");
});

for (const shell of TRUST_SHELLS) {
  Deno.test({
    name: `${shell} sets what nobody has set, and leaves what somebody has`,
    ignore: !hasProgram(shell),
    async fn() {
      await using home = await tempHome();
      const folder = `${home.work}/it's $x \`y\` \\z`;
      const bundle = `${folder}/ca-bundle.pem`;
      const { lines } = shellTrust({ shell, env: { HOME: "/h" }, bundle });
      const values = async (given: Record<string, string>) => {
        const { stdout, stderr } = await new Deno.Command(shell, {
          args: ["-c", `${lines.join("\n")}\nenv`],
          env: { PATH: Deno.env.get("PATH")!, HOME: "/tmp", ...given },
          clearEnv: true,
        }).output();
        assert.equal(new TextDecoder().decode(stderr), "");
        const text = new TextDecoder().decode(stdout);
        return [...text.matchAll(/^(NODE_EX|REQU|SSL_C)[A-Z_]+=(.*)$/gm)]
          .map(([, , value]) => value).sort();
      };
      // One that is gone would break every connection.
      assert.deepEqual(await values({}), []);
      await Deno.mkdir(folder);
      await Deno.writeTextFile(bundle, "");
      assert.deepEqual(await values({}), [bundle, bundle, bundle]);
      assert.deepEqual(
        await values({ SSL_CERT_FILE: "", NODE_EXTRA_CA_CERTS: bundle }),
        [bundle, bundle, bundle],
      );
      assert.deepEqual(
        await values({ SSL_CERT_FILE: "/a b.pem" }),
        ["/a b.pem", bundle, bundle],
      );
    },
  });
}

function hasProgram(program: string): boolean {
  const args = ["-c", `command -v ${program}`];
  const { success } = new Deno.Command("sh", { args }).outputSync();
  if (!success) console.error(`SKIPPED: what ${program} makes of the block`);
  return success;
}
