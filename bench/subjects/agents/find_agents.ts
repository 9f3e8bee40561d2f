/**
 * What is here of the managers that offer agents something.
 *
 * @module
 */

import type { BenchContext } from "../../harness/scenario.ts";
import { findProgram } from "../find_subjects.ts";
import type { AgentSubject } from "./agent_subject.ts";
import { pitchforkAgent } from "./pitchfork_agent.ts";
import { processComposeAgent } from "./process_compose_agent.ts";
import { pythonAgent } from "./python_agent.ts";
import { taskmuxAgent } from "./taskmux_agent.ts";

const KNOWN = {
  "Python taskmux": ["taskmux-py", pythonAgent],
  "process-compose": ["process-compose", processComposeAgent],
  pitchfork: ["pitchfork", pitchforkAgent],
} as const;

/** taskmux first, then those of the peers that were found; without them if the measurement is to be quick. */
export function agentSubjects({ peers }: BenchContext): AgentSubject[] {
  const env = Deno.env.toObject();
  return [
    taskmuxAgent(),
    ...Object.entries(KNOWN).flatMap(([name, [program, make]]) => {
      const path = findProgram(program, env);
      const peer = peers.find((each) => each.name === name);
      return path === null || peer === undefined
        ? []
        : [make(path, peer.version)];
    }),
  ];
}
