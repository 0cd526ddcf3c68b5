/** The part of autocannon that the bench uses. */
declare module 'autocannon' {
  interface Options {
    readonly url: string;
    readonly method: 'POST';
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Buffer;
    readonly connections: number;
    readonly amount: number;
  }
  interface Result {
    readonly '2xx': number;
    readonly errors: number;
  }
  export default function autocannon(options: Options): Promise<Result>;
}
