// Many instances of one business, and what stands around them: HAProxy and nginx with the files of deploy/, and a Redis.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { atEnd, startServe, temporaryFolder } from './harness.mjs';

const run = promisify(execFile);
const deployed = (name) => fileURLToPath(new URL(`../../deploy/${name}`, import.meta.url));

/// A business in a database of its own on the Postgres of the run; gives the settings of its instances.
export async function freshBusiness() {
  const server = process.env.PORTICO_TEST_POSTGRES;
  assert.ok(server, 'PORTICO_TEST_POSTGRES is not set: run this through bin/test');
  const name = `b${randomUUID().replaceAll('-', '')}`;
  await run('psql', ['-q', '-c', `CREATE DATABASE ${name}`, server]);
  const env = { PORTICO_DATABASE_URL: server.replace(/\/[^/]*$/, `/${name}`), PORTICO_BASE_URL: 'http://127.0.0.1' };
  await run(process.env.PORTICO_BIN, ['seed', '--clients', '5', '--weeks', '1'], { env });
  return env;
}

/// `count` instances, each at an address of its own.
export async function startInstances(t, count, env) {
  return Promise.all(Array.from({ length: count }, () => startServe(t, env)));
}

/// deploy/haproxy.cfg as it stands; it has room for three.
export async function startHaproxy(t, instances) {
  const folder = await temporaryFolder(t);
  const port = await freePort();
  const address = (number) => `127.0.0.1:${instances[number % instances.length].port}`;
  const env = {
    PATH: `${process.env.PATH}:/usr/sbin`,
    PORTICO_LISTEN: `127.0.0.1:${port}`,
    PORTICO_1: address(0),
    PORTICO_2: address(1),
    PORTICO_3: address(2),
    PORTICO_ADMIN_SOCKET: join(folder, 'socket'),
  };
  return startProxy(t, port, 'haproxy', ['-db', '-f', deployed('haproxy.cfg')], env);
}

/// deploy/nginx.conf with its marked lines changed, and others that `change` replaces.
export async function startNginx(t, instances, change = {}) {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'bodies'));
  const port = await freePort();
  const servers = instances.map((one) => `server 127.0.0.1:${one.port} max_fails=1 fail_timeout=2s;`);
  const here = {
    'pid /run/nginx-portico.pid;': `pid ${folder}/pid; daemon off;`,
    'client_body_temp_path /tmp/nginx-portico;': `client_body_temp_path ${folder}/bodies;`,
    'server 127.0.0.1:3001 max_fails=1 fail_timeout=2s;': servers.join(' '),
    'server 127.0.0.1:3002 max_fails=1 fail_timeout=2s;': '',
    'server 127.0.0.1:3003 max_fails=1 fail_timeout=2s;': '',
    'listen 127.0.0.1:8080;': `listen 127.0.0.1:${port};`,
    ...change,
  };
  let text = await readFile(deployed('nginx.conf'), 'utf8');
  for (const [line, other] of Object.entries(here)) {
    assert.ok(text.includes(line), `deploy/nginx.conf has no line ${line}`);
    text = text.replace(line, other);
  }
  const file = join(folder, 'nginx.conf');
  await writeFile(file, text);
  return startProxy(t, port, 'nginx', ['-p', folder, '-c', file], { PATH: `${process.env.PATH}:/usr/sbin` });
}

/// A Redis of the test's own, to be killed; with a port, again where it was, empty.
export async function startRedis(t, port) {
  port ??= await freePort();
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'];
  const redis = await startProxy(t, port, 'redis-server', args, { PATH: process.env.PATH });
  return { ...redis, url: `redis://127.0.0.1:${port}` };
}

async function startProxy(t, port, program, args, env) {
  // Of a run that is killed nothing stays.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = once(child, 'exit');
  atEnd(t, async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await ended;
  });
  const until = Date.now() + 10_000;
  while (!(await answers(port))) {
    if (Date.now() > until || child.exitCode !== null) throw new Error(`${program} did not come up:\n${output}`);
    await delay(20);
  }
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { port, base: `http://127.0.0.1:${port}`, kill };
}

async function answers(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
