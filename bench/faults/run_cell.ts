/**
 * Tries one scenario on one subject and prints the cell: `run_cell.ts SCENARIO SUBJECT`. Started by `namespace.ts`.
 *
 * @module
 */

import { CELL_MARK } from "./namespace.ts";
import { SCENARIOS } from "./scenarios.ts";
import { findFaultSubjects } from "./subjects.ts";

const [name, subjectName] = Deno.args;
const scenario = SCENARIOS.find((each) => each.name === name);
const { subjects } = findFaultSubjects(Deno.env.toObject());
const subject = subjects.find((each) => each.name === subjectName);
if (scenario === undefined || subject === undefined) {
  throw new Error(`Cannot try ${name} on ${subjectName}: one is not there`);
}
const cell = await scenario.run(subject, new AbortController().signal);
console.log(`${CELL_MARK}${cell.replaceAll("\n", " ")}`);
Deno.exit(0);
