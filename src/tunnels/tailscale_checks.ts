/**
 * Whether a tunnel by Tailscale would work: its program, its service, the settings of the tailnet, and a port.
 *
 * @module
 */

import { checkProgram, type NeededProgram } from "./program_check.ts";
import { freePort, isAllowed } from "./tailscale_ports.ts";
import {
  parseOperator,
  parseServedPorts,
  parseTailscaleStatus,
  type ServedPort,
  type TailscaleStatus,
} from "./tailscale_status.ts";
import type {
  TunnelCheck,
  TunnelContext,
  TunnelTarget,
} from "./tunnel_provider.ts";

const IS_LINUX = Deno.build.os === "linux";

/** Where tailscaled listens on Linux. Whose it is tells whom it obeys. */
const SOCKET = "/var/run/tailscale/tailscaled.sock";

/** Since 1.52 `serve` and `funnel` take a target, and what they serve ends with them. */
const TAILSCALE: NeededProgram = {
  program: "tailscale",
  versionArgs: ["version"],
  install: IS_LINUX
    ? "Install Tailscale: https://tailscale.com/download"
    : "brew install tailscale, or put the one of the app on the PATH: https://tailscale.com/kb/1080/cli",
  update: IS_LINUX ? "sudo tailscale update" : "tailscale update",
  minimum: "1.52.0",
};

/** All checks, in the order in which they are put right; ends at the first that hides the others. */
export async function checkTailscale(
  targets: readonly TunnelTarget[],
  context: TunnelContext,
  signal: AbortSignal,
): Promise<TunnelCheck[]> {
  const program = await checkProgram(TAILSCALE, context, signal);
  if (!program.check.ok) return [program.check];
  const { check: up, status } = await checkUp(context, signal);
  if (status === null || !up.ok) return [program.check, up];
  return [
    program.check,
    up,
    checkCertificates(status),
    ...targets.some(({ reach }) => reach === "public")
      ? [checkFunnel(status)]
      : [],
    ...await checkOperator(context, signal),
    ...await checkPorts(targets, status, { context, signal }),
  ];
}

async function checkUp(
  { run }: TunnelContext,
  signal: AbortSignal,
): Promise<{ check: TunnelCheck; status: TailscaleStatus | null }> {
  const outcome = await run(
    ["tailscale", "status", "--json", "--peers=false"],
    signal,
  );
  const status = outcome.kind === "exited"
    ? parseTailscaleStatus(outcome.output)
    : null;
  return { check: { name: "tailscale_up", ...standing(status) }, status };
}

function standing(status: TailscaleStatus | null): Omit<TunnelCheck, "name"> {
  const up = IS_LINUX ? "sudo tailscale up" : "tailscale up";
  switch (status?.state) {
    case "Running":
      return {
        ok: true,
        detail: `This machine is ${status.name ?? "without a name"}`,
        fix: null,
      };
    case undefined:
      return {
        ok: false,
        detail: "The service of Tailscale does not run",
        fix: IS_LINUX ? "sudo systemctl start tailscaled" : "open -a Tailscale",
      };
    case "NeedsLogin":
    case "NoState":
      return {
        ok: false,
        detail: "This machine is not logged in to a tailnet",
        fix: up,
      };
    case "NeedsMachineAuth":
      return {
        ok: false,
        detail: "An admin of the tailnet has not approved this machine yet",
        fix: "Approve it: https://login.tailscale.com/admin/machines",
      };
    default:
      return { ok: false, detail: `Tailscale is ${status?.state}`, fix: up };
  }
}

function checkCertificates(status: TailscaleStatus): TunnelCheck {
  const name = "tailscale_https";
  if (status.name !== null && status.hasCertificates) {
    const detail = `There are certificates for ${status.name}`;
    return { name, ok: true, detail, fix: null };
  }
  return {
    name,
    ok: false,
    detail: status.name === null
      ? "The tailnet gives this machine no name"
      : "The tailnet gives no certificates",
    fix:
      "Switch on MagicDNS and HTTPS Certificates: https://login.tailscale.com/admin/dns",
  };
}

function checkFunnel(status: TailscaleStatus): TunnelCheck {
  const name = "tailscale_funnel";
  const { hasFunnel, funnelPorts, nodeId } = status;
  if (!hasFunnel) {
    const node = nodeId === null ? "" : `?node=${nodeId}`;
    return {
      name,
      ok: false,
      detail:
        "The tailnet does not let this machine be reached from the internet",
      fix: `Switch Funnel on: https://login.tailscale.com/f/funnel${node} ` +
        "(for devices of the tailnet only, --tailnet-only needs none)",
    };
  }
  // The program asks for this one, whichever it is to open.
  if (funnelPorts !== null && !isAllowed(443, funnelPorts)) {
    return {
      name,
      ok: false,
      detail: "The tailnet's policy does not let Funnel have port 443",
      fix:
        "Add 443 to the ports of Funnel: https://login.tailscale.com/admin/acls/file",
    };
  }
  return {
    name,
    ok: true,
    detail: "This machine may be reached from the internet (a new name can " +
      "take ten minutes until it is known everywhere)",
    fix: null,
  };
}

/** Told only where it is sure: what else is refused is explained when it happens. */
async function checkOperator(
  { run }: TunnelContext,
  signal: AbortSignal,
): Promise<TunnelCheck[]> {
  if (!IS_LINUX || !await isOfRoot(SOCKET)) return [];
  // `Deno.uid` is not permitted here.
  const [id, name, preferences] = await Promise.all([
    run(["id", "-u"], signal),
    run(["id", "-un"], signal),
    run(["tailscale", "debug", "prefs"], signal),
  ]);
  if (id.kind !== "exited" || id.output.trim() === "0") return [];
  if (name.kind !== "exited" || preferences.kind !== "exited") return [];
  return operatorCheck(name.output.trim(), parseOperator(preferences.output));
}

/** Whether tailscaled of root obeys a user; nothing where that is not told. */
export function operatorCheck(
  user: string,
  operator: string | null | undefined,
): TunnelCheck[] {
  if (operator === undefined) return [];
  const name = "tailscale_operator";
  if (operator === user) {
    const detail = `Tailscale obeys "${user}"`;
    return [{ name, ok: true, detail, fix: null }];
  }
  const detail = `Tailscale obeys root${
    operator === null ? "" : ` and "${operator}"`
  } only, and this is "${user}"`;
  const fix = `sudo tailscale set --operator=${user}`;
  return [{ name, ok: false, detail, fix }];
}

async function checkPorts(
  targets: readonly TunnelTarget[],
  status: TailscaleStatus,
  { context, signal }: {
    readonly context: TunnelContext;
    readonly signal: AbortSignal;
  },
): Promise<TunnelCheck[]> {
  const outcome = await context.run(
    ["tailscale", "serve", "status", "--json"],
    signal,
  );
  if (outcome.kind !== "exited" || outcome.code !== 0) {
    const detail = "Tailscale does not tell what it serves";
    const fix = "tailscale serve status";
    return [{ name: "tailscale_ports", ok: false, detail, fix }];
  }
  const served = parseServedPorts(outcome.output);
  const memory = context.memory.load();
  return targets.map((target) => {
    const name = `tailscale_port:${target.task}`;
    const allowed = status.funnelPorts;
    const port = freePort(target, served, { memory, allowed });
    if (port === null) return { name, ...noPort(served) };
    served.push({ port, proxy: target.origin });
    const detail = `Port ${port} of ${status.name} is free`;
    return { name, ok: true, detail, fix: null };
  });
}

function noPort(served: readonly ServedPort[]): Omit<TunnelCheck, "name"> {
  const taken = served.map(({ port }) => port).sort((a, b) => a - b);
  return {
    ok: false,
    detail: `All ports that may be used serve something else: ${
      taken.join(", ")
    }`,
    fix:
      "tailscale serve status, and end what you do not need: tailscale serve --https=PORT off",
  };
}

async function isOfRoot(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).uid === 0;
  } catch (error) {
    // It is elsewhere, so it is another one.
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
