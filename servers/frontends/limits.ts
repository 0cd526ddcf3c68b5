import type { FrontendLimits } from './contract.js';

/** What a client may send unless the user says otherwise. */
export const DEFAULT_LIMITS: FrontendLimits = { maxBodyBytes: 64 * 1024 ** 2, maxHeaderBytes: 16 * 1024 };
