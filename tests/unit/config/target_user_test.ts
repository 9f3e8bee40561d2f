import assert from "node:assert/strict";
import {
  findSudoUser,
  formatUser,
  parseUser,
  userEnvironment,
} from "../../../src/config/target_user.ts";
import { TaskmuxError } from "../../../src/domain/error.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/bash
ann:x:1000:1001:Ann,,,:/home/ann/:/bin/zsh
twin:x:1000:1002::/home/twin:/bin/sh
broken line
shell:x:1003:1003::/home/shell:
`;
const SUDO = { SUDO_UID: "1000", SUDO_GID: "1001", SUDO_USER: "ann" };
const ANN = {
  name: "ann",
  uid: 1000,
  gid: 1001,
  home: "/home/ann",
  shell: "/bin/zsh",
};

Deno.test("the user behind sudo has the home of passwd, whatever HOME says", () => {
  assert.deepEqual(findSudoUser(SUDO, PASSWD, "linux"), ANN);
  const twin = findSudoUser({ ...SUDO, SUDO_USER: "twin" }, PASSWD, "linux");
  assert.equal(twin?.home, "/home/twin", "uid and name both count");
  const told = { ...SUDO, SUDO_HOME: "/srv/ann" };
  assert.equal(findSudoUser(told, PASSWD, "linux")?.home, "/srv/ann");
  assert.equal(findSudoUser(SUDO, null, "darwin")?.home, "/Users/ann");
});

Deno.test("without sudo, or when root called it, there is none", () => {
  assert.equal(findSudoUser({}, PASSWD, "linux"), null);
  const root = { SUDO_UID: "0", SUDO_GID: "0", SUDO_USER: "root" };
  assert.equal(findSudoUser(root, PASSWD, "linux"), null);
});

Deno.test("what makes no sense is refused, with what to type", () => {
  for (
    const env of [
      { ...SUDO, SUDO_UID: "-1" },
      { ...SUDO, SUDO_UID: "1e3" },
      { ...SUDO, SUDO_UID: "4294967295" },
      { ...SUDO, SUDO_GID: "" },
      { ...SUDO, SUDO_USER: "an:n" },
      { SUDO_UID: "1000", SUDO_GID: "1001" },
      { ...SUDO, SUDO_USER: "nobody-knows" },
      { ...SUDO, SUDO_HOME: "relative", SUDO_USER: "nobody-knows" },
    ]
  ) {
    assert.throws(
      () => findSudoUser(env, PASSWD, "linux"),
      (error) =>
        error instanceof TaskmuxError && error.code === "E500" &&
        error.hint !== undefined,
      JSON.stringify(env),
    );
  }
});

Deno.test("a user survives the way through a command line", () => {
  assert.deepEqual(parseUser(formatUser(ANN)), ANN);
  for (
    const line of ["", "ann", "root:x:0:0::/root:/bin/sh", "a:x:1:1::rel:/x"]
  ) {
    assert.throws(() => parseUser(line), TaskmuxError, line);
  }
});

Deno.test("nothing of sudo and of root's home is left in the user's environment", () => {
  const env = {
    ...SUDO,
    HOME: "/root",
    USER: "root",
    MAIL: "/m",
    PATH: "/bin",
  };
  assert.deepEqual(userEnvironment(env, ANN), {
    PATH: "/bin",
    HOME: "/home/ann",
    USER: "ann",
    LOGNAME: "ann",
    SHELL: "/bin/zsh",
  });
});
