/**
 * What Tailscale's program tells in JSON, as far as it matters here. Its lists may be null, and warnings may come before it.
 *
 * @module
 */

/** How it is with this machine in its tailnet. */
export interface TailscaleStatus {
  /** Such as `Running`, `Stopped`, `NeedsLogin`, `NeedsMachineAuth`. */
  readonly state: string;
  /** Such as `mini.tail1a2b3c.ts.net`; null = it has none, without MagicDNS or before it is logged in. */
  readonly name: string | null;
  readonly nodeId: string | null;
  /** Whether it gets a certificate for its name. */
  readonly hasCertificates: boolean;
  /** Whether it may be reached from the internet. */
  readonly hasFunnel: boolean;
  /** On which of its ports; null = that is not told. */
  readonly funnelPorts: readonly PortRange[] | null;
}

/** Both ends are part of it. */
export type PortRange = readonly [first: number, last: number];

/** A port of this machine's name that leads somewhere, or is open to the internet. */
export interface ServedPort {
  readonly port: number;
  /** Where its `/` leads to, such as `http://127.0.0.1:3000`; null = not to a web server, or nowhere. */
  readonly proxy: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

const FUNNEL_PORTS = "https://tailscale.com/cap/funnel-ports?";

/** Reads `tailscale status --json --peers=false`; null = it is none. */
export function parseTailscaleStatus(output: string): TailscaleStatus | null {
  const status = jsonIn(output);
  if (status === null || typeof status.BackendState !== "string") return null;
  const self = fieldsOf(status.Self);
  const name = textOf(self.DNSName).replace(/\.$/, "").toLowerCase();
  const nodeId = textOf(self.ID);
  // Older versions have a list, newer ones a map, some have both.
  const capabilities = [
    ...Object.keys(fieldsOf(self.CapMap)),
    ...textsOf(self.Capabilities),
  ];
  const ports = capabilities.find((name) => name.startsWith(FUNNEL_PORTS));
  return {
    state: status.BackendState,
    name: name === "" ? null : name,
    nodeId: /^[A-Za-z0-9]+$/.test(nodeId) ? nodeId : null,
    hasCertificates: textsOf(status.CertDomains).length > 0,
    hasFunnel: capabilities.includes("funnel"),
    funnelPorts: ports === undefined ? null : portRanges(ports),
  };
}

/**
 * Reads `tailscale serve status --json`: what is served in the background and by programs in the foreground. A port that
 * only was opened to the internet counts too, as whatever is served there next is public.
 */
export function parseServedPorts(output: string): ServedPort[] {
  const config = jsonIn(output) ?? {};
  const sessions = Object.values(fieldsOf(config.Foreground)).map(fieldsOf);
  const found = new Map<number, string | null>();
  for (const part of [config, ...sessions]) {
    for (const port of Object.keys(fieldsOf(part.TCP))) {
      found.set(Number(port), found.get(Number(port)) ?? null);
    }
    for (const [address, web] of Object.entries(fieldsOf(part.Web))) {
      const root = fieldsOf(fieldsOf(fieldsOf(web).Handlers)["/"]);
      const proxy = textOf(root.Proxy).replace(/\/$/, "");
      found.set(portOf(address), proxy === "" ? null : proxy);
    }
    for (const [address, is] of Object.entries(fieldsOf(part.AllowFunnel))) {
      const port = portOf(address);
      if (is === true) found.set(port, found.get(port) ?? null);
    }
  }
  return [...found].map(([port, proxy]) => ({ port, proxy }));
}

/** The user whom tailscaled obeys beside root, of `tailscale debug prefs`; null = there is none, undefined = not told. */
export function parseOperator(output: string): string | null | undefined {
  const preferences = jsonIn(output);
  if (preferences === null) return undefined;
  return textOf(preferences.OperatorUser) || null;
}

function portRanges(capability: string): PortRange[] {
  const listed = new URL(capability).searchParams.get("ports") ?? "";
  return listed.split(",").flatMap((part): PortRange[] => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    return first === undefined ? [] : [[Number(first), Number(last)]];
  });
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

function jsonIn(output: string): Fields | null {
  const start = output.indexOf("{");
  if (start < 0) return null;
  try {
    const value: unknown = JSON.parse(
      output.slice(start, output.lastIndexOf("}") + 1),
    );
    return fieldsOf(value);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value))
    : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((item) => typeof item === "string")
    : [];
}
