/**
 * What probes lead to: readiness, boot grace, retries, the restart of an unhealthy run, and giving it up alive.
 *
 * @module
 */

import type {
  HealthSpec,
  RestartSpec,
  TaskSpec,
} from "../../../src/domain/task_spec.ts";
import { healthSpec, restartSpec, taskSpec } from "./_samples.ts";
import { checkStory } from "./_story.ts";

const PURE = { permissions: "none" } as const;

const UP = `
  start
  before_start ok
  spawned r1
  after_start ok
`;

function probed(
  health: Partial<HealthSpec> = {},
  restart: Partial<RestartSpec> = {},
): { readonly spec: TaskSpec } {
  return {
    spec: taskSpec({
      health: healthSpec({ check: "true", ...health }),
      restart: restartSpec(restart),
    }),
  };
}

Deno.test("the first success makes a run healthy", PURE, () => {
  checkStory(
    `
    start
    before_start ok
    spawned r1       -> running(r1, starting, unsettled) | task_started probe:r1 hook:after_start
    after_start ok   -> running(r1, starting) |
    +100 probe r1 ok -> running(r1, healthy) | task_healthy
    +100 probe r1 ok -> -
    `,
    probed(),
  );
});

Deno.test("a run with a port is probed", PURE, () => {
  checkStory(
    `
    start
    before_start ok
    spawned r1 -> running(r1, starting, unsettled) | task_started probe:r1 hook:after_start
    `,
    { spec: taskSpec({ wantsPort: true }) },
  );
});

Deno.test("failures in the boot grace do not count, however many", PURE, () => {
  checkStory(
    `
    ${UP}
    +100 probe r1 bad -> running(r1, starting) |
    ${"+100 probe r1 bad -> -\n".repeat(98)}
    +100 probe r1 ok  -> running(r1, healthy) | task_healthy
    `,
    probed({ bootGraceMs: 10_000, retries: 1 }),
  );
});

Deno.test(
  "after the boot grace fast polls count once per interval",
  PURE,
  () => {
    checkStory(
      `
    ${UP}
    +10000 probe r1 bad
    +9999 probe r1 bad -> -
    +1 probe r1 bad    -> running(r1, starting, 1 failed) | health_check_failed
    +100 probe r1 bad  -> -
    +9899 probe r1 bad -> -
    +1 probe r1 bad    -> running(r1, starting, 2 failed) | health_check_failed
    +9999 probe r1 bad -> -
    +1 probe r1 bad    -> stopping(signals, auto, then +0) restarts=1 | health_check_failed task_unhealthy auto_restart stop_probing terminate:r1 persist
    `,
      probed(),
    );
  },
);

Deno.test(
  "a slow starter that makes it is healthy as if nothing had been",
  PURE,
  () => {
    checkStory(
      `
    ${UP}
    +20000 probe r1 bad -> running(r1, starting, 1 failed) | health_check_failed
    +10000 probe r1 bad -> running(r1, starting, 2 failed) | health_check_failed
    +9000 probe r1 ok   -> running(r1, healthy) | task_healthy
    +10000 probe r1 bad -> running(r1, unhealthy, 1 failed) | health_check_failed
    `,
      probed(),
    );
  },
);

Deno.test(
  "after readiness every failure counts, success forgives",
  PURE,
  () => {
    checkStory(
      `
    ${UP}
    probe r1 ok
    +10000 probe r1 bad -> running(r1, unhealthy, 1 failed) | health_check_failed
    +10000 probe r1 bad -> running(r1, unhealthy, 2 failed) | health_check_failed
    +10000 probe r1 ok  -> running(r1, healthy) | task_healthy
    +10000 probe r1 bad -> running(r1, unhealthy, 1 failed) | health_check_failed
    +10000 probe r1 bad -> running(r1, unhealthy, 2 failed) | health_check_failed
    +10000 probe r1 bad -> stopping(signals, auto, then +0) restarts=1 | health_check_failed task_unhealthy auto_restart stop_probing terminate:r1 persist
    `,
      probed(),
    );
  },
);

Deno.test("an unhealthy run is ended and started again", PURE, () => {
  checkStory(
    `
    ${UP}
    probe r1 ok
    probe r1 bad
    exit r1 SIGINT  -> stopping(after, auto, then +0) exit=SIGINT | stop_probing task_exited persist hook:after_stop
    after_stop ok   -> preparing(auto) gen+1 | hook:before_start
    before_start ok
    spawned r2      -> running(r2, starting, unsettled) | task_restarted probe:r2 hook:after_start
    probe r2 ok     -> running(r2, healthy, unsettled) | task_healthy wake:+60000
    probe r2 bad    -> stopping(signals, auto, then +2000) restarts=2 | health_check_failed task_unhealthy auto_restart stop_probing terminate:r2 persist
    exit r2 SIGINT
    after_stop bad  -> backoff(+2000) | hook_failed wake:+2000
    +2000 wake      -> preparing(auto) gen+1 | hook:before_start
    `,
    probed({ retries: 1 }),
  );
});

Deno.test("a stop overtakes the restart of an unhealthy run", PURE, () => {
  checkStory(
    `
    ${UP}
    probe r1 ok
    probe r1 bad
    stop           -> stopping(signals, stop) down manual | persist
    exit r1 SIGINT
    after_stop ok  -> stopped | persist task_stopped
    `,
    probed({ retries: 1 }),
  );
});

Deno.test(
  "an unhealthy run whose policy is no lives on and is told once",
  PURE,
  () => {
    checkStory(
      `
    ${UP}
    probe r1 ok
    probe r1 bad -> running(r1, unhealthy, 1 failed) | health_check_failed
    probe r1 bad -> running(r1, unhealthy, 2 failed) | health_check_failed task_unhealthy
    probe r1 bad -> running(r1, unhealthy, 3 failed) |
    probe r1 ok  -> running(r1, healthy) | task_healthy
    probe r1 bad -> running(r1, unhealthy, 1 failed) | health_check_failed
    probe r1 bad -> running(r1, unhealthy, 2 failed) | health_check_failed task_unhealthy
    exit r1 1    -> failed exit=1 E403 | stop_probing task_exited persist task_failed
    `,
      probed({ retries: 2 }, { policy: "no" }),
    );
  },
);

Deno.test(
  "a run that was never ready and is unhealthy can still become ready",
  PURE,
  () => {
    checkStory(
      `
    ${UP}
    +20000 probe r1 bad -> running(r1, starting, 1 failed) | health_check_failed
    +10000 probe r1 bad -> running(r1, unhealthy, 2 failed) | health_check_failed task_unhealthy
    +5000 probe r1 bad  -> -
    +5000 probe r1 bad  -> running(r1, unhealthy, 3 failed) |
    +100 probe r1 ok    -> running(r1, healthy) | task_healthy
    +10000 probe r1 bad -> running(r1, unhealthy, 1 failed) | health_check_failed
    `,
      probed({ retries: 2 }, { policy: "no" }),
    );
  },
);

Deno.test("a run that is given up lives on, and can recover", PURE, () => {
  const givenUp = `
    ${UP}
    probe r1 ok
    probe r1 bad
    exit r1 SIGINT
    after_stop ok
    before_start ok
    spawned r2
    after_start ok
    probe r2 ok
    probe r2 bad       -> running(r2, unhealthy, 1 failed) gave_up | health_check_failed task_unhealthy persist max_restarts_reached
    probe r2 bad       -> running(r2, unhealthy, 2 failed) |
  `;
  const options = probed({ retries: 1 }, { maxRestarts: 1 });
  checkStory(
    `
    ${givenUp}
    probe r2 ok        -> running(r2, healthy) | task_healthy wake:+60000
    +60000 probe r2 ok -> running(r2, healthy) restarts=0 hopeful | persist
    probe r2 bad       -> stopping(signals, auto, then +0) restarts=1 | health_check_failed task_unhealthy auto_restart stop_probing terminate:r2 persist
    `,
    options,
  );
  checkStory(
    `
    ${givenUp}
    probe r2 ok
    probe r2 bad -> running(r2, unhealthy, 1 failed) | health_check_failed task_unhealthy
    exit r2 1    -> failed exit=1 E403 | stop_probing task_exited persist max_restarts_reached
    `,
    options,
  );
});

Deno.test(
  "a start by hand gives a run that was given up a new series",
  PURE,
  () => {
    const givenUp = `
    ${UP}
    probe r1 ok
    probe r1 bad
    exit r1 SIGINT
    after_stop ok
    before_start ok
    spawned r2
    after_start ok
    probe r2 ok
    probe r2 bad
  `;
    const options = probed({ retries: 1 }, { maxRestarts: 1 });
    checkStory(
      `
    ${givenUp}
    start        -> running(r2, unhealthy, 1 failed) restarts=0 hopeful | persist
    probe r2 bad -> stopping(signals, auto, then +0) restarts=1 | auto_restart stop_probing terminate:r2 persist
    `,
      options,
    );
    // A restart that its hooks abort must not leave it unhealthy for ever.
    checkStory(
      `
    ${givenUp}
    restart         -> stopping(before, restart, then +0) restarts=0 hopeful | persist hook:before_stop
    before_stop bad -> running(r2, unhealthy, 1 failed) E400 | hook_failed
    probe r2 bad    -> stopping(signals, auto, then +0) restarts=1 no_error | auto_restart stop_probing terminate:r2 persist
    `,
      options,
    );
  },
);

Deno.test(
  "without retries the first failure that counts is the last",
  PURE,
  () => {
    checkStory(
      `
    ${UP}
    probe r1 bad -> running(r1, starting) |
    probe r1 ok  -> running(r1, healthy) | task_healthy
    probe r1 bad -> stopping(signals, auto, then +0) restarts=1 | health_check_failed task_unhealthy auto_restart stop_probing terminate:r1 persist
    `,
      probed({ retries: 0 }),
    );
  },
);

Deno.test("the boot grace of an adopted run began with the run", PURE, () => {
  checkStory(
    `
    adopted r1 60000 -> running(r1, starting) gen+1 | persist probe:r1
    probe r1 bad     -> running(r1, starting, 1 failed) | health_check_failed
    `,
    probed(),
  );
  checkStory(
    `
    adopted r1 1000     -> running(r1, starting) gen+1 | persist probe:r1
    +18999 probe r1 bad -> running(r1, starting) |
    +1 probe r1 bad     -> running(r1, starting, 1 failed) | health_check_failed
    `,
    probed(),
  );
});
