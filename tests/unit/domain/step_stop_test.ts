/**
 * Stop, kill, restart and shutdown, at every moment of a task's life.
 *
 * @module
 */

import assert from "node:assert/strict";
import { healthSpec, taskSpec } from "./_samples.ts";
import { checkStory } from "./_story.ts";

const PURE = { permissions: "none" } as const;

const PROBED = taskSpec({ health: healthSpec({ url: "http://localhost/" }) });

Deno.test("a task is started, stopped and started again", PURE, () => {
  checkStory(`
    start           -> preparing(start) gen+1 up | persist hook:before_start
    before_start ok -> spawning(start) | spawn
    spawned r1      -> running(r1, healthy, unsettled) | task_started hook:after_start
    after_start ok  -> running(r1, healthy) |
    stop            -> stopping(before, stop) | hook:before_stop
    before_stop ok  -> stopping(signals, stop) down manual | stop_probing terminate:r1 persist
    exit r1 SIGINT  -> stopping(after, stop) exit=SIGINT | stop_probing task_exited persist hook:after_stop
    after_stop ok   -> stopped | persist task_stopped
    start           -> preparing(start) gen+1 up auto | persist hook:before_start
  `);
});

Deno.test("a stop of a waiting task is done at once", PURE, () => {
  checkStory(`
    start gated
    stop       -> stopped down manual | persist task_stopped
    gate opens -> -
    gate fails -> -
  `);
});

Deno.test("a stop during before_start hooks cancels them", PURE, () => {
  checkStory(`
    start
    stop              -> stopped gen+1 down manual | cancel_hook persist task_stopped
    before_start@1 ok -> -
  `);
});

Deno.test(
  "a hook of an earlier start does not speak for a later one",
  PURE,
  () => {
    checkStory(`
    start
    stop
    start              -> preparing(start) gen+1 up auto | persist hook:before_start
    before_start@1 bad -> -
    before_start@2 ok  -> -
    before_start@3 ok  -> spawning(start) | spawn
  `);
  },
);

Deno.test("a stop during the spawn ends the run that it brings", PURE, () => {
  checkStory(`
    start
    before_start ok
    stop           -> spawning(start, then stop) down manual | persist
    spawned r1     -> stopping(signals, stop) | task_started stop_probing terminate:r1 persist
    exit r1 SIGINT -> stopping(after, stop) exit=SIGINT | stop_probing task_exited persist hook:after_stop
    after_stop ok  -> stopped | persist task_stopped
  `);
});

Deno.test("a stop during a spawn that fails is done with it", PURE, () => {
  checkStory(`
    start
    before_start ok
    kill      -> spawning(start, then kill) down manual | persist
    unspawned -> stopped | persist task_killed
  `);
});

Deno.test("a start takes back a stop during the spawn", PURE, () => {
  checkStory(`
    start
    before_start ok
    stop
    start      -> spawning(start) up auto | persist
    spawned r1 -> running(r1, healthy, unsettled) | task_started hook:after_start
  `);
});

Deno.test(
  "a changed file does not take back a stop during the spawn",
  PURE,
  () => {
    checkStory(`
    start
    before_start ok
    stop
    watch      -> -
    spawned r1 -> stopping(signals, stop) | task_started stop_probing terminate:r1 persist
  `);
  },
);

Deno.test(
  "a kill during the spawn stays a kill, whatever follows",
  PURE,
  () => {
    checkStory(`
    start
    before_start ok
    kill
    stop
    shutdown   -> spawning(start, then kill) | persist
    spawned r1 -> stopping(signals, kill) | task_started stop_probing kill:r1 persist
    exit r1 SIGKILL -> stopped exit=SIGKILL | stop_probing task_exited persist task_killed
  `);
  },
);

Deno.test("a stop hardens into a kill at every stage", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned r1
    stop            -> stopping(before, stop) | hook:before_stop
    kill            -> stopping(signals, kill) down manual | cancel_hook stop_probing kill:r1 persist
    before_stop bad -> -
    exit r1 SIGKILL -> stopped exit=SIGKILL | stop_probing task_exited persist task_killed
  `);
  checkStory(`
    start
    before_start ok
    spawned r1
    stop
    before_stop ok
    kill            -> stopping(signals, kill) | stop_probing kill:r1 persist
    stop            -> stopping(signals, kill) | persist
    exit r1 SIGKILL -> stopped exit=SIGKILL | stop_probing task_exited persist task_killed
  `);
  checkStory(`
    start
    before_start ok
    spawned r1
    stop
    before_stop ok
    exit r1 SIGINT
    kill          -> stopping(after, kill) | persist
    after_stop ok -> stopped | persist task_killed
  `);
});

Deno.test(
  "a failing before_stop hook aborts a stop, which leaves no trace of being wanted",
  PURE,
  () => {
    checkStory(`
    start
    before_start ok
    spawned r1
    after_start ok
    stop            -> stopping(before, stop) | hook:before_stop
    stop            -> -
    before_stop bad -> running(r1, healthy) E400 | hook_failed
    exit r1 1       -> preparing(auto) gen+1 restarts=1 exit=1 E403 | stop_probing task_exited persist auto_restart hook:before_start
  `);
  },
);

Deno.test("a failing before_stop hook aborts a restart", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned r1
    after_start ok
    restart         -> stopping(before, restart, then +0) | persist hook:before_stop
    before_stop bad -> running(r1, healthy) E400 | hook_failed
  `);
});

Deno.test("the hooks of a stop are over when they have passed", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned r1
    stop
    before_stop ok  -> stopping(signals, stop) down manual | stop_probing terminate:r1 persist
    before_stop bad -> -
    before_stop ok  -> -
    stop            -> stopping(signals, stop) | persist
  `);
});

Deno.test("a failing before_stop hook does not abort a shutdown", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned r1
    shutdown        -> stopping(before, shutdown) | hook:before_stop
    before_stop bad -> stopping(signals, shutdown) | hook_failed stop_probing terminate:r1 persist
    exit r1 SIGINT  -> stopping(after, shutdown) exit=SIGINT | stop_probing task_exited persist hook:after_stop
    after_stop bad  -> stopped | hook_failed persist task_stopped
  `);
});

Deno.test("a stop does not soften a shutdown, and is remembered", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned r1
    shutdown
    stop            -> stopping(before, shutdown) down manual | persist
    before_stop bad -> stopping(signals, shutdown) | hook_failed stop_probing terminate:r1 persist
  `);
});

Deno.test("a shutdown makes a stop certain, which is remembered", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned r1
    stop            -> stopping(before, stop) | hook:before_stop
    shutdown        -> stopping(before, shutdown) down manual | persist
    before_stop bad -> stopping(signals, shutdown) | hook_failed stop_probing terminate:r1 persist
    exit r1 SIGINT
    after_stop ok   -> stopped | persist task_stopped
  `);
});

Deno.test(
  "a shutdown does not bring back a stop that a start took back",
  PURE,
  () => {
    for (const begin of ["", "before_stop ok", "before_stop ok \n exit r1 0"]) {
      const { desired, manual } = checkStory(`
      start
      before_start ok
      spawned r1
      stop
      ${begin}
      start
      shutdown
      before_stop ok
      exit r1 0
      after_stop ok -> stopped | persist task_stopped
    `);
      assert.deepEqual({ desired, manual }, { desired: "up", manual: false });
    }
  },
);

Deno.test("a shutdown changes nothing that is wanted", PURE, () => {
  checkStory(`
    shutdown -> -
    start gated
    shutdown -> stopped | persist task_stopped
    start
    shutdown -> stopped gen+1 | cancel_hook persist task_stopped
    start
    before_start ok
    shutdown -> spawning(start, then shutdown) | persist
    unspawned -> stopped | persist task_stopped
  `);
  checkStory(`
    start
    before_start ok
    spawned r1
    restart
    before_stop ok
    shutdown      -> stopping(signals, shutdown) | persist
    exit r1 0
    after_stop ok -> stopped | persist task_stopped
  `);
});

Deno.test(
  "a start during a stop brings the task up again after it",
  PURE,
  () => {
    checkStory(`
    start
    before_start ok
    spawned r1
    stop
    start          -> stopping(before, stop, then +0) | persist
    before_stop ok -> stopping(signals, stop, then +0) | stop_probing terminate:r1 persist
    exit r1 SIGINT -> stopping(after, stop, then +0) exit=SIGINT | stop_probing task_exited persist hook:after_stop
    after_stop ok  -> preparing(restart) gen+1 | hook:before_start
  `);
    checkStory(`
    start
    before_start ok
    spawned r1
    kill
    start           -> stopping(signals, kill, then +0) up auto | persist
    exit r1 SIGKILL -> preparing(restart) gen+1 exit=SIGKILL | stop_probing task_exited hook:before_start
  `);
  },
);

Deno.test(
  "a gated start during a stop waits for its dependencies after it",
  PURE,
  () => {
    checkStory(`
    start
    before_start ok
    spawned r1
    stop
    start gated    -> stopping(before, stop, then wait) | persist
    before_stop ok -> stopping(signals, stop, then wait) | stop_probing terminate:r1 persist
    gate opens     -> -
    exit r1 SIGINT -> stopping(after, stop, then wait) exit=SIGINT | stop_probing task_exited persist hook:after_stop
    after_stop ok  -> waiting | persist
    gate opens     -> preparing(start) gen+1 | hook:before_start
  `);
  },
);

Deno.test("a stop after a start during a stop stays down", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned r1
    stop
    before_stop ok
    start          -> stopping(signals, stop, then +0) up auto | persist
    stop           -> stopping(signals, stop) down manual | persist
    exit r1 SIGINT -> stopping(after, stop) exit=SIGINT | stop_probing task_exited persist hook:after_stop
    start          -> stopping(after, stop, then +0) up auto | persist
    stop           -> stopping(after, stop) down manual | persist
    after_stop ok  -> stopped | persist task_stopped
  `);
});

Deno.test("a restart of a running task goes through all hooks", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned r1
    restart         -> stopping(before, restart, then +0) | persist hook:before_stop
    restart         -> stopping(before, restart, then +0) | persist
    before_stop ok  -> stopping(signals, restart, then +0) | stop_probing terminate:r1 persist
    exit r1 SIGINT  -> stopping(after, restart, then +0) exit=SIGINT | stop_probing task_exited persist hook:after_stop
    after_stop bad  -> preparing(restart) gen+1 | hook_failed hook:before_start
    before_start ok -> spawning(restart) | spawn
    spawned r2      -> running(r2, healthy, unsettled) | task_restarted hook:after_start
  `);
});

Deno.test(
  "a restart starts what is down, whatever brought it down",
  PURE,
  () => {
    for (const before of ["", "stop", "start gated \n gate fails"]) {
      const { phase, desired, manual } = checkStory(`
      ${before}
      restart
    `);
      if (phase.status !== "preparing" || desired !== "up" || manual) {
        throw new Error(`${before}: ${phase.status}`);
      }
    }
  },
);

Deno.test(
  "a changed file starts what crashed, never what was stopped",
  PURE,
  () => {
    checkStory(`
    watch -> -
    start
    before_start bad -> failed E400 | hook_failed persist task_failed
    watch -> preparing(restart) gen+1 no_error | persist hook:before_start
    stop
    watch -> -
  `);
  },
);

Deno.test("a stop during a restart stays down", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned r1
    restart
    stop           -> stopping(before, stop) |
    before_stop ok -> stopping(signals, stop) down manual | stop_probing terminate:r1 persist
    restart        -> stopping(signals, stop, then +0) up auto | persist
    watch          -> -
    exit r1 0      -> stopping(after, stop, then +0) exit=0 | stop_probing task_exited persist hook:after_stop
    stop           -> stopping(after, stop) down manual | persist
    after_stop ok  -> stopped | persist task_stopped
  `);
});

Deno.test(
  "a run that ends during its before_stop hooks is stopped",
  PURE,
  () => {
    checkStory(`
    start
    before_start ok
    spawned r1
    stop
    exit r1 1      -> stopping(after, stop) down manual exit=1 | stop_probing task_exited cancel_hook persist hook:after_stop
    before_stop ok -> -
    after_stop ok  -> stopped | persist task_stopped
  `);
  },
);

Deno.test("the end of another run changes nothing", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned r1
    exit r0 1    -> -
    probe r0 bad -> -
    survived r0  -> -
    stop
    exit r0 1    -> -
    before_stop ok
    exit r1 0
    exit r1 0    -> -
  `);
});

Deno.test("a run that nobody waits for is killed", PURE, () => {
  checkStory(`
    start
    before_start ok
    spawned@0 r9 -> spawning(start) | kill:r9
    unspawned@0  -> -
    spawned r1
    spawned r9   -> running(r1, healthy, unsettled) | kill:r9
    spawned r1   -> -
    stop
    before_stop ok
    exit r1 0
    after_stop ok
    spawned r9   -> stopped | kill:r9
  `);
});

Deno.test(
  "an end that arrives before the spawn's answer is not lost",
  PURE,
  () => {
    checkStory(`
    start
    before_start ok
    exit r9 0  -> spawning(start, ended r9) |
    exit r1 1  -> spawning(start, ended r9, ended r1) |
    spawned r1 -> preparing(auto) gen+1 restarts=1 exit=1 E403 | task_started stop_probing task_exited persist auto_restart hook:before_start
  `);
    checkStory(`
    start
    before_start ok
    exit r1 0
    spawned r1 -> completed exit=0 | task_started stop_probing task_exited persist task_completed
  `);
    checkStory(`
    start
    before_start ok
    stop
    exit r1 0
    spawned r1    -> stopping(after, stop) exit=0 | task_started stop_probing task_exited persist hook:after_stop
    after_stop ok -> stopped | persist task_stopped
  `);
    checkStory(`
    start
    before_start ok
    kill
    exit r1 0
    spawned r1 -> stopped exit=0 | task_started stop_probing task_exited persist task_killed
  `);
  },
);

Deno.test(
  "what survives every signal is told and can be killed again",
  PURE,
  () => {
    checkStory(`
    start
    before_start ok
    spawned r1
    kill
    survived r1     -> stopping(signals, kill) E900 |
    kill            -> stopping(signals, kill) no_error | stop_probing kill:r1 persist
    exit r1 SIGKILL -> stopped exit=SIGKILL | stop_probing task_exited persist task_killed
  `);
  },
);

Deno.test("a run of an earlier controller is adopted", PURE, () => {
  checkStory(`
    adopted r1 5000 -> running(r1, healthy) gen+1 | persist
    adopted r1 5000 -> -
    adopted r2 5000 -> running(r1, healthy) | kill:r2
  `);
  checkStory(
    `
    start
    adopted r1 5000 -> running(r1, starting) gen+1 | cancel_hook persist probe:r1
    before_start@1 ok -> -
    `,
    { spec: PROBED },
  );
  checkStory(`
    start
    before_start ok
    adopted r9 5000 -> spawning(start) | kill:r9
    spawned r1      -> running(r1, healthy, unsettled) | task_started hook:after_start
  `);
});

Deno.test("a stop goes on under the next controller", PURE, () => {
  const stopped = checkStory("stop -> stopped manual | persist");
  checkStory(
    `
    adopted r1 5000 -> stopping(signals, stop) gen+1 | stop_probing terminate:r1 persist
    exit r1 SIGINT  -> stopping(after, stop) exit=SIGINT | stop_probing task_exited persist hook:after_stop
    after_stop ok   -> stopped | persist task_stopped
    `,
    { machine: stopped },
  );
});

Deno.test("probing ends with the run or its stop", PURE, () => {
  checkStory(
    `
    start
    before_start ok
    spawned r1     -> running(r1, starting, unsettled) | task_started probe:r1 hook:after_start
    stop           -> stopping(before, stop) | hook:before_stop
    probe r1 ok    -> -
    before_stop ok -> stopping(signals, stop) down manual | stop_probing terminate:r1 persist
    probe r1 bad   -> -
    `,
    { spec: PROBED },
  );
});
