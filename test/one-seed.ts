import fc from 'fast-check';

/** One seed for all properties, so that every run tries the same: a failure is a change of the code, not of the luck. */
fc.configureGlobal({ seed: 20_260_101 });
