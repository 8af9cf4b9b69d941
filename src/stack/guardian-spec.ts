/** What a parent tells the guardian of one server, as JSON in its first argument. */
export type GuardianSpec = Readonly<{
  command: string;
  args: readonly string[];
  cwd: string;
  /** Run the server as this user; both or none. */
  uid?: number;
  gid?: number;
  logFile: string;
  /** Where the server's process id stands while it runs, together with `record`. */
  recordFile: string;
  record: Readonly<Record<string, number>>;
  stopSignal: 'SIGTERM' | 'SIGINT';
  /** After this the server is killed. */
  stopDeadlineMs: number;
  /** How often a server that was ready and died is started again. */
  maxRestarts: number;
}>;
