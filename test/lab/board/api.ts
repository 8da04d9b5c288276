import type { Board } from './board.ts';

export interface ApiAnswer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects
  body: any;
}

/** Calls the board's API on the board itself: it is not reachable from elsewhere. */
export async function askApi(
  board: Board,
  method: 'GET' | 'POST',
  path: string,
  body?: Record<string, string>,
): Promise<ApiAnswer> {
  const token =
    method === 'GET' ? '' : `Authorization: Bearer ${await board.run('cat /data/update/api.token')}\r\n`;
  const text = body === undefined ? '' : JSON.stringify(body);
  const type = body === undefined ? '' : 'Content-Type: application/json\r\n';
  const head = `${method} /api/v1/update/${path} HTTP/1.1\r\nHost: localhost:8081\r\nConnection: close\r\n`;
  const request = `${head}${token}${type}Content-Length: ${text.length}\r\n\r\n${text}`;
  const written = Buffer.from(request).toString('base64');
  const output = await board.run(
    `bash -c 'exec 3<>/dev/tcp/127.0.0.1/8081 && echo ${written} | base64 -d >&3 && cat <&3'`,
  );
  const lines = output.split('\n');
  return { status: Number(lines[0]?.split(' ')[1]), body: JSON.parse(lines.at(-1) ?? '') };
}
