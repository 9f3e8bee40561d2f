/**
 * What `doctor` tells of public names: what is public now, and whether what tunnels need is there.
 *
 * @module
 */

import { audienceOf, type TunnelBackend } from "../domain/tunnel.ts";
import { type Check, passed, warned } from "../kit/checks.ts";
import type { Services } from "./services.ts";

/** Bits of a mode that let others in. */
const OTHERS_MODE = 0o077;

/** Public tasks that are named one by one. */
const NAMED_MAX = 10;

/** The program of each way; `noop` needs none. */
const PROGRAMS: Readonly<Partial<Record<TunnelBackend, string>>> = {
  cloudflare: "cloudflared",
  "cloudflare-quick": "cloudflared",
  tailscale: "tailscale",
  ngrok: "ngrok",
};

/** In the order of the answer. */
export const PUBLIC_CHECKS: readonly Check<Services>[] = [
  {
    name: "public",
    run: ({ tunnels }) => {
      const open = tunnels.all().filter(({ view }) => view.public);
      if (open.length === 0) return Promise.resolve(passed("nothing"));
      const named = open.slice(0, NAMED_MAX).map(({ session, task, view }) =>
        `${session}/${task} at ${view.public_url} (${audienceOf(view)})`
      );
      const rest = open.length - named.length;
      const detail = [...named, ...rest === 0 ? [] : [`${rest} more`]]
        .join(", ");
      const isForAll = open.some(({ view: { access, reach, expires_at } }) =>
        access === "open" && reach === "public" && expires_at === null
      );
      return Promise.resolve(
        isForAll
          ? warned(
            `${detail}; everybody is let in, without an end`,
            "taskmux tunnel status",
          )
          : passed(detail),
      );
    },
  },
  {
    name: "tunnel_programs",
    run: async (services) => {
      const wanted = wantedPrograms(services);
      if (wanted.size === 0) return passed("no task has a tunnel");
      const { findProgram } = await import("../tunnels/program_check.ts");
      const { PATH } = services.environment();
      const missing: string[] = [];
      for (const program of wanted) {
        if (await findProgram(program, PATH) === null) missing.push(program);
      }
      const known = [...wanted].join(", ");
      return missing.length === 0 ? passed(known) : warned(
        `not on the PATH of the daemon: ${missing.join(", ")}`,
        "taskmux tunnel test",
      );
    },
  },
  {
    name: "tunnel_secrets",
    run: async ({ paths, projects }) => {
      const open: string[] = [];
      for (const { id } of projects.all) {
        open.push(...await openFiles(`${paths.projects}/${id}/tunnels`));
      }
      return open.length === 0
        ? passed("private")
        : open.map((path) =>
          warned(`${path} is open to other users`, `chmod go= ${path}`)
        );
    },
  },
];

/** Of what the files name, and of what was opened. */
function wantedPrograms({ projects, tunnels }: Services): Set<string> {
  const named = projects.all.flatMap(({ supervisor }) =>
    [...supervisor?.spec.tasks.values() ?? []].map(({ tunnel }) => tunnel)
  );
  const backends = [...named, ...tunnels.all().map(({ view }) => view.backend)];
  return new Set(
    backends.flatMap((backend) =>
      backend === null ? [] : PROGRAMS[backend as TunnelBackend] ?? []
    ),
  );
}

/** The folder of a project's tunnels, and the files in it. */
async function openFiles(folder: string): Promise<string[]> {
  try {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    const paths = [folder, ...names.map((name) => `${folder}/${name}`)];
    const modes = await Promise.all(
      paths.map(async (path) => [path, (await Deno.stat(path)).mode] as const),
    );
    return modes.flatMap(([path, mode]) =>
      mode !== null && (mode & OTHERS_MODE) !== 0 ? [path] : []
    );
  } catch (error) {
    // It has no tunnel, or lost it while we looked.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
