// SPDX-License-Identifier: MIT
// The four attempts, by Node.
'use strict';
const fs = require('fs');
const net = require('net');

// Node gives names, the other attempts texts.
const texts = { EACCES: 'Permission denied', EPERM: 'Operation not permitted' };

function log(name, error) {
	const said = error ? texts[error.code] || String(error) : 'done';
	fs.appendFileSync(process.env.ATTEMPT_LOG, `${name} ${said}\n`);
}

function attempt(name, action) {
	try {
		action();
		log(name);
	} catch (error) {
		log(name, error);
	}
}

attempt('read', () => fs.readFileSync(process.env.ATTEMPT_KEY));
attempt('write', () => fs.writeFileSync(process.env.ATTEMPT_OUTSIDE, 'was here\n'));
attempt('signal', () => process.kill(Number(process.env.ATTEMPT_PID), 'SIGCONT'));

const socket = net.connect({ host: '127.0.0.1', port: Number(process.env.ATTEMPT_PORT) });
socket.on('connect', () => {
	log('connect');
	socket.destroy();
});
socket.on('error', (error) => log('connect', error));
