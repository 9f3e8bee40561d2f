/**
 * Handlers of the operations on the trust of clients.
 *
 * @module
 */

import {
  keptVariable,
  othersVariables,
} from "../../domain/client_variables.ts";
import { TaskmuxError } from "../../domain/error.ts";
import { systemClock } from "../../kit/clock.ts";
import { refreshBundle } from "../../trust/ca_bundle.ts";
import {
  readRoot,
  type RootCertificate,
} from "../../trust/root_certificate.ts";
import { writeBlock } from "../../trust/shell_block.ts";
import { shellTrust } from "../../trust/shell_trust.ts";
import { reportTrust, summarizeChange } from "../../trust/trust_report.ts";
import { TrustStores } from "../../trust/trust_stores.ts";
import type { Params, Result } from "../../contract/mod.ts";
import type { Handlers } from "../dispatcher.ts";
import type { Services } from "../services.ts";
import { noteTrust } from "../trust_tip.ts";

type TrustHandlers = Pick<
  Handlers,
  "ca.status" | "ca.install" | "ca.uninstall" | "ca.trust_clients"
>;

/** See the module. */
export function trustHandlers(services: Services): TrustHandlers {
  const { config, paths, certificates } = services;
  const find = (
    environment: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<TrustStores> =>
    TrustStores.find({
      stateFolder: paths.home,
      env: environmentOf(services, environment),
      isRoot: services.isRoot,
      canRun: true,
      clock: systemClock,
      signal,
    });
  return {
    "ca.status": async ({ environment }, { signal }) => ({
      ok: true,
      ...await reportTrust({
        caPath: certificates.caPath,
        bundle: paths.caBundle,
        stores: await find(environment, signal),
      }),
    }),
    "ca.install": async ({ environment }, { signal }) => {
      const root = await ensureRoot(services);
      const stores = await (await find(environment, signal)).install(root);
      // After the stores, one of which is what it is made of.
      await refreshBundle(paths.caBundle, root);
      noteTrust(services, stores);
      return summarizeChange("installed", root, stores);
    },
    "ca.uninstall": async ({ environment }, { signal }) => {
      const { caPath } = certificates;
      const root = caPath === null ? null : await readRoot(caPath);
      const found = await find(environment, signal);
      const stores = config.caProvider === "mkcert"
        ? await found.uninstallNamed(root)
        : await found.uninstall(root);
      noteTrust(services, stores);
      if (root !== null) await refreshBundle(paths.caBundle, root);
      return summarizeChange("uninstalled", root, stores);
    },
    "ca.trust_clients": (params) => trustClients(services, params),
  };
}

async function trustClients(
  services: Services,
  { environment, shell, print }: Params<"ca.trust_clients">,
): Promise<Result<"ca.trust_clients">> {
  const { caBundle } = services.paths;
  const env = environmentOf(services, environment);
  const { lines, sourceCommand, ...known } = shellTrust({
    shell: shell ?? null,
    env,
    bundle: caBundle,
  });
  const root = await ensureRoot(services);
  await refreshBundle(caBundle, root);
  const common = {
    ok: true as const,
    shell: known.shell,
    caPath: caBundle,
    rootCaPath: root.path,
    mkcertCaPath: root.path,
  };
  if (print) {
    return { ...common, action: "printed", exports: lines.join("\n") + "\n" };
  }
  const others = othersVariables(env, [caBundle, root.path]);
  return {
    ...common,
    action: await writeBlock(known.rcFile, lines),
    rcFile: known.rcFile,
    sourceCmd: sourceCommand,
    ...others.length === 0 ? {} : { warnings: others.map(keptVariable) },
  };
}

/** The authority's certificate; made if there is none. */
async function ensureRoot(
  { certificates }: Pick<Services, "certificates">,
): Promise<RootCertificate> {
  const { path } = await certificates.authority();
  const root = await readRoot(path);
  if (root !== null) return root;
  throw new TaskmuxError("E710", `Cannot use "${path}": it is gone`, {
    hint: "taskmux daemon restart",
  });
}

/** The caller's variables before the daemon's: its JAVA_HOME, its PATH. */
function environmentOf(
  services: Services,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return { ...services.environment(), ...given };
}
