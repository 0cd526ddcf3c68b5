/** What a process says of places: mean and standard deviation of each, in the order asked. */
export interface Prediction {
  readonly mean: Float64Array;
  readonly sd: Float64Array;
}

/** A fitted process; `predict` takes places by their number. */
export interface GaussianProcess {
  readonly lengthScale: number;
  readonly logLikelihood: number;
  predict(numbers: readonly number[]): Prediction;
}

/** Processes over one list of places, of which ever more are measured. */
export interface GrowingProcess {
  /** This place is measured, after those before it: each once. */
  measure(number: number): void;
  /** One value for each measured place, in the order of measuring; several quantities measured there share all the work on places. */
  fit(values: readonly number[]): GaussianProcess;
}

const LENGTH_SCALES = [0.15, 0.3, 0.6, 1.2, 2.4];
const NOISES = [1e-4, 1e-2];

/**
 * Gaussian process regression with a Matérn 5/2 kernel. Values are standardised; the length scale and the share of noise are
 * those of a small grid with the greatest marginal likelihood, the variance has a closed form. Far from everything it says
 * the mean of the values.
 *
 * Factors of the covariance grow by a row for each place measured, so that with n measured of N places a new one costs
 * O(n² + N), a fit O(n²) and a prediction of all places O(n N) at most; from scratch it would be O(n³ + n² N).
 * Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, algorithm 2.1 and equation 4.17; A.12 (a factor
 * with a row more).
 */
export function growingProcess(places: readonly Float64Array[]): GrowingProcess {
  const measured: number[] = [];
  const kernels = LENGTH_SCALES.map((lengthScale) => ({ lengthScale, rows: [] as Float64Array[] }));
  const factors = kernels.flatMap(({ lengthScale, rows }) =>
    NOISES.map((noise) => new Factor(lengthScale, noise, measured, rows)),
  );
  return {
    measure(number) {
      measured.push(number);
      const distances = Float64Array.from(places, (place) => distanceBetween(places[number]!, place));
      for (const { lengthScale, rows } of kernels)
        rows.push(distances.map((distance) => matern52(distance, lengthScale)));
      for (const factor of factors) factor.grow();
    },
    fit(values) {
      const { mean, sd } = momentsOf(values);
      const y = Float64Array.from(values, (value) => (value - mean) / sd);
      const fits = factors.map((factor) => factor.fit(y));
      const { factor, z, variance, logLikelihood } = fits.reduce((a, b) => (b.logLikelihood > a.logLikelihood ? b : a));
      return {
        lengthScale: factor.lengthScale,
        logLikelihood,
        predict(numbers) {
          const { means, explained } = factor.project(z);
          return {
            mean: Float64Array.from(numbers, (number) => mean + sd * means[number]!),
            sd: Float64Array.from(
              numbers,
              (number) => sd * Math.sqrt(Math.max(0, variance * (1 + factor.noise - explained[number]!))),
            ),
          };
        },
      };
    },
  };
}

/** The lower triangle L of K + noise·I = L·Lᵀ for one kernel, and L⁻¹ times the kernel's rows, as far as asked for. */
class Factor {
  readonly #lower: Float64Array[] = [];
  #halfLogDeterminant = 0;
  /** Row i of L⁻¹ K(measured, all places). */
  readonly #solved: Float64Array[] = [];
  /** Of each place the share of its variance that is known: the squares of its column in `solved`. */
  #explained = new Float64Array(0);

  constructor(
    readonly lengthScale: number,
    readonly noise: number,
    private readonly measured: readonly number[],
    /** Between each measured place and all places. */
    private readonly kernel: readonly Float64Array[],
  ) {}

  /** By the place measured last. */
  grow(): void {
    const n = this.#lower.length;
    const row = new Float64Array(n + 1);
    let left = 1 + this.noise;
    for (let i = 0; i < n; i++) {
      const above = this.#lower[i]!;
      let rest = this.kernel[n]![this.measured[i]!]!;
      for (let k = 0; k < i; k++) rest -= above[k]! * row[k]!;
      row[i] = rest / above[i]!;
      left -= row[i]! ** 2;
    }
    // In exact numbers what is left of a variance is never below the noise.
    row[n] = Math.sqrt(Math.max(this.noise, left));
    this.#lower.push(row);
    this.#halfLogDeterminant += Math.log(row[n]!);
  }

  fit(y: Float64Array): Fit {
    const n = y.length;
    const z = this.#solve(y);
    const variance = Math.max(1e-12, z.reduce((sum, value) => sum + value * value, 0) / n);
    const logLikelihood =
      -0.5 * n * Math.log(variance) - this.#halfLogDeterminant - 0.5 * n * (1 + Math.log(2 * Math.PI));
    return { factor: this, z, variance, logLikelihood };
  }

  /** At all places: the mean that `z` = L⁻¹ y gives, and the share of the variance that is known. */
  project(z: Float64Array): { readonly means: Float64Array; readonly explained: Float64Array } {
    this.#catchUp();
    const means = new Float64Array(this.#explained.length);
    for (const [i, row] of this.#solved.entries()) addTimes(means, row, z[i]!);
    return { means, explained: this.#explained };
  }

  #solve(y: Float64Array): Float64Array {
    const z = new Float64Array(y.length);
    for (const [i, row] of this.#lower.entries()) {
      let rest = y[i]!;
      for (let k = 0; k < i; k++) rest -= row[k]! * z[k]!;
      z[i] = rest / row[i]!;
    }
    return z;
  }

  #catchUp(): void {
    for (let n = this.#solved.length; n < this.#lower.length; n++) {
      const lower = this.#lower[n]!;
      const row = this.kernel[n]!.slice();
      for (let k = 0; k < n; k++) addTimes(row, this.#solved[k]!, -lower[k]!);
      if (n === 0) this.#explained = new Float64Array(row.length);
      for (let j = 0; j < row.length; j++) {
        row[j] = row[j]! / lower[n]!;
        this.#explained[j]! += row[j]! ** 2;
      }
      this.#solved.push(row);
    }
  }
}

interface Fit {
  readonly factor: Factor;
  /** L⁻¹ y. */
  readonly z: Float64Array;
  readonly variance: number;
  readonly logLikelihood: number;
}

function addTimes(sum: Float64Array, row: Float64Array, factor: number): void {
  for (let j = 0; j < sum.length; j++) sum[j]! += factor * row[j]!;
}

function matern52(distance: number, lengthScale: number): number {
  const r = (Math.sqrt(5) * distance) / lengthScale;
  return (1 + r + (r * r) / 3) * Math.exp(-r);
}

function distanceBetween(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2;
  return Math.sqrt(sum);
}

/** Mean and standard deviation; 1 where all values are equal. */
export function momentsOf(values: readonly number[]): { readonly mean: number; readonly sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, sd: variance > 0 ? Math.sqrt(variance) : 1 };
}
