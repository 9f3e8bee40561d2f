/**
 * The `flaky` task: the link to a parcel carrier that falls over a few times before it holds. It is here to show what
 * taskmux does with a task that crashes.
 *
 * The number of crashes of the current series is kept in a file, as each attempt is a new process. `FLAKY_CRASHES` says how
 * many there are to be (2). The attempt after the last crash clears the file and stays up, so the next start crashes again.
 *
 * @module
 */
import { dataFolder } from "../db/database.ts";

const DEFAULT_CRASHES = 2;
/** How long it takes until the carrier hangs up. */
const DIAL_MS = 500;
/** How often the link says that it is still there. */
const HEARTBEAT_MS = 10_000;

async function readCount(path: string): Promise<number> {
  try {
    return Number(await Deno.readTextFile(path)) || 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

function wantedCrashes(): number {
  const text = Deno.env.get("FLAKY_CRASHES");
  if (text === undefined) return DEFAULT_CRASHES;
  if (!/^\d{1,3}$/.test(text)) {
    throw new Error(`FLAKY_CRASHES is "${text}", it must be 0 to 999`);
  }
  return Number(text);
}

const folder = dataFolder();
await Deno.mkdir(folder, { recursive: true });
const path = `${folder}/flaky.crashes`;
const crashes = await readCount(path);
const wanted = wantedCrashes();
const run = Deno.env.get("TASKMUX_RUN_ID") ?? "by hand";
console.log(`calling the carrier, attempt ${crashes + 1} (run ${run})`);

if (crashes < wanted) {
  // Dialling takes a moment: the process is up before it is found to be useless.
  await new Promise((resolve) => setTimeout(resolve, DIAL_MS));
  await Deno.writeTextFile(path, String(crashes + 1));
  console.error(`carrier hung up (${crashes + 1} of ${wanted})`);
  Deno.exit(1);
}

await Deno.writeTextFile(path, "0");
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    console.log(`${signal}: carrier link closed`);
    Deno.exit(0);
  });
}
console.log(`carrier link up after ${crashes} crashes`);
setInterval(() => console.log("carrier ok"), HEARTBEAT_MS);
