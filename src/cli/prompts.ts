/**
 * Questions to a person at a terminal. Loaded when somebody is to be asked, and only where `Output.canAsk` says so.
 *
 * @module
 */

import {
  confirm,
  isCancel,
  multiselect,
  note,
  password,
  select,
  text,
} from "@clack/prompts";

/** One thing to choose. */
export interface Choice {
  readonly value: string;
  /** What is shown for it; by default the value. */
  readonly label?: string;
  /** What is told beside it. */
  readonly hint?: string;
}

/**
 * Asks for a line. Without an answer it is the suggestion.
 *
 * @param flawOf What is wrong with an answer; asked again then.
 * @returns Null = Ctrl-C or Escape.
 */
export async function askLine(
  message: string,
  suggestion: string,
  flawOf: (answer: string) => string | undefined = () => undefined,
): Promise<string | null> {
  const answer = await text({
    message,
    placeholder: suggestion,
    defaultValue: suggestion,
    validate: (typed = "") => flawOf(typed === "" ? suggestion : typed),
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
    options: choices.map(optionOf),
    initialValues: [...chosen],
    required: false,
  });
  return isCancel(answer) ? null : answer;
}

/** Asks for one thing. Null = Ctrl-C or Escape. */
export async function askChoice(
  message: string,
  choices: readonly Choice[],
): Promise<string | null> {
  const options = choices.map(optionOf);
  const answer = await select<string>({ message, options });
  return isCancel(answer) ? null : answer;
}

/** Asks for what nobody may see while it is typed. Null = Ctrl-C or Escape. */
export async function askSecret(message: string): Promise<string | null> {
  const validate = (typed = ""): string | undefined =>
    typed.trim() === "" ? "Nothing was typed" : undefined;
  const answer = await password({ message, validate });
  return isCancel(answer) ? null : answer.trim();
}

/** Asks for a yes. Ctrl-C and Escape are none. */
export async function askYes(message: string): Promise<boolean> {
  return await confirm({ message }) === true;
}

/** Tells something between questions. */
export function tell(title: string, lines: readonly string[]): void {
  note(lines.join("\n"), title);
}

function optionOf(
  { value, label = value, hint }: Choice,
): { value: string; label: string; hint?: string } {
  return { value, label, ...hint === undefined ? {} : { hint } };
}
