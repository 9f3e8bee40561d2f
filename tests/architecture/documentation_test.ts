import assert from "node:assert/strict";
import { deno, sourceFiles } from "./_module_graph.ts";

interface Doc {
  readonly nodes: Readonly<
    Record<string, {
      readonly module_doc?: { readonly doc?: string };
      readonly symbols?: readonly {
        readonly name: string;
        readonly declarations: readonly {
          readonly kind: string;
          readonly declarationKind: string;
          readonly location: {
            readonly filename: string;
            readonly line: number;
          };
          readonly jsDoc?: { readonly doc?: string };
        }[];
      }[];
    }>
  >;
}

const documented = ["main.ts", "src", "tools"];

Deno.test("every file says what it is for", async () => {
  const silent = Object.entries((await docs()).nodes)
    .filter(([, module]) => (module.module_doc?.doc ?? "").trim() === "")
    .map(([file]) => file);
  assert.deepEqual(silent, []);
});

Deno.test("every export is documented", async () => {
  const silent = Object.entries((await docs()).nodes)
    .flatMap(([file, { symbols }]) =>
      (symbols ?? []).flatMap(({ name, declarations }) =>
        declarations
          .filter(({ declarationKind, kind, location, jsDoc }) =>
            declarationKind === "export" &&
            // What is handed on is documented where it is.
            kind !== "import" && kind !== "reference" &&
            location.filename === file && (jsDoc?.doc ?? "").trim() === ""
          )
          .map(({ location }) => `${file}:${location.line} ${name}`)
      )
    );
  assert.deepEqual(silent, []);
});

async function docs(): Promise<Doc> {
  return JSON.parse(
    await deno(["doc", "--json", ...sourceFiles(documented)]),
  );
}
