import { connect } from 'node:net';
import { request } from '../../api/node-http.ts';
import type { HealthCheck } from '../../model/service.ts';

/** Milliseconds that a backend has to answer in. */
const patience = 1000;

/** Whether a backend answers: takes a TCP connection, or replies to GET with a status of 200 to 399. */
export function checkBackend(
  { path }: HealthCheck,
  address: string,
  port: number,
  signal: AbortSignal,
): Promise<boolean> {
  return path === undefined ? takesConnection(address, port, signal) : repliesWell(address, port, path, signal);
}

function takesConnection(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: patience });
    const done = (healthy: boolean) => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(healthy);
    };
    const abort = () => done(false);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => done(true));
    socket.once('timeout', () => done(false));
    socket.on('error', () => done(false));
  });
}

function repliesWell(host: string, port: number, path: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
    const asked = request({ host, port, path, agent: false, signal: limit }, (response) => {
      const { statusCode = 0 } = response;
      response.destroy();
      resolve(statusCode >= 200 && statusCode < 400);
    });
    asked.on('error', () => resolve(false));
    // Of a switch of protocols, which nobody has asked for, Node tells nothing else.
    asked.on('close', () => resolve(false));
    asked.end();
  });
}
