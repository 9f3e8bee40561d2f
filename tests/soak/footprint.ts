/**
 * What a process holds on to, and whether that has grown.
 *
 * @module
 */

import { descriptorsOf, memoryOf } from "../support/processes.ts";

/** See the module. */
export interface Footprint {
  readonly name: string;
  readonly memoryMb: number;
  readonly descriptors: number;
}

/** Caches and collectors may hold on to so much more than at first. */
const SLACK_MB = 40;

/** Connections and logs of the moment. */
const SLACK_DESCRIPTORS = 12;

/** Looks into a process. Linux only. */
export function footprintOf(name: string, pid: number): Footprint {
  return {
    name,
    memoryMb: memoryOf(pid) / 2 ** 20,
    descriptors: descriptorsOf(pid).length,
  };
}

/**
 * Compares the last quarter with the second one; the first is for warming up. The least of the one is held against the
 * most of the other, so that peaks do not count.
 *
 * @param looks Each at the same processes, in the same order.
 * @returns What has grown; nothing if there are too few looks to tell.
 */
export function growthOf(looks: readonly (readonly Footprint[])[]): string[] {
  const quarter = Math.floor(looks.length / 4);
  if (quarter === 0) return [];
  const early = looks.slice(quarter, 2 * quarter);
  const late = looks.slice(-quarter);
  return (looks[0] ?? []).flatMap(({ name }, place) => {
    const most = (key: "memoryMb" | "descriptors"): number =>
      Math.max(...early.map((look) => look[place]?.[key] ?? NaN));
    const least = (key: "memoryMb" | "descriptors"): number =>
      Math.min(...late.map((look) => look[place]?.[key] ?? NaN));
    return [
      ...(least("memoryMb") > most("memoryMb") + SLACK_MB
        ? [`${name} grew from ${most("memoryMb")} to ${least("memoryMb")} MB`]
        : []),
      ...(least("descriptors") > most("descriptors") + SLACK_DESCRIPTORS
        ? [
          `${name} grew from ${most("descriptors")} to ${
            least("descriptors")
          } descriptors`,
        ]
        : []),
    ];
  });
}
