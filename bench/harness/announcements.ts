/**
 * A named pipe into which tasks say that they live, so that the moment is known without polling.
 *
 * @module
 */

/** A line and when it arrived. */
export interface Announcement {
  /** On the clock of `performance.now()`. */
  readonly at: number;
  readonly text: string;
}

/** Bytes of one read; each line is far shorter than what a pipe passes undivided. */
const READ_BYTES = 64 * 1024;

/** See the module. */
export class Announcements implements AsyncDisposable {
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #reading: Promise<void>;
  readonly #seen: Announcement[] = [];
  #arrived = Promise.withResolvers<void>();
  #closing = false;

  private constructor(path: string, file: Deno.FsFile) {
    this.path = path;
    this.#file = file;
    this.#reading = this.#read();
  }

  /** Makes the pipe at a path that is free. */
  static async open(path: string): Promise<Announcements> {
    await new Deno.Command("mkfifo", { args: [path] }).output();
    // Open for writing as well, so that the end of one writer is not the end of the file.
    const file = await Deno.open(path, { read: true, write: true });
    return new Announcements(path, file);
  }

  /**
   * The first line of which this is true, also one that has arrived already; it is taken out.
   *
   * @returns Null if none arrives in time.
   */
  async take(
    isMeant: (text: string) => boolean,
    timeoutMs: number,
  ): Promise<Announcement | null> {
    const deadline = performance.now() + timeoutMs;
    while (true) {
      const index = this.#seen.findIndex(({ text }) => isMeant(text));
      if (index !== -1) return this.#seen.splice(index, 1)[0] ?? null;
      const left = deadline - performance.now();
      if (left <= 0) return null;
      const timer = Promise.withResolvers<void>();
      const id = setTimeout(timer.resolve, left);
      await Promise.race([this.#arrived.promise, timer.promise]);
      clearTimeout(id);
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    const decoder = new TextDecoder();
    while (true) {
      const size = await this.#file.read(buffer);
      const at = performance.now();
      if (this.#closing || size === null) return;
      const text = decoder.decode(buffer.subarray(0, size));
      for (const line of text.split("\n").filter(Boolean)) {
        this.#seen.push({ at, text: line });
      }
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers<void>();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    // A read of a pipe ends only when something comes.
    await Deno.writeTextFile(this.path, "\n");
    await this.#reading;
    this.#file.close();
  }
}
