/**
 * The import graph of the program as Deno itself sees it, dynamic imports and types included.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { ImportEdge } from "../../tools/layers.ts";
import { REPOSITORY } from "../support/deno_flags.ts";

/** One import; `to` is a path of the repository, or a `node:`, `npm:` or other specifier. */
export interface ModuleEdge extends ImportEdge {
  /** As it stands in the source. */
  readonly specifier: string;
  /** Whether `to` is a text or JSON file. */
  readonly isAsset: boolean;
}

/** Every import reached from some entry points. */
export interface ModuleGraph {
  readonly edges: readonly ModuleEdge[];
  /** Paths of the repository's own files in it, entry points too. */
  readonly files: ReadonlySet<string>;
}

interface InfoDependency {
  readonly specifier: string;
  readonly code?: { readonly specifier?: string; readonly error?: string };
  readonly type?: { readonly specifier?: string; readonly error?: string };
  readonly isDynamic?: boolean;
  readonly assertionType?: string;
}

interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly InfoDependency[];
  }[];
}

/** Reads `deno.json`. */
export function manifest(): {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly permissions: Readonly<Record<string, unknown>>;
} {
  return JSON.parse(Deno.readTextFileSync(`${REPOSITORY}/deno.json`));
}

/** The entry points as paths of the repository, each once. */
export function entryPaths(): string[] {
  const targets = Object.values(manifest().exports);
  return [...new Set(targets)].map((path) => path.replace(/^\.\//, ""));
}

/** The graph below some files. Fails on any module that cannot be found. */
export async function moduleGraph(
  entries: readonly string[],
): Promise<ModuleGraph> {
  const edges = new Map<string, ModuleEdge>();
  const files = new Set<string>();
  for (const entry of entries) {
    const info: Info = JSON.parse(await deno(["info", "--json", entry]));
    for (const module of info.modules) {
      const from = repositoryPath(module.specifier);
      assert.equal(module.error, undefined, `${from}: ${module.error}`);
      if (from.includes(":")) continue;
      files.add(from);
      for (const dependency of module.dependencies ?? []) {
        const edge = moduleEdge(from, dependency);
        edges.set(JSON.stringify(edge), edge);
      }
    }
  }
  return { edges: [...edges.values()], files };
}

/** Files and specifiers loaded before the first statement of `entry` runs. */
export function staticClosure(graph: ModuleGraph, entry: string): Set<string> {
  const seen = new Set([entry]);
  for (const from of seen) {
    for (const edge of graph.edges) {
      if (edge.from === from && edge.kind === "code") seen.add(edge.to);
    }
  }
  return seen;
}

/** The first ring of imports, as the files on it, or null. Types count: a ring of types is a ring in the reader's head. */
export function findCycle(graph: ModuleGraph): string[] | null {
  const targets = Map.groupBy(
    graph.edges.filter(({ to }) => graph.files.has(to)),
    ({ from }) => from,
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const { to } of targets.get(file) ?? []) {
      const cycle = visit(to, [...path, file]);
      if (cycle !== null) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of graph.files) {
    const cycle = visit(file, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

/** Runs deno in the repository and returns its stdout, or stdout and stderr. Fails if it does. */
export async function deno(
  args: readonly string[],
  stream: "stdout" | "both" = "stdout",
): Promise<string> {
  const output = await new Deno.Command("deno", {
    args: [...args],
    cwd: REPOSITORY,
    env: { NO_COLOR: "1" },
  }).output();
  const [stdout, stderr] = [output.stdout, output.stderr]
    .map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(output.success, `deno ${args[0]}:\n${stderr}`);
  return stream === "both" ? `${stdout}${stderr}` : stdout ?? "";
}

/** Paths of all files below some folders or files of the repository that end so, sorted. */
export function sourceFiles(
  roots: readonly string[],
  ending = ".ts",
): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const entry of Deno.readDirSync(`${REPOSITORY}/${path}`)) {
      const below = `${path}/${entry.name}`;
      if (entry.isDirectory) visit(below);
      else if (below.endsWith(ending)) found.push(below);
    }
  };
  for (const root of roots) {
    if (root.endsWith(ending)) found.push(root);
    else visit(root);
  }
  return found.sort();
}

function moduleEdge(from: string, dependency: InfoDependency): ModuleEdge {
  const { code, type, specifier } = dependency;
  const resolved = code?.specifier ?? type?.specifier;
  assert.ok(
    resolved,
    `${from} imports "${specifier}": ${code?.error ?? type?.error}`,
  );
  return {
    from,
    to: repositoryPath(resolved),
    kind: code === undefined
      ? "type"
      : dependency.isDynamic
      ? "dynamic"
      : "code",
    specifier,
    isAsset: dependency.assertionType !== undefined,
  };
}

function repositoryPath(specifier: string): string {
  const prefix = `file://${encodeURI(REPOSITORY)}/`;
  return specifier.startsWith(prefix)
    ? decodeURIComponent(specifier.slice(prefix.length))
    : specifier;
}
