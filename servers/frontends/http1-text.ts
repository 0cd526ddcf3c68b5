import { STATUS_CODES } from 'node:http';

export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** Status line and header lines. `fields` and `lines` are header lines with their line ends. */
export function answerHead(status: number, fields: string, length: number, lines: string): string {
  const first = status === 200 ? OK : statusLine(status);
  return `${first}${fields}Content-Length: ${length}\r\n${lines}\r\n`;
}

/** The whole answer to a request that is refused; the connection ends with it. */
export function refusalText(status: number, message: string, dateLine: string): string {
  const body = JSON.stringify({ error: message });
  const head = answerHead(status, 'Content-Type: application/json\r\n', Buffer.byteLength(body), dateLine);
  return `${head.slice(0, -2)}Connection: close\r\n\r\n${body}`;
}

function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
}

const OK = statusLine(200);
