import { deepEqual, equal, rejects } from "node:assert/strict";
import { noop } from "../../../src/tunnels/noop.ts";
import { ProviderWorld, target } from "../../support/provider_world.ts";

const SIGNAL = new AbortController().signal;

Deno.test("a name of one's own needs no program", async () => {
  await using world = await ProviderWorld.make();
  const mine = target({ hostname: "web.example.com" });
  deepEqual(
    (await noop.check([mine], world.context, SIGNAL)).map(({ ok }) => ok),
    [true],
  );
  equal(await noop.open([mine], world.context, SIGNAL), null);
  equal(
    await noop.addressOf(mine, null, world.context, SIGNAL),
    "https://web.example.com",
  );
});

Deno.test("without a name there is nothing to tell, and it is said how to give one", async () => {
  await using world = await ProviderWorld.make();
  deepEqual(await noop.check([target()], world.context, SIGNAL), [{
    name: "hostname:web",
    ok: false,
    detail: 'Task "web" has no hostname',
    fix: "taskmux tunnel up web --via noop --hostname NAME",
  }]);
  await rejects(noop.addressOf(target(), null, world.context, SIGNAL), {
    code: "E741",
  });
});
