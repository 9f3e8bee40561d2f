/**
 * The whole transition matrix of a task: every state against every input.
 *
 * A row reads `input -> phase fact fact | effect effect`; facts are told when they change. `then +N` = started again N
 * ms after the stop, `then wait` = once its dependencies allow it. An input that a state does not list must change
 * nothing and want nothing.
 *
 * @module
 */

import assert from "node:assert/strict";
import { step } from "../../../src/domain/step.ts";
import { describeStep } from "./_describe_step.ts";
import { inputsFor, MATRIX_SPEC, STATES } from "./_matrix_axes.ts";

const MATRIX: Readonly<Record<string, string>> = {
  "new": `
    start            -> preparing(start) gen+1 up | persist hook:before_start
    start gated      -> waiting up | persist
    allow            -> stopped | persist
    stop             -> stopped manual | persist
    kill             -> stopped manual | persist
    restart          -> preparing(restart) gen+1 up | persist hook:before_start
    spawned          -> stopped | kill:r2
    spawned r1       -> stopped | kill:r1
    spawned other    -> stopped | kill:r2
    adopted          -> running(r1, starting) gen+1 | persist probe:r1
    adopted other    -> running(r9, starting) gen+1 | persist probe:r9
  `,
  "stopped by hand": `
    start            -> preparing(start) gen+1 up auto | persist hook:before_start
    start gated      -> waiting up auto | persist
    allow            -> stopped auto | persist
    stop             -> stopped | persist
    kill             -> stopped | persist
    restart          -> preparing(restart) gen+1 up auto | persist hook:before_start
    spawned          -> stopped | kill:r2
    spawned r1       -> stopped | kill:r1
    spawned other    -> stopped | kill:r2
    adopted          -> stopping(signals, stop) gen+1 | stop_probing terminate:r1 persist
    adopted other    -> stopping(signals, stop) gen+1 | stop_probing terminate:r9 persist
  `,
  "stopped by shutdown": `
    start            -> preparing(start) gen+1 | persist hook:before_start
    start gated      -> waiting | persist
    allow            -> stopped down | persist
    stop             -> stopped down manual | persist
    kill             -> stopped down manual | persist
    restart          -> preparing(restart) gen+1 | persist hook:before_start
    spawned          -> stopped | kill:r2
    spawned r1       -> stopped | kill:r1
    spawned other    -> stopped | kill:r2
    adopted          -> running(r1, starting) gen+1 | persist probe:r1
    adopted other    -> running(r9, starting) gen+1 | persist probe:r9
  `,
  "completed": `
    start            -> preparing(start) gen+1 | persist hook:before_start
    start gated      -> waiting | persist
    allow            -> completed down | persist
    stop             -> stopped down manual | persist
    kill             -> stopped down manual | persist
    restart          -> preparing(restart) gen+1 | persist hook:before_start
    watch            -> preparing(restart) gen+1 | persist hook:before_start
    spawned          -> completed | kill:r2
    spawned r1       -> completed | kill:r1
    spawned other    -> completed | kill:r2
    adopted          -> running(r1, starting) gen+1 | persist probe:r1
    adopted other    -> running(r9, starting) gen+1 | persist probe:r9
  `,
  "failed": `
    start            -> preparing(start) gen+1 restarts=0 hopeful no_error | persist hook:before_start
    start gated      -> waiting restarts=0 hopeful no_error | persist
    allow            -> stopped down hopeful no_error | persist
    stop             -> stopped down manual | persist
    kill             -> stopped down manual | persist
    restart          -> preparing(restart) gen+1 restarts=0 hopeful no_error | persist hook:before_start
    watch            -> preparing(restart) gen+1 restarts=0 hopeful no_error | persist hook:before_start
    spawned          -> failed | kill:r2
    spawned r1       -> failed | kill:r1
    spawned other    -> failed | kill:r2
    adopted          -> running(r1, starting) gen+1 no_error | persist probe:r1
    adopted other    -> running(r9, starting) gen+1 no_error | persist probe:r9
  `,
  "waiting": `
    start            -> preparing(start) gen+1 | persist hook:before_start
    start gated      -> waiting | persist
    stop             -> stopped down manual | persist task_stopped
    kill             -> stopped down manual | persist task_killed
    shutdown         -> stopped | persist task_stopped
    restart          -> waiting | persist
    watch            -> waiting | persist
    gate opens       -> preparing(start) gen+1 | hook:before_start
    gate fails       -> failed E402 | persist task_failed
    spawned          -> waiting | kill:r2
    spawned r1       -> waiting | kill:r1
    spawned other    -> waiting | kill:r2
    adopted          -> running(r1, starting) gen+1 | persist probe:r1
    adopted other    -> running(r9, starting) gen+1 | persist probe:r9
  `,
  "preparing by hand": `
    start            -> preparing(start) | persist
    start gated      -> preparing(start) | persist
    stop             -> stopped gen+1 down manual | cancel_hook persist task_stopped
    kill             -> stopped gen+1 down manual | cancel_hook persist task_killed
    shutdown         -> stopped gen+1 | cancel_hook persist task_stopped
    restart          -> preparing(start) | persist
    watch            -> preparing(start) | persist
    spawned          -> preparing(start) | kill:r2
    spawned r1       -> preparing(start) | kill:r1
    spawned other    -> preparing(start) | kill:r2
    adopted          -> running(r1, starting) gen+1 | cancel_hook persist probe:r1
    adopted other    -> running(r9, starting) gen+1 | cancel_hook persist probe:r9
    before_start ok  -> spawning(start) | spawn
    before_start bad -> failed E400 | hook_failed persist task_failed
  `,
  "preparing by itself": `
    start            -> preparing(auto) restarts=0 | persist
    start gated      -> preparing(auto) restarts=0 | persist
    stop             -> stopped gen+1 down manual | cancel_hook persist task_stopped
    kill             -> stopped gen+1 down manual | cancel_hook persist task_killed
    shutdown         -> stopped gen+1 | cancel_hook persist task_stopped
    restart          -> preparing(auto) restarts=0 | persist
    watch            -> preparing(auto) | persist
    spawned          -> preparing(auto) | kill:r2
    spawned r1       -> preparing(auto) | kill:r1
    spawned other    -> preparing(auto) | kill:r2
    adopted          -> running(r1, starting) gen+1 | cancel_hook persist probe:r1
    adopted other    -> running(r9, starting) gen+1 | cancel_hook persist probe:r9
    before_start ok  -> spawning(auto) | spawn
    before_start bad -> backoff(+4000) restarts=3 E400 | hook_failed auto_restart_failed persist auto_restart wake:+4000
  `,
  "spawning by hand": `
    start            -> spawning(start) | persist
    start gated      -> spawning(start) | persist
    stop             -> spawning(start, then stop) down manual | persist
    kill             -> spawning(start, then kill) down manual | persist
    shutdown         -> spawning(start, then shutdown) | persist
    restart          -> spawning(start) | persist
    spawned          -> running(r2, starting, unsettled) | task_started probe:r2 hook:after_start
    spawned r1       -> running(r1, starting, unsettled) | task_started probe:r1 hook:after_start
    spawned other    -> spawning(start) | kill:r2
    no spawn         -> failed E403 | persist task_failed
    exit 0           -> spawning(start, ended r1) |
    exit 1           -> spawning(start, ended r1) |
    exit other       -> spawning(start, ended r9) |
    adopted          -> spawning(start) | kill:r1
    adopted other    -> spawning(start) | kill:r9
  `,
  "spawning by itself": `
    start            -> spawning(auto) restarts=0 | persist
    start gated      -> spawning(auto) restarts=0 | persist
    stop             -> spawning(auto, then stop) down manual | persist
    kill             -> spawning(auto, then kill) down manual | persist
    shutdown         -> spawning(auto, then shutdown) | persist
    restart          -> spawning(auto) restarts=0 | persist
    spawned          -> running(r2, starting, unsettled) | task_restarted probe:r2 hook:after_start
    spawned r1       -> running(r1, starting, unsettled) | task_restarted probe:r1 hook:after_start
    spawned other    -> spawning(auto) | kill:r2
    no spawn         -> backoff(+4000) restarts=3 E403 | auto_restart_failed persist auto_restart wake:+4000
    exit 0           -> spawning(auto, ended r1) |
    exit 1           -> spawning(auto, ended r1) |
    exit other       -> spawning(auto, ended r9) |
    adopted          -> spawning(auto) | kill:r1
    adopted other    -> spawning(auto) | kill:r9
  `,
  "spawning, then stop": `
    start            -> spawning(start) up auto | persist
    start gated      -> spawning(start) up auto | persist
    stop             -> spawning(start, then stop) | persist
    kill             -> spawning(start, then kill) | persist
    shutdown         -> spawning(start, then stop) | persist
    restart          -> spawning(start) up auto | persist
    spawned          -> stopping(signals, stop) | task_started stop_probing terminate:r2 persist
    spawned r1       -> stopping(signals, stop) | task_started stop_probing terminate:r1 persist
    spawned other    -> spawning(start, then stop) | kill:r2
    no spawn         -> stopped | persist task_stopped
    exit 0           -> spawning(start, then stop, ended r1) |
    exit 1           -> spawning(start, then stop, ended r1) |
    exit other       -> spawning(start, then stop, ended r9) |
    adopted          -> spawning(start, then stop) | kill:r1
    adopted other    -> spawning(start, then stop) | kill:r9
  `,
  "spawning, then kill": `
    start            -> spawning(start) up auto | persist
    start gated      -> spawning(start) up auto | persist
    stop             -> spawning(start, then kill) | persist
    kill             -> spawning(start, then kill) | persist
    shutdown         -> spawning(start, then kill) | persist
    restart          -> spawning(start) up auto | persist
    spawned          -> stopping(signals, kill) | task_started stop_probing kill:r2 persist
    spawned r1       -> stopping(signals, kill) | task_started stop_probing kill:r1 persist
    spawned other    -> spawning(start, then kill) | kill:r2
    no spawn         -> stopped | persist task_killed
    exit 0           -> spawning(start, then kill, ended r1) |
    exit 1           -> spawning(start, then kill, ended r1) |
    exit other       -> spawning(start, then kill, ended r9) |
    adopted          -> spawning(start, then kill) | kill:r1
    adopted other    -> spawning(start, then kill) | kill:r9
  `,
  "spawning, then shutdown": `
    start            -> spawning(start) | persist
    start gated      -> spawning(start) | persist
    stop             -> spawning(start, then shutdown) down manual | persist
    kill             -> spawning(start, then kill) down manual | persist
    shutdown         -> spawning(start, then shutdown) | persist
    restart          -> spawning(start) | persist
    spawned          -> stopping(signals, shutdown) | task_started stop_probing terminate:r2 persist
    spawned r1       -> stopping(signals, shutdown) | task_started stop_probing terminate:r1 persist
    spawned other    -> spawning(start, then shutdown) | kill:r2
    no spawn         -> stopped | persist task_stopped
    exit 0           -> spawning(start, then shutdown, ended r1) |
    exit 1           -> spawning(start, then shutdown, ended r1) |
    exit other       -> spawning(start, then shutdown, ended r9) |
    adopted          -> spawning(start, then shutdown) | kill:r1
    adopted other    -> spawning(start, then shutdown) | kill:r9
  `,
  "spawning, over already": `
    start            -> spawning(start, ended r9, ended r2) | persist
    start gated      -> spawning(start, ended r9, ended r2) | persist
    stop             -> spawning(start, then stop, ended r9, ended r2) down manual | persist
    kill             -> spawning(start, then kill, ended r9, ended r2) down manual | persist
    shutdown         -> spawning(start, then shutdown, ended r9, ended r2) | persist
    restart          -> spawning(start, ended r9, ended r2) | persist
    spawned          -> preparing(auto) gen+1 restarts=1 exit=1 E403 | task_started stop_probing task_exited persist auto_restart hook:before_start
    spawned r1       -> running(r1, starting, unsettled) | task_started probe:r1 hook:after_start
    spawned other    -> spawning(start, ended r9, ended r2) | kill:r2
    no spawn         -> failed E403 | persist task_failed
    exit 0           -> spawning(start, ended r9, ended r2, ended r1) |
    exit 1           -> spawning(start, ended r9, ended r2, ended r1) |
    exit other       -> spawning(start, ended r9, ended r2, ended r9) |
    adopted          -> spawning(start, ended r9, ended r2) | kill:r1
    adopted other    -> spawning(start, ended r9, ended r2) | kill:r9
  `,
  "spawning, then stop, over already": `
    start            -> spawning(start, ended r2) up auto | persist
    start gated      -> spawning(start, ended r2) up auto | persist
    stop             -> spawning(start, then stop, ended r2) | persist
    kill             -> spawning(start, then kill, ended r2) | persist
    shutdown         -> spawning(start, then stop, ended r2) | persist
    restart          -> spawning(start, ended r2) up auto | persist
    spawned          -> stopping(after, stop) exit=0 | task_started stop_probing task_exited persist hook:after_stop
    spawned r1       -> stopping(signals, stop) | task_started stop_probing terminate:r1 persist
    spawned other    -> spawning(start, then stop, ended r2) | kill:r2
    no spawn         -> stopped | persist task_stopped
    exit 0           -> spawning(start, then stop, ended r2, ended r1) |
    exit 1           -> spawning(start, then stop, ended r2, ended r1) |
    exit other       -> spawning(start, then stop, ended r2, ended r9) |
    adopted          -> spawning(start, then stop, ended r2) | kill:r1
    adopted other    -> spawning(start, then stop, ended r2) | kill:r9
  `,
  "running": `
    start            -> running(r1, unhealthy, 2 failed) restarts=0 | persist
    start gated      -> running(r1, unhealthy, 2 failed) restarts=0 | persist
    stop             -> stopping(before, stop) | hook:before_stop
    kill             -> stopping(signals, kill) down manual | stop_probing kill:r1 persist
    shutdown         -> stopping(before, shutdown) | hook:before_stop
    restart          -> stopping(before, restart, then +0) restarts=0 | persist hook:before_stop
    watch            -> stopping(before, restart, then +0) | hook:before_stop
    spawned          -> running(r1, unhealthy, 2 failed) | kill:r2
    spawned other    -> running(r1, unhealthy, 2 failed) | kill:r2
    exit 0           -> completed exit=0 | stop_probing task_exited persist task_completed
    exit 1           -> backoff(+4000) restarts=3 exit=1 E403 | stop_probing task_exited persist auto_restart wake:+4000
    probe ok         -> running(r1, healthy) | task_healthy wake:+60000
    probe bad        -> stopping(signals, auto, then +4000) restarts=3 | health_check_failed task_unhealthy auto_restart stop_probing terminate:r1 persist
    survived         -> running(r1, unhealthy, 2 failed) E900 |
    lost             -> stopping(signals, lost) | stop_probing
    adopted other    -> running(r1, unhealthy, 2 failed) | kill:r9
    after_start bad  -> running(r1, unhealthy, 2 failed) E400 | hook_failed
  `,
  "running, unsettled": `
    start            -> running(r1, unhealthy, 2 failed, unsettled) | persist
    start gated      -> running(r1, unhealthy, 2 failed, unsettled) | persist
    stop             -> stopping(before, stop) | hook:before_stop
    kill             -> stopping(signals, kill) down manual | stop_probing kill:r1 persist
    shutdown         -> stopping(before, shutdown) | hook:before_stop
    restart          -> stopping(before, restart, then +0) | persist hook:before_stop
    watch            -> stopping(before, restart, then +0) | hook:before_stop
    spawned          -> running(r1, unhealthy, 2 failed, unsettled) | kill:r2
    spawned other    -> running(r1, unhealthy, 2 failed, unsettled) | kill:r2
    exit 0           -> completed exit=0 | stop_probing task_exited persist task_completed
    exit 1           -> preparing(auto) gen+1 restarts=1 exit=1 E403 | stop_probing task_exited persist auto_restart hook:before_start
    probe ok         -> running(r1, healthy, unsettled) | task_healthy
    probe bad        -> stopping(signals, auto, then +0) restarts=1 | health_check_failed task_unhealthy auto_restart stop_probing terminate:r1 persist
    survived         -> running(r1, unhealthy, 2 failed, unsettled) E900 |
    lost             -> stopping(signals, lost) | stop_probing
    adopted other    -> running(r1, unhealthy, 2 failed, unsettled) | kill:r9
    after_start ok   -> running(r1, unhealthy, 2 failed) |
    after_start bad  -> running(r1, unhealthy, 2 failed) E400 | hook_failed
  `,
  "running, long healthy": `
    start            -> running(r1, healthy) restarts=0 | persist
    start gated      -> running(r1, healthy) restarts=0 | persist
    stop             -> stopping(before, stop) | hook:before_stop
    kill             -> stopping(signals, kill) down manual | stop_probing kill:r1 persist
    shutdown         -> stopping(before, shutdown) | hook:before_stop
    restart          -> stopping(before, restart, then +0) restarts=0 | persist hook:before_stop
    watch            -> stopping(before, restart, then +0) | hook:before_stop
    spawned          -> running(r1, healthy) | kill:r2
    spawned other    -> running(r1, healthy) | kill:r2
    exit 0           -> completed restarts=0 exit=0 | stop_probing task_exited persist task_completed
    exit 1           -> preparing(auto) gen+1 restarts=1 exit=1 E403 | stop_probing task_exited persist auto_restart hook:before_start
    probe ok         -> running(r1, healthy) restarts=0 | persist
    probe bad        -> running(r1, unhealthy, 1 failed) | health_check_failed
    survived         -> running(r1, healthy) E900 |
    lost             -> stopping(signals, lost) | stop_probing
    wake early       -> running(r1, healthy) restarts=0 | persist
    wake             -> running(r1, healthy) restarts=0 | persist
    adopted other    -> running(r1, healthy) | kill:r9
    after_start bad  -> running(r1, healthy) E400 | hook_failed
  `,
  "running, gave up": `
    start            -> running(r1, unhealthy, 3 failed) restarts=0 hopeful | persist
    start gated      -> running(r1, unhealthy, 3 failed) restarts=0 hopeful | persist
    stop             -> stopping(before, stop) | hook:before_stop
    kill             -> stopping(signals, kill) down manual | stop_probing kill:r1 persist
    shutdown         -> stopping(before, shutdown) | hook:before_stop
    restart          -> stopping(before, restart, then +0) restarts=0 hopeful | persist hook:before_stop
    watch            -> stopping(before, restart, then +0) | hook:before_stop
    spawned          -> running(r1, unhealthy, 3 failed) | kill:r2
    spawned other    -> running(r1, unhealthy, 3 failed) | kill:r2
    exit 0           -> completed exit=0 | stop_probing task_exited persist task_completed
    exit 1           -> failed exit=1 E403 | stop_probing task_exited persist max_restarts_reached
    probe ok         -> running(r1, healthy) | task_healthy wake:+60000
    probe bad        -> running(r1, unhealthy, 4 failed) |
    survived         -> running(r1, unhealthy, 3 failed) E900 |
    lost             -> stopping(signals, lost) | stop_probing
    adopted other    -> running(r1, unhealthy, 3 failed) | kill:r9
    after_start bad  -> running(r1, unhealthy, 3 failed) E400 | hook_failed
  `,
  "running, still unhealthy in a new series": `
    start            -> running(r1, unhealthy, 3 failed) | persist
    start gated      -> running(r1, unhealthy, 3 failed) | persist
    stop             -> stopping(before, stop) | hook:before_stop
    kill             -> stopping(signals, kill) down manual | stop_probing kill:r1 persist
    shutdown         -> stopping(before, shutdown) | hook:before_stop
    restart          -> stopping(before, restart, then +0) | persist hook:before_stop
    watch            -> stopping(before, restart, then +0) | hook:before_stop
    spawned          -> running(r1, unhealthy, 3 failed) | kill:r2
    spawned other    -> running(r1, unhealthy, 3 failed) | kill:r2
    exit 0           -> completed exit=0 | stop_probing task_exited persist task_completed
    exit 1           -> preparing(auto) gen+1 restarts=1 exit=1 E403 | stop_probing task_exited persist auto_restart hook:before_start
    probe ok         -> running(r1, healthy) | task_healthy
    probe bad        -> stopping(signals, auto, then +0) restarts=1 | auto_restart stop_probing terminate:r1 persist
    survived         -> running(r1, unhealthy, 3 failed) E900 |
    lost             -> stopping(signals, lost) | stop_probing
    adopted other    -> running(r1, unhealthy, 3 failed) | kill:r9
    after_start bad  -> running(r1, unhealthy, 3 failed) E400 | hook_failed
  `,
  "before a stop": `
    start            -> stopping(before, stop, then +0) | persist
    start gated      -> stopping(before, stop, then wait) | persist
    kill             -> stopping(signals, kill) down manual | cancel_hook stop_probing kill:r1 persist
    shutdown         -> stopping(before, shutdown) down manual | persist
    restart          -> stopping(before, stop, then +0) | persist
    spawned          -> stopping(before, stop) | kill:r2
    spawned other    -> stopping(before, stop) | kill:r2
    exit 0           -> stopping(after, stop) down manual exit=0 | stop_probing task_exited cancel_hook persist hook:after_stop
    exit 1           -> stopping(after, stop) down manual exit=1 | stop_probing task_exited cancel_hook persist hook:after_stop
    survived         -> stopping(before, stop) E900 |
    adopted other    -> stopping(before, stop) | kill:r9
    before_stop ok   -> stopping(signals, stop) down manual | stop_probing terminate:r1 persist
    before_stop bad  -> running(r1, unhealthy, 2 failed) E400 | hook_failed
  `,
  "before a stop taken back": `
    start            -> stopping(before, stop, then +0) | persist
    start gated      -> stopping(before, stop, then wait) | persist
    stop             -> stopping(before, stop) |
    kill             -> stopping(signals, kill) down manual | cancel_hook stop_probing kill:r1 persist
    shutdown         -> stopping(before, shutdown) |
    restart          -> stopping(before, stop, then +0) | persist
    spawned          -> stopping(before, stop, then +0) | kill:r2
    spawned other    -> stopping(before, stop, then +0) | kill:r2
    exit 0           -> stopping(after, stop, then +0) exit=0 | stop_probing task_exited cancel_hook persist hook:after_stop
    exit 1           -> stopping(after, stop, then +0) exit=1 | stop_probing task_exited cancel_hook persist hook:after_stop
    survived         -> stopping(before, stop, then +0) E900 |
    adopted other    -> stopping(before, stop, then +0) | kill:r9
    before_stop ok   -> stopping(signals, stop, then +0) | stop_probing terminate:r1 persist
    before_stop bad  -> running(r1, unhealthy, 2 failed) E400 | hook_failed
  `,
  "before a restart": `
    start            -> stopping(before, restart, then +0) | persist
    start gated      -> stopping(before, restart, then wait) | persist
    stop             -> stopping(before, stop) |
    kill             -> stopping(signals, kill) down manual | cancel_hook stop_probing kill:r1 persist
    shutdown         -> stopping(before, shutdown) |
    restart          -> stopping(before, restart, then +0) | persist
    spawned          -> stopping(before, restart, then +0) | kill:r2
    spawned other    -> stopping(before, restart, then +0) | kill:r2
    exit 0           -> stopping(after, restart, then +0) exit=0 | stop_probing task_exited cancel_hook persist hook:after_stop
    exit 1           -> stopping(after, restart, then +0) exit=1 | stop_probing task_exited cancel_hook persist hook:after_stop
    survived         -> stopping(before, restart, then +0) E900 |
    adopted other    -> stopping(before, restart, then +0) | kill:r9
    before_stop ok   -> stopping(signals, restart, then +0) | stop_probing terminate:r1 persist
    before_stop bad  -> running(r1, unhealthy, 2 failed) E400 | hook_failed
  `,
  "before a shutdown": `
    start            -> stopping(before, shutdown, then +0) | persist
    start gated      -> stopping(before, shutdown, then wait) | persist
    stop             -> stopping(before, shutdown) down manual | persist
    kill             -> stopping(signals, kill) down manual | cancel_hook stop_probing kill:r1 persist
    restart          -> stopping(before, shutdown, then +0) | persist
    spawned          -> stopping(before, shutdown) | kill:r2
    spawned other    -> stopping(before, shutdown) | kill:r2
    exit 0           -> stopping(after, shutdown) exit=0 | stop_probing task_exited cancel_hook persist hook:after_stop
    exit 1           -> stopping(after, shutdown) exit=1 | stop_probing task_exited cancel_hook persist hook:after_stop
    survived         -> stopping(before, shutdown) E900 |
    adopted other    -> stopping(before, shutdown) | kill:r9
    before_stop ok   -> stopping(signals, shutdown) | stop_probing terminate:r1 persist
    before_stop bad  -> stopping(signals, shutdown) | hook_failed stop_probing terminate:r1 persist
  `,
  "signals of a stop": `
    start            -> stopping(signals, stop, then +0) up auto | persist
    start gated      -> stopping(signals, stop, then wait) up auto | persist
    stop             -> stopping(signals, stop) | persist
    kill             -> stopping(signals, kill) | stop_probing kill:r1 persist
    shutdown         -> stopping(signals, stop) | persist
    restart          -> stopping(signals, stop, then +0) up auto | persist
    spawned          -> stopping(signals, stop) | kill:r2
    spawned other    -> stopping(signals, stop) | kill:r2
    exit 0           -> stopping(after, stop) exit=0 | stop_probing task_exited persist hook:after_stop
    exit 1           -> stopping(after, stop) exit=1 | stop_probing task_exited persist hook:after_stop
    survived         -> stopping(signals, stop) E900 |
    adopted other    -> stopping(signals, stop) | kill:r9
  `,
  "signals of a stop that failed": `
    start            -> stopping(signals, restart, then +0) up auto no_error | stop_probing terminate:r1 persist
    start gated      -> stopping(signals, restart, then wait) up auto no_error | stop_probing terminate:r1 persist
    stop             -> stopping(signals, stop) no_error | stop_probing terminate:r1 persist
    kill             -> stopping(signals, kill) no_error | stop_probing kill:r1 persist
    shutdown         -> stopping(signals, shutdown) no_error | stop_probing terminate:r1 persist
    restart          -> stopping(signals, restart, then +0) up auto no_error | stop_probing terminate:r1 persist
    spawned          -> stopping(signals, stop) | kill:r2
    spawned other    -> stopping(signals, stop) | kill:r2
    exit 0           -> stopping(after, stop) exit=0 | stop_probing task_exited persist hook:after_stop
    exit 1           -> stopping(after, stop) exit=1 | stop_probing task_exited persist hook:after_stop
    adopted other    -> stopping(signals, stop) | kill:r9
  `,
  "signals of a stop taken back": `
    start            -> stopping(signals, stop, then +0) | persist
    start gated      -> stopping(signals, stop, then wait) | persist
    stop             -> stopping(signals, stop) down manual | persist
    kill             -> stopping(signals, kill) down manual | stop_probing kill:r1 persist
    shutdown         -> stopping(signals, shutdown) | persist
    restart          -> stopping(signals, stop, then +0) | persist
    spawned          -> stopping(signals, stop, then +0) | kill:r2
    spawned other    -> stopping(signals, stop, then +0) | kill:r2
    exit 0           -> stopping(after, stop, then +0) exit=0 | stop_probing task_exited persist hook:after_stop
    exit 1           -> stopping(after, stop, then +0) exit=1 | stop_probing task_exited persist hook:after_stop
    survived         -> stopping(signals, stop, then +0) E900 |
    adopted other    -> stopping(signals, stop, then +0) | kill:r9
  `,
  "signals of a kill": `
    start            -> stopping(signals, kill, then +0) up auto | persist
    start gated      -> stopping(signals, kill, then wait) up auto | persist
    stop             -> stopping(signals, kill) | persist
    kill             -> stopping(signals, kill) | stop_probing kill:r1 persist
    shutdown         -> stopping(signals, kill) | persist
    restart          -> stopping(signals, kill, then +0) up auto | persist
    spawned          -> stopping(signals, kill) | kill:r2
    spawned other    -> stopping(signals, kill) | kill:r2
    exit 0           -> stopped exit=0 | stop_probing task_exited persist task_killed
    exit 1           -> stopped exit=1 | stop_probing task_exited persist task_killed
    survived         -> stopping(signals, kill) E900 |
    adopted other    -> stopping(signals, kill) | kill:r9
  `,
  "signals of a kill taken back": `
    start            -> stopping(signals, kill, then +0) | persist
    start gated      -> stopping(signals, kill, then wait) | persist
    stop             -> stopping(signals, stop) down manual | persist
    kill             -> stopping(signals, kill) down manual | stop_probing kill:r1 persist
    shutdown         -> stopping(signals, shutdown) | persist
    restart          -> stopping(signals, kill, then +0) | persist
    spawned          -> stopping(signals, kill, then +0) | kill:r2
    spawned other    -> stopping(signals, kill, then +0) | kill:r2
    exit 0           -> preparing(restart) gen+1 exit=0 | stop_probing task_exited hook:before_start
    exit 1           -> preparing(restart) gen+1 exit=1 | stop_probing task_exited hook:before_start
    survived         -> stopping(signals, kill, then +0) E900 |
    adopted other    -> stopping(signals, kill, then +0) | kill:r9
  `,
  "signals of a restart": `
    start            -> stopping(signals, restart, then +0) | persist
    start gated      -> stopping(signals, restart, then wait) | persist
    stop             -> stopping(signals, stop) down manual | persist
    kill             -> stopping(signals, kill) down manual | stop_probing kill:r1 persist
    shutdown         -> stopping(signals, shutdown) | persist
    restart          -> stopping(signals, restart, then +0) | persist
    spawned          -> stopping(signals, restart, then +0) | kill:r2
    spawned other    -> stopping(signals, restart, then +0) | kill:r2
    exit 0           -> stopping(after, restart, then +0) exit=0 | stop_probing task_exited persist hook:after_stop
    exit 1           -> stopping(after, restart, then +0) exit=1 | stop_probing task_exited persist hook:after_stop
    survived         -> stopping(signals, restart, then +0) E900 |
    adopted other    -> stopping(signals, restart, then +0) | kill:r9
  `,
  "signals of an unhealthy run": `
    start            -> stopping(signals, auto, then +0) restarts=0 | persist
    start gated      -> stopping(signals, auto, then wait) restarts=0 | persist
    stop             -> stopping(signals, stop) down manual | persist
    kill             -> stopping(signals, kill) down manual | stop_probing kill:r1 persist
    shutdown         -> stopping(signals, shutdown) | persist
    restart          -> stopping(signals, auto, then +0) restarts=0 | persist
    spawned          -> stopping(signals, auto, then +4000) | kill:r2
    spawned other    -> stopping(signals, auto, then +4000) | kill:r2
    exit 0           -> stopping(after, auto, then +4000) exit=0 | stop_probing task_exited persist hook:after_stop
    exit 1           -> stopping(after, auto, then +4000) exit=1 | stop_probing task_exited persist hook:after_stop
    survived         -> stopping(signals, auto, then +4000) E900 |
    adopted other    -> stopping(signals, auto, then +4000) | kill:r9
  `,
  "signals of a shutdown": `
    start            -> stopping(signals, shutdown, then +0) | persist
    start gated      -> stopping(signals, shutdown, then wait) | persist
    stop             -> stopping(signals, shutdown) down manual | persist
    kill             -> stopping(signals, kill) down manual | stop_probing kill:r1 persist
    shutdown         -> stopping(signals, shutdown) | persist
    restart          -> stopping(signals, shutdown, then +0) | persist
    spawned          -> stopping(signals, shutdown) | kill:r2
    spawned other    -> stopping(signals, shutdown) | kill:r2
    exit 0           -> stopping(after, shutdown) exit=0 | stop_probing task_exited persist hook:after_stop
    exit 1           -> stopping(after, shutdown) exit=1 | stop_probing task_exited persist hook:after_stop
    survived         -> stopping(signals, shutdown) E900 |
    adopted other    -> stopping(signals, shutdown) | kill:r9
  `,
  "lost with its keeper": `
    start            -> stopping(signals, restart, then +0) restarts=0 | stop_probing terminate:r1 persist
    start gated      -> stopping(signals, restart, then wait) restarts=0 | stop_probing terminate:r1 persist
    stop             -> stopping(signals, stop) down manual | stop_probing terminate:r1 persist
    kill             -> stopping(signals, kill) down manual | stop_probing kill:r1 persist
    shutdown         -> stopping(signals, shutdown) | stop_probing terminate:r1 persist
    restart          -> stopping(signals, restart, then +0) restarts=0 | stop_probing terminate:r1 persist
    spawned          -> stopping(signals, lost) | kill:r2
    spawned other    -> stopping(signals, lost) | kill:r2
    exit 0           -> completed exit=0 | stop_probing task_exited persist task_completed
    exit 1           -> backoff(+4000) restarts=3 exit=1 E403 | stop_probing task_exited persist auto_restart wake:+4000
    survived         -> stopping(signals, lost) E900 |
    adopted other    -> stopping(signals, lost) | kill:r9
  `,
  "after a stop": `
    start            -> stopping(after, stop, then +0) up auto | persist
    start gated      -> stopping(after, stop, then wait) up auto | persist
    stop             -> stopping(after, stop) | persist
    kill             -> stopping(after, kill) | persist
    shutdown         -> stopping(after, stop) | persist
    restart          -> stopping(after, stop, then +0) up auto | persist
    spawned          -> stopping(after, stop) | kill:r2
    spawned other    -> stopping(after, stop) | kill:r2
    survived         -> stopping(after, stop) E900 |
    adopted other    -> stopping(after, stop) | kill:r9
    after_stop ok    -> stopped | persist task_stopped
    after_stop bad   -> stopped | hook_failed persist task_stopped
  `,
  "after a stop, gated start": `
    start            -> stopping(after, stop, then +0) | persist
    start gated      -> stopping(after, stop, then wait) | persist
    stop             -> stopping(after, stop) down manual | persist
    kill             -> stopping(after, kill) down manual | persist
    shutdown         -> stopping(after, shutdown) | persist
    restart          -> stopping(after, stop, then +0) | persist
    spawned          -> stopping(after, stop, then wait) | kill:r2
    spawned other    -> stopping(after, stop, then wait) | kill:r2
    survived         -> stopping(after, stop, then wait) E900 |
    adopted other    -> stopping(after, stop, then wait) | kill:r9
    after_stop ok    -> waiting | persist
    after_stop bad   -> waiting | hook_failed persist
  `,
  "after a restart": `
    start            -> stopping(after, restart, then +0) | persist
    start gated      -> stopping(after, restart, then wait) | persist
    stop             -> stopping(after, stop) down manual | persist
    kill             -> stopping(after, kill) down manual | persist
    shutdown         -> stopping(after, shutdown) | persist
    restart          -> stopping(after, restart, then +0) | persist
    spawned          -> stopping(after, restart, then +0) | kill:r2
    spawned other    -> stopping(after, restart, then +0) | kill:r2
    survived         -> stopping(after, restart, then +0) E900 |
    adopted other    -> stopping(after, restart, then +0) | kill:r9
    after_stop ok    -> preparing(restart) gen+1 | hook:before_start
    after_stop bad   -> preparing(restart) gen+1 | hook_failed hook:before_start
  `,
  "after an unhealthy run": `
    start            -> stopping(after, auto, then +0) restarts=0 | persist
    start gated      -> stopping(after, auto, then wait) restarts=0 | persist
    stop             -> stopping(after, stop) down manual | persist
    kill             -> stopping(after, kill) down manual | persist
    shutdown         -> stopping(after, shutdown) | persist
    restart          -> stopping(after, auto, then +0) restarts=0 | persist
    spawned          -> stopping(after, auto, then +4000) | kill:r2
    spawned other    -> stopping(after, auto, then +4000) | kill:r2
    survived         -> stopping(after, auto, then +4000) E900 |
    adopted other    -> stopping(after, auto, then +4000) | kill:r9
    after_stop ok    -> backoff(+4000) | wake:+4000
    after_stop bad   -> backoff(+4000) | hook_failed wake:+4000
  `,
  "after a shutdown": `
    start            -> stopping(after, shutdown, then +0) | persist
    start gated      -> stopping(after, shutdown, then wait) | persist
    stop             -> stopping(after, shutdown) down manual | persist
    kill             -> stopping(after, kill) down manual | persist
    shutdown         -> stopping(after, shutdown) | persist
    restart          -> stopping(after, shutdown, then +0) | persist
    spawned          -> stopping(after, shutdown) | kill:r2
    spawned other    -> stopping(after, shutdown) | kill:r2
    survived         -> stopping(after, shutdown) E900 |
    adopted other    -> stopping(after, shutdown) | kill:r9
    after_stop ok    -> stopped | persist task_stopped
    after_stop bad   -> stopped | hook_failed persist task_stopped
  `,
  "backoff": `
    start            -> preparing(start) gen+1 restarts=0 no_error | persist hook:before_start
    start gated      -> waiting restarts=0 no_error | persist
    stop             -> stopped down manual | persist task_stopped
    kill             -> stopped down manual | persist task_killed
    shutdown         -> stopped | persist task_stopped
    restart          -> preparing(restart) gen+1 restarts=0 no_error | persist hook:before_start
    watch            -> preparing(restart) gen+1 restarts=0 no_error | persist hook:before_start
    spawned          -> backoff(+2000) | kill:r2
    spawned r1       -> backoff(+2000) | kill:r1
    spawned other    -> backoff(+2000) | kill:r2
    wake early       -> backoff(+1) | wake:+1
    wake             -> preparing(auto) gen+1 | hook:before_start
    adopted          -> running(r1, starting) gen+1 no_error | persist probe:r1
    adopted other    -> running(r9, starting) gen+1 no_error | persist probe:r9
  `,
};

function parseRows(table: string): Map<string, string> {
  const rows = table.split("\n").map((line) => line.trim()).filter(Boolean);
  return new Map(rows.map((row) => {
    const [input, expected] = row.split(/\s*->\s*/);
    return [input, expected] as [string, string];
  }));
}

Deno.test("the matrix has a table for every state", {
  permissions: "none",
}, () => {
  assert.deepEqual(Object.keys(MATRIX), Object.keys(STATES));
});

for (const [name, before] of Object.entries(STATES)) {
  Deno.test(`step() of a task that is ${name} is as the matrix says`, {
    permissions: "none",
  }, () => {
    const expected = parseRows(MATRIX[name] ?? "");
    const inputs = inputsFor(before.generation);
    for (const input of expected.keys()) {
      assert.ok(Object.hasOwn(inputs, input), `no input is called "${input}"`);
    }
    for (const [key, input] of Object.entries(inputs)) {
      const actual = describeStep(
        { spec: MATRIX_SPEC, before, now: input.now },
        step(MATRIX_SPEC, before, input),
      );
      assert.equal(actual, expected.get(key) ?? "-", `${name} + ${key}`);
    }
  });
}
