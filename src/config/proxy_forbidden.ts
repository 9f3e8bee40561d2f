/**
 * The variable that keeps the proxy from serving, whatever the settings say.
 *
 * @module
 */

/** Whether the environment forbids a proxy, whatever the settings say. */
export function isProxyForbidden(
  environment: Readonly<Record<string, string>>,
): boolean {
  return environment["TASKMUX_DISABLE_PROXY"] === "1";
}
