/**
 * What the answers to an agent's everyday questions cost it, and whether they answer.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { until } from "../../tests/support/until.ts";
import type { Program } from "../harness/sandbox.ts";
import {
  allSubjects,
  bar,
  type BenchContext,
  type Scenario,
  type Section,
} from "../harness/scenario.ts";
import { failureOf } from "../harness/start_all.ts";
import { idleTasks, type Session, type Subject } from "../subjects/subject.ts";
import { taskmuxCommand } from "../subjects/taskmux.ts";

/** Bytes that count as one token. */
const TOKEN_BYTES = 4;

/** How long a manager may take to show what a task has printed. */
const SHOWN_TIMEOUT_MS = 60_000;

const SHOP = fileURLToPath(new URL("../programs/shop_log.py", import.meta.url));

/** The service that goes on after its failures, and the one that dies of the last. */
const SERVICE = "service";
const DEAD = "dead";

const TASKS = [
  ...idleTasks(18),
  { name: SERVICE, command: `exec python3 ${SHOP}`, isOnce: true },
  { name: DEAD, command: `exec python3 ${SHOP} die`, isOnce: true },
];

/** What an answer must hold to be one: the error, and the line of the source. */
const CAUSE = /KeyError: 'customer'/;
const PLACE = /shop_log\.py\\?"?(?:, line |:|,"line":)19/;

/** One question to one manager. */
interface Answer {
  readonly question: string;
  readonly command: string;
  readonly tokens: number;
  /** Null where nothing is asked that could be missing. */
  readonly answers: boolean | null;
}

/** The scenario. */
export const answerTokens: Scenario = { name: "answer_tokens", run };

async function run(context: BenchContext): Promise<Section> {
  const answers: Answer[] = [];
  const failures: string[] = [];
  for (const subject of allSubjects(context)) {
    const failure = await failureOf(subject, context.signal, async () => {
      await using session = await subject.open(TASKS, context);
      await session.start();
      await untilPrinted(session, context.signal);
      answers.push(...await ask(subject, session));
    });
    if (failure !== null) failures.push(failure);
  }
  return report(answers, failures);
}

/** The start command may return before the services have printed everything. */
async function untilPrinted(
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  await until(async () => {
    const { text } = await session.sandbox.ask(session.logs(SERVICE));
    return text.includes("/orders/1999 ");
  }, {
    what: "the service has printed everything",
    timeoutMs: SHOWN_TIMEOUT_MS,
    signal,
  });
}

async function ask(subject: Subject, session: Session): Promise<Answer[]> {
  const { sandbox } = session;
  const answer = async (
    question: string,
    program: Program,
    isAnswered: ((text: string) => boolean) | null,
  ): Promise<Answer> => {
    const { text } = await sandbox.ask(program);
    const words = program.args.slice(firstWord(program.args));
    return {
      question,
      command: `${subject.name} \`${words.join(" ")}\``,
      tokens: new TextEncoder().encode(text).length / TOKEN_BYTES,
      answers: isAnswered === null ? null : isAnswered(text),
    };
  };
  const hasCause = (text: string) => CAUSE.test(text) && PLACE.test(text);
  const own = (...args: string[]) => taskmuxCommand(sandbox, args);
  if (subject.name !== "taskmux") {
    return [
      await answer(STATE, session.status, null),
      await answer(DIED, session.logs(DEAD), hasCause),
      await answer(BROKE, session.logs(SERVICE), hasCause),
    ];
  }
  return [
    await answer(STATE, own("status"), null),
    await answer(STATE, own("status", "--json"), null),
    await answer(DIED, own("why", DEAD), hasCause),
    await answer(DIED, own("why", DEAD, "--json"), hasCause),
    await answer(DIED, own("logs", DEAD, "-n", "all"), hasCause),
    await answer(BROKE, own("errors", SERVICE), hasCause),
    await answer(BROKE, own("errors", SERVICE, "--json"), hasCause),
    await answer(
      BROKE,
      own("logs", SERVICE, "--max-tokens", "500"),
      hasCause,
    ),
    await answer(BROKE, own("logs", SERVICE, "-n", "all"), hasCause),
    ...await whatIsNew(own, answer),
  ];
}

/** Asks twice: the second time nothing has happened since. */
async function whatIsNew(
  own: (...args: string[]) => Program,
  answer: (
    question: string,
    program: Program,
    isAnswered: null,
  ) => Promise<Answer>,
): Promise<Answer[]> {
  const news = own("logs", "--cursor-name", "agent", "--json");
  const first = await answer("What did it print, asked first?", news, null);
  return [first, await answer("… and asked again?", news, null)];
}

const STATE = "What runs, of 20 tasks?";
const DIED = "Why is it dead?";
const BROKE = "What fails in what runs?";

/** Where the manager's own words begin, after options of Deno and of the socket. */
function firstWord(args: readonly string[]): number {
  const words = ["status", "jlist", "process", "list", "logs", "why", "errors"];
  return Math.max(0, args.findIndex((arg) => words.includes(arg)));
}

function report(
  answers: readonly Answer[],
  failures: readonly string[],
): Section {
  const rows = [STATE, DIED, BROKE].flatMap((question) =>
    answers.filter((answer) => answer.question === question)
  );
  const others = answers.filter((answer) => !rows.includes(answer));
  const tokensOf = (command: string): number =>
    answers.find((answer) => answer.command === `taskmux \`${command}\``)
      ?.tokens ?? NaN;
  return {
    title: "Tokens of an answer",
    how: "20 tasks, 18 of them idle. One service prints 2 000 requests, 12 " +
      "of which fail in the same line for different customers, and runs on; " +
      "another one ends with the same failure. A token counts 4 bytes. Each " +
      "manager is asked by the command it has for that, without options to " +
      "shorten the answer. An answer names the exception and the line of the " +
      "source.",
    columns: ["question", "asked by", "tokens", "answered"],
    rows: [...rows, ...others].map(({ question, command, tokens, ...rest }) => [
      question,
      command,
      tokens.toFixed(0),
      rest.answers === null ? "" : rest.answers ? "yes" : "**no**",
    ]),
    bars: [
      bar(
        "`why`, of the whole log",
        tokensOf(`why ${DEAD}`) /
          tokensOf(`logs ${DEAD} -n all`),
        { atMost: 0.01 },
        "×",
      ),
      bar(
        "`errors`, of the whole log",
        tokensOf(`errors ${SERVICE}`) /
          tokensOf(`logs ${SERVICE} -n all`),
        { atMost: 0.01 },
        "×",
      ),
      bar(
        "`logs --max-tokens 500`",
        tokensOf(`logs ${SERVICE} --max-tokens 500`),
        { atMost: 500 },
        "tokens",
      ),
    ],
    remarks: failures,
  };
}
