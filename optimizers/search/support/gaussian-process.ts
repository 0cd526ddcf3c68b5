import { CholeskyDecomposition, Matrix } from 'ml-matrix';

/** What a process says of unseen places: mean and standard deviation of each. */
export interface Prediction {
  readonly mean: Float64Array;
  readonly sd: Float64Array;
}

/** A fitted process. */
export interface GaussianProcess {
  readonly lengthScale: number;
  readonly logLikelihood: number;
  predict(places: readonly Float64Array[]): Prediction;
}

const LENGTH_SCALES = [0.15, 0.3, 0.6, 1.2, 2.4];
const NOISES = [1e-4, 1e-2];

/**
 * Gaussian process regression with a Matérn 5/2 kernel. Values are standardised; the length scale and the share of noise are
 * those of a small grid with the greatest marginal likelihood, the variance has a closed form. `mean` is what is believed of
 * a place before (default 0 after standardising). Cost O(n³) a fit, n = places measured.
 * Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, algorithm 2.1 and equation 4.17.
 */
export function fitProcess(places: readonly Float64Array[], values: readonly number[]): GaussianProcess {
  const { mean, sd } = momentsOf(values);
  const y = Matrix.columnVector(values.map((value) => (value - mean) / sd));
  const distances = distancesBetween(places, places);
  let chosen: Fit | undefined;
  for (const lengthScale of LENGTH_SCALES)
    for (const noise of NOISES) {
      const fit = fitWith(distances, y, lengthScale, noise);
      if (fit && (chosen === undefined || fit.logLikelihood > chosen.logLikelihood)) chosen = fit;
    }
  const fit = chosen!;
  return {
    lengthScale: fit.lengthScale,
    logLikelihood: fit.logLikelihood,
    predict: (unseen) => predict(fit, places, unseen, mean, sd),
  };
}

interface Fit {
  readonly lengthScale: number;
  readonly variance: number;
  readonly noise: number;
  readonly logLikelihood: number;
  readonly cholesky: CholeskyDecomposition;
  readonly alpha: Matrix;
}

function fitWith(distances: Matrix, y: Matrix, lengthScale: number, noise: number): Fit | undefined {
  const n = y.rows;
  const covariance = kernel(distances, lengthScale);
  for (let i = 0; i < n; i++) covariance.set(i, i, covariance.get(i, i) + noise);
  const cholesky = new CholeskyDecomposition(covariance);
  if (!cholesky.isPositiveDefinite()) return undefined;
  const alpha = cholesky.solve(y);
  const variance = Math.max(1e-12, y.transpose().mmul(alpha).get(0, 0) / n);
  const lower = cholesky.lowerTriangularMatrix;
  let halfLogDeterminant = 0;
  for (let i = 0; i < n; i++) halfLogDeterminant += Math.log(lower.get(i, i));
  const logLikelihood = -0.5 * n * Math.log(variance) - halfLogDeterminant - 0.5 * n * (1 + Math.log(2 * Math.PI));
  return { lengthScale, variance, noise, logLikelihood, cholesky, alpha };
}

function predict(
  { lengthScale, variance, noise, cholesky, alpha }: Fit,
  places: readonly Float64Array[],
  unseen: readonly Float64Array[],
  mean: number,
  sd: number,
): Prediction {
  const cross = kernel(distancesBetween(places, unseen), lengthScale);
  const solved = cholesky.solve(Matrix.eye(places.length)).mmul(cross);
  const means = new Float64Array(unseen.length);
  const sds = new Float64Array(unseen.length);
  for (let j = 0; j < unseen.length; j++) {
    let value = 0;
    let explained = 0;
    for (let i = 0; i < places.length; i++) {
      value += cross.get(i, j) * alpha.get(i, 0);
      explained += cross.get(i, j) * solved.get(i, j);
    }
    means[j] = mean + sd * value;
    sds[j] = sd * Math.sqrt(Math.max(0, variance * (1 + noise - explained)));
  }
  return { mean: means, sd: sds };
}

/** Matérn 5/2 in place of the distances. */
function kernel(distances: Matrix, lengthScale: number): Matrix {
  const result = distances.clone();
  for (let i = 0; i < result.rows; i++)
    for (let j = 0; j < result.columns; j++) {
      const r = (Math.sqrt(5) * result.get(i, j)) / lengthScale;
      result.set(i, j, (1 + r + (r * r) / 3) * Math.exp(-r));
    }
  return result;
}

function distancesBetween(rows: readonly Float64Array[], columns: readonly Float64Array[]): Matrix {
  const result = new Matrix(rows.length, columns.length);
  rows.forEach((a, i) => {
    columns.forEach((b, j) => {
      let sum = 0;
      for (let k = 0; k < a.length; k++) sum += (a[k]! - b[k]!) ** 2;
      result.set(i, j, Math.sqrt(sum));
    });
  });
  return result;
}

/** Mean and standard deviation; 1 where all values are equal. */
export function momentsOf(values: readonly number[]): { readonly mean: number; readonly sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, sd: variance > 0 ? Math.sqrt(variance) : 1 };
}
