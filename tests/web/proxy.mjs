// A server before the canister's that changes answers on the way, and verifies nothing.

import { createServer, request as httpRequest } from "node:http";

/**
 * Starts one before `origin`, lets `use` work with its address, and stops it. `change` gets the path and the body of
 * each answer and may change the bytes in place.
 */
export async function behind(origin, change, use) {
  const { host, port } = new URL(origin);
  const server = createServer((incoming, outgoing) => {
    const { method, url: path } = incoming;
    const options = { host: "127.0.0.1", port, path, method, headers: { ...incoming.headers, host } };
    const passed = httpRequest(options, async (answer) => {
      const body = Buffer.concat(await answer.toArray());
      change(path, body);
      outgoing.writeHead(answer.statusCode, answer.headers).end(body);
    });
    incoming.pipe(passed);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://localhost:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
