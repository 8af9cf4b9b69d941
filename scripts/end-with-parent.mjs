/**
 * Preloaded into what scripts/run.mjs runs: when that one is gone, killed even, this process is told to hang up, as by a
 * terminal that closes, and stops in order. Nobody else would end it.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGHUP'));
// The channel is there to be lost only: it must not keep a command alive that has done its work.
process.channel?.unref();
