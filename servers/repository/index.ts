export { openRepository } from './repository.js';
export type { RepositorySpec } from './spec.js';
