interface Client {
  readonly name: string;
  /** Weighted tokens served. */
  counter: number;
  /** Requests that wait. */
  backlog: number;
}

/** Serves whoever got least so far, counted in weighted tokens. Source: virtual token counter (VTC). */
export class TokenCounters {
  /** In order of registration. */
  readonly #clients = new Map<string, Client>();

  constructor(
    readonly inputWeight: number,
    readonly outputWeight: number,
  ) {}

  /** A request of the client waits. Whoever comes back does not profit from the time without requests. */
  arrive(name: string): number {
    const client = this.#clients.get(name) ?? this.#register(name);
    if (client.backlog === 0) {
      const least = this.#neediest();
      if (least !== undefined) client.counter = Math.max(client.counter, least.counter);
    }
    client.backlog++;
    return client.counter;
  }

  /** The client whose request comes next, if any waits; `keep` leaves the request in the backlog. */
  serve(promptTokens: number, keep: boolean): { client: string; counter: number } | undefined {
    const client = this.#neediest();
    if (client === undefined) return undefined;
    client.counter += promptTokens * this.inputWeight;
    if (!keep) client.backlog--;
    return { client: client.name, counter: client.counter };
  }

  /** Output tokens of a client's requests; undefined where it never had one. */
  generated(name: string, tokens: number): number | undefined {
    const client = this.#clients.get(name);
    if (client === undefined) return undefined;
    client.counter += tokens * this.outputWeight;
    return client.counter;
  }

  #register(name: string): Client {
    const client = { name, counter: 0, backlog: 0 };
    this.#clients.set(name, client);
    return client;
  }

  #neediest(): Client | undefined {
    let least: Client | undefined;
    for (const client of this.#clients.values())
      if (client.backlog > 0 && (least === undefined || client.counter < least.counter)) least = client;
    return least;
  }
}
