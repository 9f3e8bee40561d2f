/**
 * The rows of the matrix.
 *
 * @module
 */

import type { FaultScenario } from "./fault_scenario.ts";
import { concurrentStarts, cycles } from "./scenarios/cycles.ts";
import { leaderKilled, stopMatrix } from "./scenarios/descendants.ts";
import { diskFull } from "./scenarios/disk_full.ts";
import { managerKilled } from "./scenarios/manager_killed.ts";
import {
  managerUpgraded,
  stateCorrupted,
} from "./scenarios/manager_replaced.ts";
import { strangers } from "./scenarios/strangers.ts";

/** In order. */
export const SCENARIOS: readonly FaultScenario[] = [
  managerKilled,
  stopMatrix,
  leaderKilled,
  strangers,
  diskFull,
  cycles,
  concurrentStarts,
  managerUpgraded,
  stateCorrupted,
];
