/**
 * Waits for the end of the process that started it (its standard input closes) and then ends the process group whose
 * leader it was told: an external server must not outlive a servemark that was killed.
 */
const leader = Number(process.argv[2]);

process.on('SIGINT', () => {});
process.stdin.on('end', () => {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // The group has ended by itself.
  }
});
process.stdin.resume();
