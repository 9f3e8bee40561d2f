/**
 * Takes secrets out of what the CLI itself has read. What a daemon answers holds none.
 *
 * @module
 */

import { connect } from "../client/client.ts";
import { AnswerRedactor } from "../domain/answer_redactor.ts";
import { TaskmuxError } from "../domain/error.ts";
import { type ReadLine, RecordRedactor } from "../domain/record_redactor.ts";
import { Redactor } from "../domain/redactor.ts";
import { secretValues } from "../domain/secret_values.ts";
import { systemClock } from "../kit/clock.ts";
import type { Context } from "./context.ts";

/** How long a daemon may take to tell what it knows. It needs a millisecond; one that is stuck must not hold up logs. */
const DAEMON_TIMEOUT_MS = 500;

/** How long following goes on with the secrets it knows. */
const LOOK_MS = 1_000;

/** An answer from disk without its secrets. As it is when they are to be shown. */
export async function safeAnswer<T>(
  context: Context,
  config: string | null,
  answer: T,
): Promise<T> {
  if (context.manner.reveal === true) return answer;
  const redactor = await redactorFor(context, config);
  return new AnswerRedactor(redactor).redact(answer);
}

/** {@linkcode safeAnswer} for an answer about several projects, by their files. */
export async function safeAnswerOfAll<T>(
  context: Context,
  configs: readonly string[],
  answer: T,
): Promise<T> {
  if (context.manner.reveal === true) return answer;
  const own = secretValues(context.env());
  const known = await Promise.all(
    configs.map((config) => secretsOf(context, config)),
  );
  const redactor = new Redactor([...own, ...known.flat()]);
  return new AnswerRedactor(redactor).redact(answer);
}

/** What takes secrets out of lines of a project's logs; null = they are to be shown. */
export async function recordRedactor(
  context: Context,
  config: string,
): Promise<RecordRedactor | null> {
  return context.manner.reveal === true
    ? null
    : new RecordRedactor(await redactorFor(context, config));
}

/** Lines without secrets, as they come. What becomes secret meanwhile is known within a second. */
export async function* safeLines<L extends ReadLine>(
  context: Context,
  config: string,
  reading: AsyncIterable<L>,
): AsyncGenerator<L, void, void> {
  if (context.manner.reveal === true) {
    yield* reading;
    return;
  }
  const lines = new RecordRedactor(await redactorFor(context, config));
  let lookedAt = systemClock.monotonic();
  for await (const line of reading) {
    if (systemClock.monotonic() - lookedAt >= LOOK_MS) {
      lines.use(await redactorFor(context, config));
      lookedAt = systemClock.monotonic();
    }
    yield lines.line(line);
  }
}

/** An error of the CLI's own without secrets of its shell, or such that look like one. */
export function safeError(
  error: TaskmuxError,
  env: Readonly<Record<string, string>>,
): TaskmuxError {
  const shape = error.toShape();
  const redactor = new Redactor(secretValues(env));
  const safe = new AnswerRedactor(redactor).redact(shape);
  return safe === shape ? error : TaskmuxError.fromShape(safe);
}

async function redactorFor(
  context: Context,
  config: string | null,
): Promise<Redactor> {
  return new Redactor(
    config === null
      ? secretValues(context.env())
      : await secretsOf(context, config),
  );
}

/** The secrets of a project, and of the shell that asks. */
async function secretsOf(
  context: Context,
  config: string,
): Promise<readonly string[]> {
  const known = await askDaemon(context, config);
  if (known !== "none" && known !== "silent") {
    return [...secretValues(context.env()), ...known];
  }
  const { readSecrets } = await import("../offline/secrets.ts");
  return await readSecrets(context, config, { keeper: known === "none" });
}

/**
 * What the daemon knows: besides what is in files, what other shells have brought along and what variables had before.
 * "silent" = an older daemon, one that is stuck, or one that cannot read the project's file either.
 */
async function askDaemon(
  { paths: { daemonSocket, home } }: Context,
  config: string,
): Promise<readonly string[] | "none" | "silent"> {
  const signal = AbortSignal.timeout(DAEMON_TIMEOUT_MS);
  try {
    await using client = await connect(daemonSocket, {
      home,
      signal,
      helloTimeoutMs: DAEMON_TIMEOUT_MS,
      // The one question whose answer is nothing but secrets. It goes over the socket that only its owner may open.
      manner: { reveal: true },
    });
    if (client === null) return "none";
    const scope = { config };
    const answer = await client.call("project.secrets", { scope }, { signal });
    return answer.values;
  } catch (error) {
    if (!(error instanceof TaskmuxError) && error !== signal.reason) {
      throw error;
    }
    return "silent";
  }
}
