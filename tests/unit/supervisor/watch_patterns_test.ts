import assert from "node:assert/strict";
import {
  compileWatchPatterns,
  type WatchGlobs,
} from "../../../src/supervisor/watch_patterns.ts";

/** What the globs say of paths: `+` = a file that is meant, `-` = one that is not, `>` = a folder to enter, `x` = one not to. */
function check(globs: Partial<WatchGlobs>, ...expectations: string[]): void {
  const compiled = compileWatchPatterns({
    root: "/p",
    patterns: [],
    ignore: [],
    ...globs,
  });
  for (const expectation of expectations) {
    const mark = expectation[0];
    const path = expectation.slice(2);
    const answer = mark === "+" || mark === "-"
      ? compiled.matchesFile(path) ? "+" : "-"
      : compiled.entersFolder(path)
      ? ">"
      : "x";
    assert.equal(
      `${answer} ${path}`,
      expectation,
      JSON.stringify(globs),
    );
  }
}

Deno.test("a glob means files beneath its literal beginning", () => {
  check(
    { patterns: ["src/**/*.ts"] },
    "+ /p/src/a.ts",
    "+ /p/src/x/y/a.ts",
    "- /p/src/a.js",
    "- /p/a.ts",
    "- /other/src/a.ts",
    "> /p",
    "> /p/src",
    "> /p/src/x/y",
    "x /p/docs",
    "x /p/srcs",
  );
});

Deno.test("a glob is only looked for as deep as it reaches", () => {
  check({ patterns: ["*.ts"] }, "+ /p/a.ts", "- /p/x/a.ts", "> /p", "x /p/x");
  check(
    { patterns: ["packages/*/src/*.ts"] },
    "+ /p/packages/a/src/x.ts",
    "> /p/packages/a",
    "> /p/packages/a/src",
    "x /p/packages/a/docs",
    "x /p/packages/a/src/deep",
  );
  check(
    { patterns: ["{src,lib/x}/**/*.ts"] },
    "+ /p/src/a/b.ts",
    "+ /p/lib/x/b.ts",
    "> /p/lib",
    "> /p/lib/x",
  );
});

Deno.test("a name without wildcards means the file, or the folder with all in it", () => {
  check(
    { patterns: ["src", "config/app.toml", "./docs/"] },
    "+ /p/src/a.ts",
    "+ /p/src/x/.env",
    "+ /p/src",
    "+ /p/config/app.toml",
    "- /p/config/other.toml",
    "+ /p/docs/a.md",
    "> /p/src/x",
    "> /p/config",
    "x /p/lib",
  );
});

Deno.test("a glob can lead out of the project", () => {
  check(
    { patterns: ["../shared/*.ts", "/etc/app/**"] },
    "+ /shared/a.ts",
    "+ /etc/app/x/y",
    "> /shared",
    "> /etc",
    "x /etc/other",
    "x /p",
  );
});

Deno.test("names with characters of shells and globs are taken literally where they must", () => {
  check({ root: "/p/[app]", patterns: ["*.ts"] }, "+ /p/[app]/a.ts");
  check({ patterns: ["app/(auth)/**"] }, "+ /p/app/(auth)/page.tsx");
  check({ patterns: ["a b/*.ts"] }, "+ /p/a b/c d.ts");
  check({ patterns: ["**/*.{ts,tsx}"] }, "+ /p/a.tsx", "- /p/a.css");
});

Deno.test("what tools and editors leave is never meant", () => {
  check(
    { patterns: ["**/*"] },
    "- /p/node_modules/a/index.js",
    "- /p/x/node_modules/a.js",
    "- /p/src/__pycache__/a.pyc",
    "- /p/target/debug/app",
    "- /p/.git/HEAD",
    "- /p/src/a.ts~",
    "- /p/src/.a.ts.swp",
    "- /p/src/4913",
    "x /p/node_modules",
    "x /p/x/node_modules",
    "x /p/.git",
    "+ /p/dist/a.js",
    "> /p/dist",
  );
});

Deno.test("what is left by tools is meant when it is named", () => {
  check(
    { patterns: ["target/debug/app", "node_modules/mine/**/*.js"] },
    "+ /p/target/debug/app",
    "+ /p/node_modules/mine/a.js",
    "- /p/node_modules/mine/node_modules/b.js",
    "- /p/node_modules/other/a.js",
    "> /p/target/debug",
    "> /p/node_modules/mine",
    "x /p/node_modules/other",
  );
});

Deno.test("ignore without a slash applies to every name", () => {
  check(
    { patterns: ["**/*"], ignore: ["generated", "*.test.ts"] },
    "- /p/generated/a.ts",
    "- /p/src/generated/a.ts",
    "- /p/src/a.test.ts",
    "+ /p/src/a.ts",
    "x /p/src/generated",
  );
});

Deno.test("ignore with a slash applies to paths from the project", () => {
  for (const ignore of ["src/gen", "./src/gen/", "src/gen/**", "/p/src/gen"]) {
    check(
      { patterns: ["**/*"], ignore: [ignore] },
      "- /p/src/gen/a.ts",
      "+ /p/lib/src/gen/a.ts",
      "x /p/src/gen",
      "x /p/src/gen/deep",
      "> /p/src",
    );
  }
  check(
    { patterns: ["**/*"], ignore: ["**/fixtures/**", "src/**/*.snap"] },
    "- /p/a/fixtures/b.ts",
    "- /p/src/x/y.snap",
    "x /p/a/fixtures",
  );
});

Deno.test("the folders to begin in are above what is meant", () => {
  const { starts } = compileWatchPatterns({
    root: "/p",
    patterns: ["src/**", "*.ts", "../shared/*.ts", "/etc/app.toml"],
    ignore: [],
  });
  assert.deepEqual(starts, ["/p", "/", "/etc"]);
});
