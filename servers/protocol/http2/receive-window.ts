/**
 * What a stream, or the connection, has received of what it may. All is consumed as it comes, and granted again in large
 * steps: a peer that sends beyond its window takes nothing that it would not get a moment later.
 */
export class ReceiveWindow {
  private consumed = 0;

  constructor(private readonly size: number) {}

  /** So many bytes have come. Returns how many to grant now, mostly 0. */
  take(bytes: number): number {
    this.consumed += bytes;
    if (2 * this.consumed < this.size) return 0;
    const grant = this.consumed;
    this.consumed = 0;
    return grant;
  }
}
