/**
 * What follows when a run ends by itself or a start fails: restart policies, backoff, giving up, new series.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { RestartSpec } from "../../../src/domain/task_spec.ts";
import { healthSpec, restartSpec, taskSpec } from "./_samples.ts";
import { checkStory } from "./_story.ts";

const PURE = { permissions: "none" } as const;

/** A run of a task that is started by hand. */
const UP = `
  start
  before_start ok
  spawned r1
  after_start ok
`;

/** What an exit leads to under a policy. */
function checkExit(
  knobs: Partial<RestartSpec>,
  how: string,
  expected: "restarted" | "completed" | "failed",
): void {
  const spec = taskSpec({ restart: restartSpec(knobs) });
  const { phase } = checkStory(`${UP}\nexit r1 ${how}`, { spec });
  assert.equal(
    phase.status === "preparing" ? "restarted" : phase.status,
    expected,
    `${JSON.stringify(knobs)} after ${how}`,
  );
}

Deno.test("an exit is answered by the policy", PURE, () => {
  checkExit({ policy: "no" }, "0", "completed");
  checkExit({ policy: "no" }, "1", "failed");
  checkExit({ policy: "no" }, "SIGSEGV", "failed");
  checkExit({ policy: "on-failure" }, "0", "completed");
  checkExit({ policy: "on-failure" }, "1", "restarted");
  checkExit({ policy: "on-failure" }, "143", "restarted");
  checkExit({ policy: "on-failure" }, "SIGTERM", "restarted");
  checkExit({ policy: "always" }, "0", "restarted");
  checkExit({ policy: "always" }, "1", "restarted");
  checkExit({ policy: "always" }, "SIGKILL", "restarted");
});

Deno.test("success_exit_codes say what a success is", PURE, () => {
  const codes = { successExitCodes: [0, 3] };
  checkExit({ policy: "on-failure", ...codes }, "3", "completed");
  checkExit({ policy: "on-failure", ...codes }, "4", "restarted");
  checkExit({ policy: "no", ...codes }, "3", "completed");
  checkExit({ policy: "always", ...codes }, "3", "restarted");
  checkExit(
    { policy: "on-failure", successExitCodes: [3] },
    "0",
    "restarted",
  );
  checkExit(
    { policy: "on-failure", successExitCodes: [130] },
    "SIGINT",
    "restarted",
  );
});

Deno.test("restarts of a crashing task are spaced ever wider", PURE, () => {
  const spec = taskSpec({ restart: restartSpec({ maxRestarts: 0 }) });
  const delays = [0, 2, 4, 8, 16, 32, 60, 60, 60];
  let story = UP;
  delays.forEach((delay, index) => {
    const run = index + 1;
    const attempt = index + 1;
    const error = index === 0 ? " exit=1 E403" : "";
    const facts = `restarts=${attempt}`;
    story += delay === 0
      ? `
        exit r${run} 1 -> preparing(auto) gen+1 ${facts}${error} | stop_probing task_exited persist auto_restart hook:before_start
      `
      : `
        exit r${run} 1 -> backoff(+${delay}000) ${facts} E403 | stop_probing task_exited persist auto_restart wake:+${delay}000
        +${delay * 1000 - 1} wake -> backoff(+1) | wake:+1
        +1 wake -> preparing(auto) gen+1 | hook:before_start
      `;
    story += `
      before_start ok -> spawning(auto) | spawn
      spawned r${run + 1}
      after_start ok
    `;
  });
  checkStory(story, { spec });
});

Deno.test(
  "a crashing task is given up after max_restarts restarts",
  PURE,
  () => {
    const spec = taskSpec({ restart: restartSpec({ maxRestarts: 2 }) });
    checkStory(
      `
    ${UP}
    exit r1 1
    before_start ok
    spawned r2      -> running(r2, healthy, unsettled) no_error | task_restarted wake:+60000 hook:after_start
    exit r2 1       -> backoff(+2000) restarts=2 E403 | stop_probing task_exited persist auto_restart wake:+2000
    +2000 wake
    before_start ok
    spawned r3
    exit r3 1       -> failed gave_up E403 | stop_probing task_exited persist max_restarts_reached
    +60000 wake     -> -
    `,
      { spec },
    );
  },
);

Deno.test("a task that always ends well is given up as well", PURE, () => {
  const spec = taskSpec({
    restart: restartSpec({ policy: "always", maxRestarts: 1 }),
  });
  checkStory(
    `
    ${UP}
    exit r1 0       -> preparing(auto) gen+1 restarts=1 exit=0 | stop_probing task_exited persist auto_restart hook:before_start
    before_start ok
    spawned r2
    exit r2 0       -> failed gave_up | stop_probing task_exited persist max_restarts_reached
    `,
    { spec },
  );
});

Deno.test("a start or restart by hand begins a new series", PURE, () => {
  const spec = taskSpec({ restart: restartSpec({ maxRestarts: 1 }) });
  const givenUp = `
    ${UP}
    exit r1 1
    before_start ok
    spawned r2
    exit r2 1
  `;
  const again = `
    before_start ok
    spawned r3
    exit r3 1 -> preparing(auto) gen+1 restarts=1 E403 | stop_probing task_exited persist auto_restart hook:before_start
  `;
  checkStory(
    `
    ${givenUp}
    start   -> preparing(start) gen+1 restarts=0 hopeful no_error | persist hook:before_start
    ${again}
    `,
    { spec },
  );
  checkStory(
    `
    ${givenUp}
    restart -> preparing(restart) gen+1 restarts=0 hopeful no_error | persist hook:before_start
    ${again}
    `,
    { spec },
  );
  checkStory(
    `
    ${givenUp}
    watch   -> preparing(restart) gen+1 restarts=0 hopeful no_error | persist hook:before_start
    ${again}
    `,
    { spec },
  );
});

Deno.test("a start by hand does not wait for the backoff", PURE, () => {
  const backoff = `
    ${UP}
    exit r1 1
    before_start ok
    spawned r2
    exit r2 1
  `;
  checkStory(`
    ${backoff}
    start      -> preparing(start) gen+1 restarts=0 no_error | persist hook:before_start
    +2000 wake -> -
  `);
  checkStory(`
    ${backoff}
    start gated -> waiting restarts=0 no_error | persist
    +2000 wake  -> -
  `);
  checkStory(`
    ${backoff}
    stop       -> stopped down manual | persist task_stopped
    +2000 wake -> -
  `);
});

Deno.test(
  "a task without probes ends its series after a minute up",
  PURE,
  () => {
    const restarted = `
    ${UP}
    exit r1 1
    before_start ok
    spawned r2 -> running(r2, healthy, unsettled) no_error | task_restarted wake:+60000 hook:after_start
  `;
    checkStory(`
    ${restarted}
    +60000 wake -> running(r2, healthy, unsettled) restarts=0 | persist
    exit r2 1   -> preparing(auto) gen+1 restarts=1 E403 | stop_probing task_exited persist auto_restart hook:before_start
  `);
    checkStory(`
    ${restarted}
    +59999 exit r2 1 -> backoff(+2000) restarts=2 E403 | stop_probing task_exited persist auto_restart wake:+2000
  `);
    // The timer is late.
    checkStory(`
    ${restarted}
    +60000 exit r2 1 -> preparing(auto) gen+1 E403 | stop_probing task_exited persist auto_restart hook:before_start
  `);
    // The timer rings while hooks decide about a stop.
    checkStory(`
    ${restarted}
    stop
    +60000 wake     -> stopping(before, stop) restarts=0 | persist
    before_stop bad -> running(r2, healthy) E400 | hook_failed
  `);
  },
);

Deno.test(
  "a probed task ends its series after a minute of health",
  PURE,
  () => {
    const spec = taskSpec({
      health: healthSpec({ check: "true" }),
      restart: restartSpec({ maxRestarts: 1 }),
    });
    const restarted = `
    ${UP}
    exit r1 1
    before_start ok
    spawned r2      -> running(r2, starting, unsettled) no_error | task_restarted probe:r2 hook:after_start
    after_start ok
    +1000 probe r2 ok -> running(r2, healthy) | task_healthy wake:+60000
  `;
    checkStory(
      `
    ${restarted}
    +59999 probe r2 ok -> -
    +1 probe r2 ok     -> running(r2, healthy) restarts=0 | persist
    wake               -> -
    `,
      { spec },
    );
    checkStory(
      `
    ${restarted}
    +60000 wake -> running(r2, healthy) restarts=0 | persist
    `,
      { spec },
    );
    // A failure in between begins the minute anew.
    checkStory(
      `
    ${restarted}
    +30000 probe r2 bad -> running(r2, unhealthy, 1 failed) | health_check_failed
    +10000 probe r2 ok  -> running(r2, healthy) | task_healthy wake:+60000
    +20000 wake         -> -
    +40000 wake         -> running(r2, healthy) restarts=0 | persist
    `,
      { spec },
    );
    checkStory(
      `
    ${restarted}
    +59999 exit r2 1 -> failed gave_up E403 | stop_probing task_exited persist max_restarts_reached
    `,
      { spec },
    );
  },
);

Deno.test("a start by hand that fails is failed", PURE, () => {
  for (const policy of ["no", "on-failure", "always"] as const) {
    const spec = taskSpec({ restart: restartSpec({ policy }) });
    checkStory(
      `
      start
      before_start bad -> failed E400 | hook_failed persist task_failed
      start gated      -> waiting no_error | persist
      gate fails       -> failed E402 | persist task_failed
      start
      before_start ok
      unspawned        -> failed E403 | persist task_failed
      restart
      before_start bad -> failed E400 | hook_failed persist task_failed
      `,
      { spec },
    );
  }
});

Deno.test("an automatic start that fails counts as a restart", PURE, () => {
  const spec = taskSpec({ restart: restartSpec({ maxRestarts: 3 }) });
  checkStory(
    `
    ${UP}
    exit r1 1        -> preparing(auto) gen+1 restarts=1 exit=1 E403 | stop_probing task_exited persist auto_restart hook:before_start
    before_start bad -> backoff(+2000) restarts=2 E400 | hook_failed auto_restart_failed persist auto_restart wake:+2000
    +2000 wake       -> preparing(auto) gen+1 | hook:before_start
    before_start ok  -> spawning(auto) | spawn
    unspawned        -> backoff(+4000) restarts=3 E403 | auto_restart_failed persist auto_restart wake:+4000
    +4000 wake
    before_start bad -> failed gave_up E400 | hook_failed auto_restart_failed persist max_restarts_reached
    `,
    { spec },
  );
});

Deno.test(
  "a failing restart of a task that is always up is tried again",
  PURE,
  () => {
    const spec = taskSpec({ restart: restartSpec({ policy: "always" }) });
    checkStory(
      `
    ${UP}
    exit r1 0
    before_start bad -> backoff(+2000) restarts=2 E400 | hook_failed auto_restart_failed persist auto_restart wake:+2000
    `,
      { spec },
    );
  },
);

Deno.test(
  "an after_start hook that fails is told and stops nothing",
  PURE,
  () => {
    checkStory(`
    start
    before_start ok
    spawned r1
    after_start bad -> running(r1, healthy) E400 | hook_failed
  `);
  },
);

Deno.test("an after_start hook of an ended run says nothing", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned r1
    exit r1 1
    after_start@1 bad -> -
    before_start ok
    spawned r2
    after_start@1 ok  -> -
  `);
});

Deno.test(
  "a run that gave up and was long healthy begins a new series when it ends",
  PURE,
  () => {
    const spec = taskSpec({
      health: healthSpec({ check: "true", retries: 1 }),
      restart: restartSpec({ maxRestarts: 1 }),
    });
    checkStory(
      `
    ${UP}
    exit r1 1
    before_start ok
    spawned r2
    after_start ok
    probe r2 ok
    probe r2 bad      -> running(r2, unhealthy, 1 failed) gave_up | health_check_failed task_unhealthy persist max_restarts_reached
    probe r2 ok       -> running(r2, healthy) | task_healthy wake:+60000
    +60000 exit r2 1  -> preparing(auto) gen+1 hopeful E403 | stop_probing task_exited persist auto_restart hook:before_start
    `,
      { spec },
    );
  },
);
