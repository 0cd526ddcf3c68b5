const utf8 = new TextEncoder();

/** FNV-1a, 32 bit, over the text's UTF-8 bytes: 0 … 2^32 − 1. */
export function fnv1a(text: string): number {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // Plain ASCII, the usual case, needs no encoder: a character is a byte.
    if (code > 127) return ofBytes(utf8.encode(text));
    hash = Math.imul(hash ^ code, 16777619);
  }
  return hash >>> 0;
}

/** The hash that places a user in an experiment: the same user stays in the same place. */
export function experimentHash(experiment: string, user: string): number {
  return fnv1a(`${experiment}:${user}`);
}

/** The same in basis points, 0 … 9999. */
export function bucketOf(experiment: string, user: string): number {
  return experimentHash(experiment, user) % 10_000;
}

/** Two numbers in [0,1) that only depend on the text, for requests that bring no random numbers of their own. */
export function drawsFrom(text: string): [number, number] {
  const first = fnv1a(text);
  return [first / 2 ** 32, fnv1a(`${first}`) / 2 ** 32];
}

function ofBytes(bytes: Uint8Array): number {
  let hash = 2166136261;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 16777619);
  return hash >>> 0;
}
