/**
 * Variables in text: `$NAME`, `${NAME}`, `${NAME:-default}`, and `$$` for a dollar sign.
 *
 * Nothing else of a shell's language. A dollar sign that begins none of these stays as it is.
 *
 * @module
 */

const VARIABLE =
  /\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\})/g;

/**
 * The text with every variable replaced by its value. One that is not set is replaced by nothing, as a shell does;
 * the default is used when it is not set or empty. Values are not expanded again.
 */
export function expandVariables(
  text: string,
  env: Readonly<Record<string, string>>,
): string {
  return text.replace(
    VARIABLE,
    (_, dollar, bare, braced, fallback: string | undefined) => {
      if (dollar !== undefined) return "$";
      const value = valueOf(bare ?? braced, env);
      return fallback === undefined ? value ?? "" : value || fallback;
    },
  );
}

/** Names used in the text that are not set and have no default, in order, each once. */
export function missingVariables(
  text: string,
  env: Readonly<Record<string, string>>,
): string[] {
  const missing = new Set<string>();
  for (const [, dollar, bare, braced, fallback] of text.matchAll(VARIABLE)) {
    const name = bare ?? braced;
    if (dollar !== undefined || name === undefined) continue;
    if (fallback === undefined && valueOf(name, env) === undefined) {
      missing.add(name);
    }
  }
  return [...missing];
}

/** Only own properties: a variable may be called like a method of every object. */
function valueOf(
  name: string,
  env: Readonly<Record<string, string>>,
): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined;
}
