/**
 * How it is with the tailnet of the fake `tailscale`. A test writes it to a file; the program reads it each time.
 *
 * @module
 */

/** See the module. */
export interface TailscaleState {
  /** `down`: the program of the system does not run. */
  readonly backend:
    | "Running"
    | "Stopped"
    | "NeedsLogin"
    | "NeedsMachineAuth"
    | "down";
  /** The machine's name in its tailnet. */
  readonly dnsName: string;
  /** Whether there are certificates. */
  readonly https: boolean;
  /** Whether Funnel is allowed. */
  readonly funnel: boolean;
  /** From which ports the internet gets in. */
  readonly funnelPorts: readonly number[];
}

/** All is well. */
export const TAILSCALE_RUNS: TailscaleState = {
  backend: "Running",
  dnsName: "dev.tail1234.ts.net",
  https: true,
  funnel: true,
  funnelPorts: [443, 8443, 10000],
};
