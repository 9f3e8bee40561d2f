/**
 * `taskmux who`
 *
 * @module
 */

import { TaskmuxError } from "../../domain/error.ts";
import { EXIT } from "../../domain/error_codes.ts";
import { command } from "../command.ts";
import { askOrRead } from "../daemon_access.ts";
import { portLines } from "../render/port.ts";

const MAX_PORT = 65_535;

/** Tells who holds a port. */
export const who = command({
  usage: "PORT",
  about: "Tells which process listens on a TCP port of this machine, which " +
    "task of which project it belongs to,\nand which task the port is kept " +
    "for. Ends nobody, starts nothing, works in any folder.",
  options: {},
  positionals: { min: 1, max: 1 },
  examples: [
    ["taskmux who 3000", "See who is in the way"],
    ["taskmux who 3000 --json", "The same for a program"],
  ],
  async run(context, { positionals: [word = ""] }) {
    const port = portNumber(word);
    const result = await askOrRead(
      context,
      ["port.who", { port }],
      async () => {
        const { readPort } = await import("../../offline/port.ts");
        return await readPort(context, port);
      },
    );
    const { output } = context;
    await output.answer(result, () => portLines(result, output));
    return EXIT.ok;
  },
});

function portNumber(word: string): number {
  const port = /^\d{1,5}$/.test(word) ? Number(word) : 0;
  if (port >= 1 && port <= MAX_PORT) return port;
  throw new TaskmuxError(
    "E500",
    `Cannot look at port "${word}": it must be a number from 1 to ${MAX_PORT}`,
    { hint: "taskmux who 3000", details: { value: word } },
  );
}
