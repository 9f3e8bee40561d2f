import assert from "node:assert/strict";
import {
  closingWarnings,
  openingWarnings,
} from "../../../src/daemon/public_warnings.ts";
import type { TunnelView } from "../../../src/domain/tunnel.ts";

const STANDING: TunnelView = {
  backend: "cloudflare",
  state: "waiting",
  public: false,
  public_url: null,
  public_hostname: "api.example.com",
  access: "open",
  reach: "public",
  standing: true,
  opened_at: null,
  expires_at: null,
  origin: null,
  process: null,
  reason: 'task "api" does not run',
  requests: 0,
  refused: 0,
};

const STARTED = { task: "api", action: "started", error: null };

function opening(
  change: Partial<TunnelView>,
  outcome: Partial<typeof STARTED> = {},
): string[] {
  const before = new Map([["api", { ...STANDING, ...change }]]);
  return openingWarnings(before, [{ ...STARTED, ...outcome }]);
}

Deno.test("who starts a task with a standing tunnel is told that it becomes public", () => {
  assert.deepEqual(opening({}), [
    '"api" becomes public at https://api.example.com (everybody), as "taskmux tunnel enable" was told; "taskmux tunnel down api" closes it',
  ]);
});

Deno.test("nothing is told of what was public already, stays closed, or did not start", () => {
  assert.deepEqual(opening({ state: "open", public: true }), []);
  assert.deepEqual(opening({ state: "off" }), []);
  assert.deepEqual(opening({ standing: false }), []);
  assert.deepEqual(opening({}, { action: "noop" }), []);
  assert.deepEqual(opening({}, { task: "web" }), []);
  const error = { ok: false, error_code: "E403", error: "no" } as const;
  const failed = { ...STARTED, error };
  const before = new Map([["api", STANDING]]);
  assert.deepEqual(openingWarnings(before, [failed]), []);
});

Deno.test("who stops a public task is told that it is none any more", () => {
  const open = {
    ...STANDING,
    state: "open",
    public: true,
    public_url: "https://api.example.com",
  } as const;
  const told = (tunnel: TunnelView): string[] =>
    closingWarnings(new Map([["api", tunnel]]), [STARTED]);
  assert.deepEqual(told({ ...open, standing: false }), [
    '"api" is no longer public at https://api.example.com',
  ]);
  assert.deepEqual(told(open), [
    '"api" is no longer public at https://api.example.com; it will be again when it runs',
  ]);
  assert.deepEqual(told(STANDING), []);
});
