/** One request as bytes, for what no decent client sends; answers with the status and the head. */
export async function rawRequest(url: string, text: string): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  const done = Promise.withResolvers<void>();
  let received = '';
  const isWhole = (): boolean => {
    const [head = '', body = ''] = received.split('\r\n\r\n');
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    return received.includes('\r\n\r\n') && length !== undefined && body.length >= Number(length);
  };
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data(_socket, data) {
        received = `${received}${data.toString('latin1')}`.replace(/^HTTP\/1\.1 100 .*\r\n\r\n/, '');
        if (isWhole()) done.resolve();
      },
      close: () => done.resolve(),
      error: () => done.resolve(),
    },
  });
  socket.write(text);
  await done.promise;
  socket.end();
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? 0), text: received };
}
