import assert from "node:assert/strict";
import { resolvePaths } from "../../src/config/paths.ts";
import {
  cliPermissions,
  daemonPermissions,
  keeperPermissions,
} from "../../src/config/permissions.ts";
import { VERSION } from "../../src/contract/wire.ts";
import { REPOSITORY } from "../support/deno_flags.ts";
import { manifest, sourceFiles } from "./_module_graph.ts";

function read(path: string): string {
  return Deno.readTextFileSync(`${REPOSITORY}/${path}`);
}

/** Tracked files, and new ones that git does not ignore. */
async function trackedFiles(): Promise<string[]> {
  const { stdout, success } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "-co", "--exclude-standard"],
    cwd: REPOSITORY,
  }).output();
  assert.ok(success, "git ls-files failed");
  return new TextDecoder().decode(stdout).split("\0").filter(Boolean);
}

Deno.test("VERSION is the version of deno.json", () => {
  assert.equal(VERSION, manifest().version);
});

Deno.test("one version of Deno is named everywhere", () => {
  const [, pinned] = /^DENO_VERSION=(\S+)$/m.exec(read(".ci/run")) ?? [];
  assert.ok(pinned, ".ci/run pins no version");
  for (const path of ["README.md", "CONTRIBUTING.md"]) {
    for (const [text, named] of read(path).matchAll(/deno@([\d.]+)/g)) {
      assert.equal(named, pinned, `${path}: ${text}`);
    }
  }
});

Deno.test("the permission sets of deno.json are those of the program", () => {
  const paths = resolvePaths({ TASKMUX_HOME: "/tmp/taskmux-dev" });
  assert.deepEqual(manifest().permissions, {
    cli: cliPermissions(paths),
    daemon: daemonPermissions(paths),
    keeper: keeperPermissions(paths, {
      denoDir: "/tmp/deno-dir",
      libc: "/lib/x86_64-linux-gnu/libc.so.6",
    }),
  });
});

Deno.test("every dependency has its line in docs/decisions", () => {
  const decision = read("docs/decisions/0002-dependencies.md");
  for (const name of Object.keys(manifest().imports)) {
    assert.ok(decision.includes(`\`${name}\``), `${name} is not argued for`);
  }
});

Deno.test("decisions are numbered without gaps, and short", () => {
  const files = sourceFiles(["docs/decisions"], ".md");
  files.forEach((path, index) => {
    const number = String(index + 1).padStart(4, "0");
    assert.match(path, new RegExp(`/${number}-[a-z0-9-]+\\.md$`));
    const lines = read(path).split("\n").length;
    assert.ok(lines <= 70, `${path} has ${lines} lines`);
  });
});

Deno.test("no tracked file names a package registry's host", async () => {
  // Put together here, so that this file does not name it either.
  const hosts = [["registry", "npmjs", "org"], ["npm", "jsr", "io"]]
    .map((labels) => labels.join("."));
  const configured = Deno.env.get("npm_config_registry");
  if (configured !== undefined) hosts.push(new URL(configured).host);
  const named: string[] = [];
  for (const path of await trackedFiles()) {
    const text = await textOf(path);
    for (const host of hosts) {
      if (text.includes(host)) named.push(`${path}: ${host}`);
    }
    if (/"resolved": ?"https?:/.test(text)) named.push(`${path}: resolved`);
  }
  assert.deepEqual(named, []);
});

Deno.test("no file switches a rule of ours off", () => {
  const silenced = sourceFiles(["main.ts", "src", "tests", "tools", "bench"])
    .filter((path) => /deno-lint-ignore(?:-file)?.*taskmux\//.test(read(path)));
  assert.deepEqual(silenced, []);
});

Deno.test("files stay small", () => {
  for (const roots of [["main.ts", "src"], ["tests"]]) {
    const sizes = sourceFiles(roots)
      .map((path) => ({ path, lines: read(path).trimEnd().split("\n").length }))
      .sort((a, b) => a.lines - b.lines);
    const at = (share: number) =>
      sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * share))];
    const total = sizes.reduce((sum, { lines }) => sum + lines, 0);
    console.log(
      `${roots.join(" + ")}: ${sizes.length} files, ${total} lines, ` +
        `median ${at(0.5)?.lines}, p90 ${at(0.9)?.lines}, ` +
        `largest ${at(1)?.lines} (${at(1)?.path})`,
    );
    assert.ok((at(0.5)?.lines ?? 0) <= 200, "files grow: median above 200");
  }
});

/** Empty for a folder, a broken link and anything binary. */
async function textOf(path: string): Promise<string> {
  const info = await Deno.lstat(`${REPOSITORY}/${path}`).catch((error) => {
    // Git still lists what has just been deleted.
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (info === null || !info.isFile) return "";
  const bytes = await Deno.readFile(`${REPOSITORY}/${path}`);
  return bytes.includes(0) ? "" : new TextDecoder().decode(bytes);
}
