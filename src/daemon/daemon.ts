/**
 * The composition root of the controller: opens everything in order, wires it, and closes it in reverse.
 *
 * @module
 */

import type { HostConfig } from "../config/host_config.ts";
import { loadHostConfig } from "../config/host_config.ts";
import { logFile, type Paths } from "../config/paths.ts";
import { isAtRest } from "../domain/task_machine.ts";
import { writeFileAtomic } from "../kit/atomic_file.ts";
import { systemClock } from "../kit/clock.ts";
import { SteadySocket } from "../kit/steady_socket.ts";
import { TaskScope } from "../kit/task_scope.ts";
import type { KeeperClient } from "../pty/keeper_client.ts";
import { Registry, REGISTRY_KEY } from "../store/registry.ts";
import { serveAndNote } from "./serve_and_note.ts";
import type { StateDamage } from "../store/state_file.ts";
import { Store } from "../store/store.ts";
import { EnvironmentStore } from "../supervisor/environment_store.ts";
import type { SupervisorHost } from "../supervisor/host.ts";
import { PortAssigner } from "../supervisor/port_assigner.ts";
import { SecretStore } from "../supervisor/secret_store.ts";
import { VERSION } from "../contract/wire.ts";
import { sharedTasksOf } from "../supervisor/shared_tasks.ts";
import { serveSocket } from "../transports/socket_server.ts";
import type { Aliases } from "./aliases.ts";
import { createApiRoutes } from "./api_routes.ts";
import type { Certificates } from "./certificates.ts";
import { CallerNews, withNews } from "./caller_news.ts";
import { DamageReport } from "./damage_report.ts";
import { DiskTrouble } from "./disk_trouble.ts";
import { createDispatcher } from "./dispatcher.ts";
import { EndReceipts } from "./end_receipts.ts";
import { EventBus } from "./event_bus.ts";
import { createHandlers } from "./handlers/mod.ts";
import { existingBundle } from "./client_bundle.ts";
import type { Front } from "./front.ts";
import type { KeeperLink } from "./keeper_link.ts";
import type { FrontPorts } from "./open_front_ports.ts";
import { type Api, openApi } from "./open_api.ts";
import { openAliases } from "./open_aliases.ts";
import { openFront } from "./open_front.ts";
import { openKeeper } from "./open_keeper.ts";
import { Projects } from "./projects.ts";
import { McpFront } from "./mcp_front.ts";
import { RunRecovery, type Takeover } from "./run_recovery.ts";
import { findPythonDaemon } from "./python_daemon.ts";
import { ProjectSecrets } from "./project_secrets.ts";
import { openResolution } from "./resolution.ts";
import type { Services } from "./services.ts";
import { Tunnels } from "./tunnels/tunnels.ts";
import { createShutDown } from "./shut_down.ts";
import { rebuildFromEvents } from "./state_rebuild.ts";
import { withAudit } from "./with_audit.ts";
import { withoutSecrets } from "./without_secrets.ts";

/** Pause between two attempts to write `daemon.json` to a full disk. */
const INFO_RETRY_MS = 1_000;

/** How to run a daemon. */
export interface DaemonOptions {
  readonly paths: Paths;
  /** Port of the API instead of the configured one; 0 = any free one. */
  readonly apiPort?: number;
  /** What is to become of tasks that an earlier daemon had. */
  readonly takeover?: Takeover;
  /** See {@linkcode Services}. */
  readonly isService?: boolean;
  readonly isRoot?: boolean;
  /** Ports that were bound while this process was root. Closed with the daemon. */
  readonly front?: FrontPorts | null;
  /** Finds the keeper or starts it. */
  connectKeeper(): Promise<KeeperClient>;
  /** The environment for tasks whose caller's is lost. */
  readonly environment: () => Record<string, string>;
  /** What was found wrong with the state folder before. */
  readonly damage: readonly StateDamage[];
  log(level: "info" | "warning" | "error", message: string): void;
}

/** How a daemon ends. */
export interface StopOptions {
  /** Whether tasks run on for the next one. */
  readonly keepTasks: boolean;
}

/** A running daemon. */
export interface Daemon extends AsyncDisposable {
  /** Resolves when the daemon was asked to end, after the answer to that was sent. */
  readonly stopped: Promise<StopOptions>;
  readonly services: Services;
}

/**
 * Starts a daemon: state, keeper, projects with what still runs, then the socket. Whoever connects finds it ready.
 *
 * @throws {TaskmuxError} E10x for a broken host config, E601 for a state folder of a newer version, E900.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  await using stack = new AsyncDisposableStack();
  const { paths } = options;
  const state = await openState(options, stack);
  const engine = await openEngine(options, state, stack);
  const { front } = engine;
  const resolution = stack.use(openResolution({
    ...state,
    ...engine,
    paths,
    environment: options.environment(),
  }));
  resolution.follow();
  const port = options.apiPort ?? state.config.apiPort;
  const api = stack.use(openApi({ ...options, ...state, ...engine, port }));
  const ended = Promise.withResolvers<StopOptions>();
  const services: Services = {
    ...state,
    ...engine,
    resolution,
    paths,
    startedAt: systemClock.now(),
    secrets: new ProjectSecrets(engine),
    environment: options.environment,
    isService: options.isService ?? false,
    isRoot: options.isRoot ?? false,
    apiPort: () => api.port,
    apiProblem: () => state.problems.get("API") ?? null,
    mcp: new McpFront({ config: state.config.mcp, log: options.log }),
    warnings: () => [
      ...state.configWarnings,
      ...state.damage.warnings,
      ...state.disk.warnings(),
      ...front.problems,
      ...resolution.problems,
      ...[...state.problems].map(([what, message]) => `${what}: ${message}`),
    ],
    shutDown: createShutDown({ ...engine, end: ended.resolve }),
  };
  state.scope.run(async (signal) => {
    const python = await findPythonDaemon(paths, signal);
    if (python !== null) state.problems.set("daemon.pid", python.message);
  });
  await listen({
    api,
    paths,
    services,
    scope: state.scope,
    stack,
    log: options.log,
    onError: state.onError,
  });
  if (!await writeInfo(services, state.disk)) {
    state.scope.run((signal) => rewriteInfo(services, state.disk, signal));
  }
  engine.host.emit({
    event: "daemon_started",
    session: null,
    at: services.startedAt,
    data: { pid: Deno.pid, version: VERSION },
  });
  const owned = stack.move();
  return {
    stopped: ended.promise,
    services,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What is kept on disk, and what is wrong with it. */
interface State {
  readonly config: HostConfig;
  readonly configWarnings: readonly string[];
  readonly store: Store;
  readonly registry: Registry;
  readonly bus: EventBus;
  readonly scope: TaskScope;
  /** Present problems by subject. */
  readonly problems: Map<string, string>;
  readonly damage: DamageReport;
  readonly disk: DiskTrouble;
  onError(error: unknown, context: string): void;
}

async function openState(
  options: DaemonOptions,
  stack: AsyncDisposableStack,
): Promise<State> {
  const { paths, log } = options;
  const onError = (error: unknown, context: string): void =>
    log("error", `${context}: ${describe(error)}`);
  const { config, warnings } = await loadHostConfig(paths.hostConfig);
  const problems = new Map<string, string>();
  const disk = new DiskTrouble({
    home: paths.home,
    clock: systemClock,
    emit: (event) => bus.publish(event),
  });
  const store = stack.use(Store.open(paths, {
    clock: systemClock,
    report: ({ part, message, lostEvents }) => {
      disk.note(part, message, lostEvents);
      log("warning", `store ${part}: ${message ?? "works again"}`);
    },
  }));
  const bus = new EventBus(store.events, (error) => onError(error, "events"));
  const damage = new DamageReport({
    now: () => systemClock.now(),
    publish: (event) => bus.publish(event),
    log: (message) => log("warning", message),
  });
  const found = rebuildFromEvents(store, paths.database);
  for (const each of [...options.damage, ...found]) damage.add(each);
  // After the store, so that it is let go before.
  stack.use(disk);
  const registry = new Registry(paths, {
    clock: systemClock,
    warn: (message, aside) =>
      damage.add({ file: paths.registry, aside, message }),
    backup: {
      load: () => store.meta.get(REGISTRY_KEY),
      save: (text) => store.meta.set(REGISTRY_KEY, text),
    },
  });
  return {
    config,
    configWarnings: warnings,
    store,
    registry,
    bus,
    damage,
    scope: stack.use(new TaskScope((error) => onError(error, "daemon"))),
    problems,
    disk,
    onError,
  };
}

/** What runs tasks. */
interface Engine {
  readonly host: SupervisorHost;
  readonly keeper: KeeperLink;
  readonly projects: Projects;
  readonly aliases: Aliases;
  readonly recovery: RunRecovery;
  readonly front: Front;
  readonly certificates: Certificates;
  readonly tunnels: Tunnels;
  serveNames(): Promise<void>;
}

async function openEngine(
  options: DaemonOptions,
  state: State,
  stack: AsyncDisposableStack,
): Promise<Engine> {
  const { store, registry, damage } = state;
  const recovery = createRecovery(options, state);
  const keeper = stack.use(
    await openKeeper({
      ...state,
      recovery,
      connect: () => options.connectKeeper(),
    }),
  );
  const aliases = await openAliases({
    ...state,
    projects: options.paths.projects,
    log: options.log,
  });
  const parts = { options, state, keeper, aliases, stack };
  const proxy = await openFront({
    ...parts,
    projects: () => projects,
    host: () => host,
  });
  const { front } = proxy;
  const tunnels = new Tunnels({
    ...options,
    meta: store.meta,
    router: proxy.router,
    onError: state.onError,
  });
  const serveNames = () => serveAndNote({ ...state, front });
  const known = { ...proxy, aliases, tunnels, registry, serveNames };
  const host = createHost({
    ...state,
    ...known,
    options,
    keeper,
    projects: () => projects,
  });
  const projects: Projects = stack.use(
    new Projects({
      host,
      ...known,
      environment: options.environment,
      adopt: async (supervisor) => {
        const isToFinish = await recovery.adopt(supervisor);
        await tunnels.follow(supervisor);
        return isToFinish;
      },
      endRuns: (projectId) => recovery.endRunsOf(projectId),
    }),
  );
  // Before the projects, whose tasks they follow.
  stack.use(tunnels);
  await recovery.begin({ host, keeper, projects }, options.takeover);
  damage.open();
  await projects.loadRegistered();
  await recovery.end();
  return { host, keeper, projects, recovery, ...known };
}

function createRecovery(
  { paths }: DaemonOptions,
  { store, bus, registry, damage }: State,
): RunRecovery {
  return new RunRecovery({
    store,
    bus,
    registry,
    isStateLost: () => store.finding.isNew || damage.has("registry.json"),
    onRemembered: (keys) =>
      damage.add({
        file: paths.database,
        aside: null,
        message: `Runs that only the keeper knew: ${keys.join(", ")}`,
      }),
  });
}

interface HostParts {
  readonly options: DaemonOptions;
  readonly front: Front;
  readonly certificates: Certificates;
  readonly aliases: Aliases;
  readonly tunnels: Tunnels;
  readonly store: Store;
  readonly bus: EventBus;
  readonly keeper: KeeperLink;
  readonly scope: TaskScope;
  projects(): Projects;
}

function createHost(parts: HostParts): SupervisorHost {
  const { options, front, aliases, store, bus, keeper, scope } = parts;
  const isUp = (session: string, task: string): boolean => {
    const runner = parts.projects().find(session)?.supervisor?.own(task);
    return runner !== undefined && runner !== null && !isAtRest(runner.machine);
  };
  return {
    clock: systemClock,
    keeper,
    store,
    ports: new PortAssigner({
      leases: store.leases,
      holders: async (port) =>
        (await keeper.request("holders", { port })).holders,
      isUp,
      ownerOf: (runId) =>
        store.runs.live().find((run) => run.runId === runId) ?? null,
    }),
    environments: new EnvironmentStore(keeper, options.environment),
    secrets: new SecretStore(),
    receipts: new EndReceipts({ store, keeper, clock: systemClock, scope }),
    emit: (event) => bus.publish(event),
    saveTask: (session, task, row) =>
      store.tasks.setDesired(session, task, row),
    logFile: (projectId, task) => logFile(options.paths, projectId, task),
    aliases: (projectId) => aliases.of(projectId),
    tunnel: (projectId, task) => parts.tunnels.viewOf(projectId, task),
    proxy: () => front.binding,
    caPath: () => parts.certificates.caPath,
    caBundle: () => existingBundle(options.paths),
    onError: (error, context) =>
      options.log("error", `${context}: ${describe(error)}`),
  };
}

async function listen(parts: {
  readonly api: Api;
  readonly paths: Paths;
  readonly services: Services;
  readonly scope: TaskScope;
  readonly stack: AsyncDisposableStack;
  readonly log: DaemonOptions["log"];
  onError(error: unknown, context: string): void;
}): Promise<void> {
  const { api, paths, services, scope, stack, log, onError } = parts;
  // The lock is ours, so a socket that is there belongs to nobody.
  await removeIfThere(paths.daemonSocket);
  const listener = new SteadySocket(paths.daemonSocket, {
    mode: 0o600,
    onLost: (error) =>
      log(
        "warning",
        error === null
          ? "its socket was gone; it listens there anew"
          : `cannot listen: ${error.message}`,
      ),
  });
  stack.defer(() => listener.close());
  stack.defer(() => removeIfThere(paths.daemonSocket));
  stack.defer(() => removeIfThere(paths.daemonInfo));
  const { store, host: { clock }, projects, secrets } = services;
  const told = withNews(
    createDispatcher(createHandlers(services), onError),
    new CallerNews({
      store,
      clock,
      sessionOf: (scope) => projects.sessionOf(scope),
      sharedBy(session) {
        const supervisor = projects.find(session)?.supervisor ?? null;
        return supervisor === null ? null : sharedTasksOf(supervisor);
      },
    }),
  );
  const dispatcher = withAudit(withoutSecrets(told, secrets), {
    clock,
    scope,
    log,
  });
  api.serve(stack.use(createApiRoutes({ services, dispatcher, log })).route);
  serveSocket(listener, dispatcher, scope);
}

/** Only tells about the daemon, so a full disk is no reason not to start. @returns Whether it is written. */
async function writeInfo(
  { paths, startedAt, apiPort }: Services,
  disk: DiskTrouble,
): Promise<boolean> {
  const record = {
    pid: Deno.pid,
    version: VERSION,
    started_at: startedAt / 1000,
    api_port: apiPort(),
  };
  try {
    await writeFileAtomic(paths.daemonInfo, JSON.stringify(record) + "\n", {
      mode: 0o600,
    });
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    disk.note("daemon.json", error.message);
    return false;
  }
  disk.note("daemon.json", null);
  return true;
}

async function rewriteInfo(
  services: Services,
  disk: DiskTrouble,
  signal: AbortSignal,
): Promise<void> {
  do await systemClock.sleep(INFO_RETRY_MS, signal); while (
    !await writeInfo(services, disk)
  );
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : ` (${describe(error.cause)})`;
  return `${error.stack ?? error.message}${cause}`;
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
