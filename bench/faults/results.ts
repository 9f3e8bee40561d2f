/**
 * What came of each fault the last time it was tried: `bench/faults/results.json`, so that one can be tried again alone.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { readIfThere } from "./fault_scenario.ts";

/** One row as it is kept. */
export interface FaultResult {
  /** When and on what it was tried, in a line. */
  readonly facts: string;
  /** Subject and its version → cell. */
  readonly cells: Readonly<Record<string, string>>;
}

/** By the name of the scenario. */
export type FaultResults = Readonly<Record<string, FaultResult>>;

const PATH = fileURLToPath(new URL("results.json", import.meta.url));

/** What is kept; empty at first. */
export async function readResults(): Promise<FaultResults> {
  const text = await readIfThere(PATH);
  return text === "" ? {} : JSON.parse(text);
}

/** Keeps what is new in the place of what was. @returns All of it. */
export async function keepResults(news: FaultResults): Promise<FaultResults> {
  const results = { ...await readResults(), ...news };
  await Deno.writeTextFile(PATH, JSON.stringify(results, null, 2) + "\n");
  return results;
}
