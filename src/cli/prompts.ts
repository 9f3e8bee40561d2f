/**
 * Questions to a person at a terminal. Loaded when somebody is to be asked, and only where `Output.canAsk` says so.
 *
 * @module
 */

import { isCancel, multiselect, text } from "@clack/prompts";

/** One thing to choose. */
export interface Choice {
  readonly value: string;
  /** What is told beside it. */
  readonly hint?: string;
}

/** Asks for a line. Without an answer it is the suggestion; null = Ctrl-C or Escape. */
export async function askLine(
  message: string,
  suggestion: string,
): Promise<string | null> {
  const answer = await text({
    message,
    placeholder: suggestion,
    defaultValue: suggestion,
  });
  return isCancel(answer) ? null : answer;
}

/**
 * Asks for any number of things, none too.
 *
 * @param chosen What is chosen to begin with.
 * @returns Null = Ctrl-C or Escape.
 */
export async function askChoices(
  message: string,
  choices: readonly Choice[],
  chosen: readonly string[],
): Promise<readonly string[] | null> {
  const answer = await multiselect<string>({
    message,
    options: choices.map(({ value, hint }) => ({
      value,
      label: value,
      ...hint === undefined ? {} : { hint },
    })),
    initialValues: [...chosen],
    required: false,
  });
  return isCancel(answer) ? null : answer;
}
