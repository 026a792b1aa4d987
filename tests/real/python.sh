#!/usr/bin/env bash
# Python: a virtual environment made, a package of our own installed into it without network, used.
set -uo pipefail
. "$1/tests/real/lib.sh"
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
	skip 'python venv' 'python3: python3-venv is not installed'
	fi

prepare()
{
	mkdir -p package
	cat >package/setup.py <<-'END'
		from setuptools import setup
		setup(name="reeve_test_package", version="1.0", py_modules=["reeve_test_package"])
	END
	echo 'answer = 42' >package/reeve_test_package.py
}

job 'python venv' bash -ec '
	python3 -m venv venv
	venv/bin/pip --no-cache-dir --disable-pip-version-check install --no-index \
		--no-build-isolation ./package
	cat >use.py <<-END
		import json, sqlite3, subprocess, tempfile
		from concurrent.futures import ThreadPoolExecutor
		import reeve_test_package
		assert reeve_test_package.answer == 42
		with tempfile.NamedTemporaryFile("w+") as file:
		    json.dump({"a": [1, 2]}, file)
		    file.flush()
		    assert subprocess.check_output(["cat", file.name]) == b"{\"a\": [1, 2]}"
		with sqlite3.connect("test.db") as db:
		    db.execute("create table t (a)")
		with ThreadPoolExecutor(2) as pool:
		    assert list(pool.map(abs, range(-50, 0))) == list(range(50, 0, -1))
	END
	venv/bin/python use.py
	venv/bin/python attempt.py
'

# Its process pools use POSIX semaphores, which live in /dev/shm: shared by all programs of the user,
# hence not in `workspace`, but a flag away.
pool='
import multiprocessing
with multiprocessing.Pool(2) as pool:
    assert pool.map(abs, range(-50, 0)) == list(range(50, 0, -1))
'
enter_workspace
sandboxed -- python3 -c "$pool"
is 'a process pool is refused its semaphores' \
	"$((status != 0)) $(grep -c '^PermissionError' <<<"$output")" '1 1'
sandboxed --rw /dev/shm -- python3 -c "$pool"
worked 'with --rw /dev/shm it works'
finish
