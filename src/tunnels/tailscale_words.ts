/**
 * What the program `tailscale` says when it serves nothing, and what to do.
 *
 * @module
 */

const MEANINGS: readonly (readonly [RegExp, (found: string) => string])[] = [
  [
    /https:\/\/login\.tailscale\.com\/f\/\S+/,
    (page) => `The tailnet has to allow this first: open ${page}`,
  ],
  [
    /Access denied|must be root or operator/i,
    () =>
      "Tailscale obeys root only: sudo tailscale set --operator=USER, with the name of the user who runs taskmux",
  ],
  [
    /foreground already exists under this port|background configuration already exists|listener already exists for port/,
    () =>
      "Another tailscale serve has taken this port meanwhile: open the tunnel again, it gets another one (tailscale serve status tells them)",
  ],
  [
    /failed to connect to local tailscale|tailscaled.* (?:isn't|not) running/i,
    () => "The service of Tailscale does not run: tailscale status",
  ],
  [
    /^(?:Logged out|Tailscale is stopped|unexpected state)/,
    () => "This machine is not in a tailnet now: tailscale up",
  ],
  [
    /Machine is not yet (?:approved|authorized)/,
    () =>
      "An admin of the tailnet has to approve this machine: https://login.tailscale.com/admin/machines",
  ],
  [
    /HTTPS must be enabled|error enabling https feature/,
    () =>
      "The tailnet gives no certificates: switch on HTTPS at https://login.tailscale.com/admin/dns",
  ],
  [
    /Funnel not available|node attribute not set|is not allowed for funnel/,
    () =>
      "The tailnet does not let this machine be reached from the internet: https://tailscale.com/kb/1223/funnel",
  ],
];

/** What a line of its output means; null = nothing that has to be told. */
export function explainTailscale(line: string): string | null {
  for (const [pattern, meaning] of MEANINGS) {
    const found = pattern.exec(line)?.[0];
    if (found !== undefined) return meaning(found);
  }
  return null;
}
