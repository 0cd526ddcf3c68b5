/**
 * Seeded random numbers, bit-equal with what MLPerf LoadGen draws as built with GCC's libstdc++, so that the same seeds
 * give the same schedule. Source: libstdc++ `bits/random.tcc`, `bits/uniform_int_dist.h`, `bits/stl_algo.h`.
 */

/** A stream of 32-bit draws. */
export interface RandomSource {
  /** The next integer in [0, 2^32). */
  next32(): number;
}

/** `std::mt19937`: the seed's low 32 bits count. Bit-compatible; used for schedules and sample order. */
export class Mt19937 implements RandomSource {
  private readonly state = new Uint32Array(N);
  private position = N;

  constructor(seed: bigint | number) {
    const state = this.state;
    state[0] = Number(BigInt.asUintN(32, BigInt(seed)));
    for (let i = 1; i < N; i++) {
      const previous = state[i - 1]!;
      state[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
    }
  }

  next32(): number {
    if (this.position === N) this.refill();
    let y = this.state[this.position++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  private refill(): void {
    const state = this.state;
    for (let i = 0; i < N - M; i++) state[i] = state[i + M]! ^ twist(state[i]!, state[i + 1]!);
    for (let i = N - M; i < N - 1; i++) state[i] = state[i + M - N]! ^ twist(state[i]!, state[i + 1]!);
    state[N - 1] = state[M - 1]! ^ twist(state[N - 1]!, state[0]!);
    this.position = 0;
  }
}

/**
 * xoshiro128**: four words of state where the Mersenne twister has 624, for resampling and generated inputs, where speed
 * counts and nobody else's numbers must be met. Seeded through splitmix64 with all 64 bits. Source: Blackman and Vigna.
 */
export class FastRandom implements RandomSource {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: bigint | number) {
    const first = splitmix64(BigInt(seed) + GOLDEN);
    const second = splitmix64(BigInt(seed) + 2n * GOLDEN);
    this.a = Number(first & LOW32) | 0;
    this.b = Number(first >> 32n) | 0;
    this.c = Number(second & LOW32) | 0;
    this.d = Number(second >> 32n) | 0;
  }

  next32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.b, 5), 7), 9) >>> 0;
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = rotateLeft(this.d, 11);
    return result;
  }
}

/** `std::generate_canonical<double, 53>`: a double in [0, 1) from two draws, the first one the low word. */
export function canonicalDouble(source: RandomSource): number {
  const low = source.next32();
  const value = (low + source.next32() * 2 ** 32) / 2 ** 64;
  return value < 1 ? value : 1 - 2 ** -53;
}

/** `std::uniform_int_distribution`: an integer in [0, n) for 1 ≤ n ≤ 2^32 − 1 by Lemire's method; at least one draw. */
export function uniformInt(source: RandomSource, n: number): number {
  let draw = source.next32();
  let low = Math.imul(draw, n) >>> 0;
  if (low < n) {
    const threshold = (2 ** 32 - n) % n;
    while (low < threshold) {
      draw = source.next32();
      low = Math.imul(draw, n) >>> 0;
    }
  }
  return highProduct(draw, n);
}

/** `std::shuffle` in place: two swaps a draw where r(r+1) fits in 32 bits. */
export function shuffle(source: RandomSource, items: Uint32Array): void {
  const n = items.length;
  if (n === 0) return;
  if (Math.floor((2 ** 32 - 1) / n) < n) {
    for (let i = 1; i < n; i++) swap(items, i, uniformInt(source, i + 1));
    return;
  }
  let i = 1;
  if (n % 2 === 0) swap(items, i++, uniformInt(source, 2));
  for (; i < n; i += 2) {
    const range = i + 1;
    const both = uniformInt(source, range * (range + 1));
    swap(items, i, Math.floor(both / (range + 1)));
    swap(items, i + 1, both % (range + 1));
  }
}

/** 0 … n−1 in shuffled order. */
export function permutation(source: RandomSource, n: number): Uint32Array {
  const items = Uint32Array.from({ length: n }, (_, i) => i);
  shuffle(source, items);
  return items;
}

const N = 624;
const M = 397;
const LOW32 = 0xffffffffn;
const GOLDEN = 0x9e3779b97f4a7c15n;

function twist(upper: number, lower: number): number {
  const y = (upper & 0x80000000) | (lower & 0x7fffffff);
  return (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
}

/** The upper word of a 64-bit product: in halves, because a double holds 53 bits. */
function highProduct(a: number, b: number): number {
  if (b <= 2 ** 21) return Math.floor((a * b) / 2 ** 32);
  const low = a * (b & 0xffff);
  return Math.floor((a * Math.floor(b / 0x10000) + Math.floor(low / 0x10000)) / 0x10000);
}

function swap(items: Uint32Array, i: number, j: number): void {
  const kept = items[i]!;
  items[i] = items[j]!;
  items[j] = kept;
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function splitmix64(value: bigint): bigint {
  let z = BigInt.asUintN(64, value);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}
