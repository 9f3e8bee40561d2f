import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { optionTokens } from "../../../src/cli/option_tokens.ts";

const OPTIONS = {
  follow: { type: "boolean", short: "f", summary: "" },
  lines: { type: "string", short: "n", value: "N", summary: "" },
  grep: { type: "string", short: "g", value: "REGEXP", summary: "" },
  field: { type: "string", multiple: true, value: "K=V", summary: "" },
  json: { type: "boolean", summary: "" },
} as const;

const word = fc.oneof(
  fc.constantFrom(
    ...["--", "-", "---", "-f", "-n", "-n5", "-fn", "-fn5", "-fg=x", "-nf"],
    ...["--lines", "--lines=5", "--lines=", "--field", "--field=a=b", "--json"],
    ...["--json=no", "--unknown", "--unknown=1", "--=x", "---x=y", "-x", "-xf"],
    ...["-ff", "-f-", "-f--", "-5", "--no-json", "", "=", "api", "a=b", "-é"],
  ),
  fc.string({ maxLength: 5 }).map((text) => `-${text}`),
  fc.stringMatching(/^-{0,3}[fngx=-]{0,4}$/),
);

Deno.test("words are what Node takes them for", () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (args) => {
      const { tokens } = parseArgs({
        args,
        options: Object.fromEntries(
          Object.entries(OPTIONS).map(([name, option]) => [
            name,
            "short" in option
              ? { type: option.type, short: option.short }
              : { type: option.type },
          ]),
        ),
        strict: false,
        tokens: true,
        allowPositionals: true,
      });
      const expected = tokens.map(({ index: _index, ...token }) => token);
      assert.deepEqual(optionTokens(args, OPTIONS), expected);
    }),
    { numRuns: 5_000 },
  );
});
