#!/usr/bin/env bash
# Node: modules, workers, a child process, files; and npm with a package of our own, offline.
set -uo pipefail
. "$1/tests/real/lib.sh"
need node node

cat >"$scratch/work.js" <<'END'
const { execFileSync } = require('child_process');
const { Worker } = require('worker_threads');
const fs = require('fs');
const os = require('os');
const path = require('path');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'node-'));
fs.writeFileSync(path.join(dir, 'a.json'), JSON.stringify({ sum: 42 }));
if (require(path.join(dir, 'a.json')).sum !== 42) throw new Error('sum');
if (String(execFileSync('sort', ['-r'], { input: 'a\nb\n' })) !== 'b\na\n') throw new Error('sort');
fs.rmSync(dir, { recursive: true });
new Worker('require("crypto").randomBytes(8)', { eval: true }).on('exit', (code) => {
	if (code !== 0) throw new Error('worker');
	require(process.cwd() + '/attempt.js');
});
END
work=$(cat "$scratch/work.js")
job node node -e "$work"

# A package whose install script makes the attempts, as a poisoned one would.
prepare()
{
	mkdir -p package app
	cat >package/package.json <<-'END'
		{"name": "reeve-test-package", "version": "1.0.0", "main": "index.js",
		 "scripts": {"install": "bash ./attempt.sh"}}
	END
	echo 'module.exports = 42;' >package/index.js
	cp attempt.sh package/
	echo '{"name": "reeve-test-app", "version": "1.0.0", "private": true}' >app/package.json
	export npm_config_cache=$PWD/npm-cache
}

if have npm; then
	job npm bash -ec '
		tarball=$(npm pack --silent ./package)
		cd app
		npm install --offline --no-audit --no-fund --foreground-scripts "../$tarball"
		[ "$(node -p "require(\"reeve-test-package\")")" = 42 ]
	'
else
	skip 'npm install' 'npm: not installed'
fi
finish
