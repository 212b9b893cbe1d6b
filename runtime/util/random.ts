/** The one place that chance comes from: jitter. What uses it takes it as a parameter, so that tests can choose. */
export const systemRandom: () => number = Math.random;
