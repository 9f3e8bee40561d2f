/**
 * The name of a place in the logs that the daemon remembers for a caller.
 *
 * @module
 */

/** The form of a name. */
export const CURSOR_NAME_REGEXP = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/;

/** The same for people. */
export const CURSOR_NAME_RULE =
  "a cursor's name has 1 to 128 letters, digits and ._:@/-, and begins with a letter or digit";
