/**
 * The tunnels of all projects. What has none costs nothing: all of it is loaded with the first one.
 *
 * @module
 */

import { cloudflareSettings } from "../../config/tunnel_settings.ts";
import { isOpenToOthers, loadHostConfig } from "../../config/host_config.ts";
import {
  type Paths,
  requestLogFile,
  tunnelFolder,
} from "../../config/paths.ts";
import {
  isTunnelProgram,
  type TunnelBackend,
  type TunnelView,
} from "../../domain/tunnel.ts";
import type { ProjectSupervisor } from "../../supervisor/project_supervisor.ts";
import type { MetaTable } from "../../store/meta_table.ts";
import type { TunnelProvider } from "../../tunnels/tunnel_provider.ts";
import type { ProjectRouter } from "../project_router.ts";
import type { ProjectTunnels } from "./project_tunnels.ts";
import { forgetTunnels, hasTunnelNote, TunnelNotes } from "./tunnel_notes.ts";
import { viewRecord } from "./tunnel_views.ts";
import type { HostnameHolder, TunnelWorld } from "./tunnel_world.ts";

/** What tunnels need of the daemon. */
export interface TunnelsOptions {
  readonly paths: Paths;
  readonly meta: MetaTable;
  readonly router: Pick<ProjectRouter, "findTask" | "failed">;
  /** The environment of the daemon. */
  environment(): Readonly<Record<string, string>>;
  onError(error: unknown, context: string): void;
}

/** See the module. Disposal closes every gate; programs run on for the next daemon. */
export class Tunnels implements AsyncDisposable {
  readonly #options: TunnelsOptions;
  readonly #world: TunnelWorld;
  readonly #projects = new Map<string, Promise<ProjectTunnels>>();
  /** Those that are loaded. */
  readonly #loaded = new Map<string, ProjectTunnels>();
  #isEnding = false;

  constructor(options: TunnelsOptions) {
    this.#options = options;
    const { paths, router } = options;
    this.#world = {
      folder: (projectId) => tunnelFolder(paths, projectId),
      requestLog: (projectId, task) => requestLogFile(paths, projectId, task),
      route: (of, client) => router.findTask(of, client),
      failed: (upstream, error) => router.failed(upstream, error),
      provider: (backend) => this.provider(backend),
      settings: async (project, env, overrides = {}) => {
        const { config } = await loadHostConfig(paths.hostConfig);
        return cloudflareSettings({
          projectId: project.projectId,
          host: config.cloudflare,
          project: project.spec.tunnel,
          env,
          isHostFileOpen: await isOpenToOthers(paths.hostConfig),
          hostPath: paths.hostConfig,
          overrides,
        });
      },
      holderOf: (hostname) => this.#holderOf(hostname),
      onError: options.onError,
    };
  }

  /** A project is loaded, with the runs it has: what it had open goes on. */
  async follow(project: ProjectSupervisor): Promise<void> {
    const isWanted = hasTunnelNote(this.#options.meta, project.projectId) ||
      project.ownRunners.some(({ spec }) => isTunnelProgram(spec));
    if (isWanted) await this.of(project);
  }

  /** The tunnels of a project. */
  async of(project: ProjectSupervisor): Promise<ProjectTunnels> {
    const { projectId } = project;
    while (true) {
      const known = this.#projects.get(projectId);
      if (known === undefined) break;
      const tunnels = await known;
      if (tunnels.project === project) return tunnels;
      await this.#drop(projectId, tunnels);
    }
    const loading = this.#load(project);
    this.#projects.set(projectId, loading);
    try {
      return await loading;
    } catch (error) {
      this.#projects.delete(projectId);
      throw error;
    }
  }

  /** A project is not managed by this object any more; perhaps another one takes its place. */
  async release(projectId: string): Promise<void> {
    const tunnels = await this.#projects.get(projectId);
    if (tunnels !== undefined) await this.#drop(projectId, tunnels);
  }

  /** A project is let go: nothing of it is public any more. Before its tasks go. */
  async forget(projectId: string): Promise<void> {
    const tunnels = await this.#projects.get(projectId);
    if (tunnels !== undefined) {
      await tunnels.end("task_removed");
      await this.#drop(projectId, tunnels);
    }
    forgetTunnels(this.#options.meta, projectId);
  }

  /** How it is with the tunnel of a task; null = nobody has asked for one. */
  viewOf(projectId: string, task: string): TunnelView | null {
    const tunnels = this.#loaded.get(projectId);
    const record = tunnels?.notes.find(task) ?? null;
    return record === null || tunnels === undefined
      ? null
      : viewRecord(tunnels, record);
  }

  /** All tunnels that somebody has asked for, of one project or of all. */
  all(
    projectId?: string,
  ): { readonly session: string; readonly task: string; view: TunnelView }[] {
    return [...this.#loaded].flatMap(([session, tunnels]) =>
      projectId !== undefined && session !== projectId
        ? []
        : tunnels.notes.records.map((record) => ({
          session,
          task: record.task,
          view: viewRecord(tunnels, record),
        }))
    );
  }

  /** A provider, with what this daemon knows. */
  async provider(backend: TunnelBackend): Promise<TunnelProvider> {
    const { loadProvider } = await import("../../tunnels/providers.ts");
    return await loadProvider(backend, {
      cloudflareApi: this.#options.environment()["TASKMUX_CLOUDFLARE_API"],
    });
  }

  /** Closes everything: the daemon ends, and its tasks with it. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(
      [...this.#loaded.values()].map((tunnels) =>
        tunnels.end("daemon_stopped")
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#projects.keys()].map((projectId) => this.release(projectId)),
    );
  }

  async #load(project: ProjectSupervisor): Promise<ProjectTunnels> {
    const { ProjectTunnels } = await import("./project_tunnels.ts");
    const { projectId } = project;
    const notes = new TunnelNotes(this.#options.meta, projectId);
    const tunnels = new ProjectTunnels(project, notes, this.#world);
    if (this.#isEnding) await tunnels.end("daemon_stopped");
    this.#loaded.set(projectId, tunnels);
    return tunnels;
  }

  async #drop(projectId: string, tunnels: ProjectTunnels): Promise<void> {
    if (this.#loaded.get(projectId) === tunnels) {
      this.#loaded.delete(projectId);
      this.#projects.delete(projectId);
    }
    await tunnels[Symbol.asyncDispose]();
  }

  #holderOf(hostname: string): HostnameHolder | null {
    for (const [session, { notes }] of this.#loaded) {
      const record = notes.records.find((each) => each.hostname === hostname);
      if (record !== undefined) return { session, task: record.task };
    }
    return null;
  }
}
