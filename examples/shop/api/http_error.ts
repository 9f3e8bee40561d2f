/**
 * The one error a request handler throws for a fault of the client. Everything else that is thrown is a fault of ours.
 *
 * @module
 */

/** Problems by field name, for a form to show beside its inputs. */
export type FieldProblems = Readonly<Record<string, string>>;

/** Answered as `{"error":{"code","message","fields"?}}` with `status`. */
export class HttpError extends Error {
  readonly status: number;
  /** Stable word for programs, such as `out_of_stock`. */
  readonly code: string;
  readonly fields: FieldProblems | null;

  constructor(
    status: number,
    code: string,
    { message, fields = null }: {
      message: string;
      fields?: FieldProblems | null;
    },
  ) {
    super(message);
    this.name = "HttpError";
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}
