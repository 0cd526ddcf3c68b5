import type { ExternalTool, ToolRequest } from './contract.js';
import { headerArgs, linesOf, seconds } from './support.js';

/** A closed loop with a rate limit, one worker. Its CSV has tenths of a millisecond. Source: hey's README. */
export const hey: ExternalTool = {
  name: 'hey',
  summary: 'HTTP load, closed loop with a rate limit',
  get: 'go install github.com/rakyll/hey@v0.1.5',
  protocols: ['rest'],
  loop: 'closed',
  explains:
    'its worker waits for each answer: while the server stalls one request waits, and the others are sent later or never',
  plan: (load, path) => ({
    files: { body: load.body },
    steps: [
      [
        '-z',
        `${seconds(load.durationNs)}s`,
        '-c',
        '1',
        '-q',
        String(load.ratePerSecond),
        '-t',
        String(Math.ceil(load.timeoutNs / 1e9)),
        '-m',
        'POST',
        '-D',
        path('body'),
        '-T',
        load.headers['Content-Type'] ?? 'application/json',
        ...headerArgs('-H', load.headers),
        '-o',
        'csv',
        load.url,
      ],
    ],
  }),
  async read(path) {
    const requests: ToolRequest[] = [];
    let columns: readonly string[] | undefined;
    for await (const line of linesOf(path('stdout'))) {
      const cells = line.split(',');
      if (!columns) {
        columns = cells;
        if (!columns.includes('response-time') || !columns.includes('offset'))
          throw new Error(`no CSV of hey: ${line}`);
        continue;
      }
      const cell = (name: string) => Number(cells[columns!.indexOf(name)]);
      const status = cell('status-code');
      requests.push({
        sentNs: cell('offset') * 1e9,
        latencyNs: cell('response-time') * 1e9,
        error: status === 200 ? '' : `HTTP ${status}`,
      });
    }
    return { kind: 'requests', requests, dropped: 0 };
  },
};
