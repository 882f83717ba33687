/**
 * Node's HTTP, as `require` gives it. An `import` of `node:http` reads each of its exports, and so loads what is behind
 * the lazy ones: fetch and WebSocket, 10 MB of memory and 15 ms that nothing here uses.
 */
export const { createServer, request } = process.getBuiltinModule('node:http');
