#!/usr/bin/env bash
# git: clone a local repository, commit, push, look at history; the attempts are made by a hook, as
# a cloned repository's build scripts would make them.
set -uo pipefail
. "$1/tests/real/lib.sh"
need git git

make_repository() # DIRECTORY
{
	git -c init.defaultBranch=main init -q --bare "$1"
	git clone -q "$1" "$scratch/seed" 2>/dev/null
	seq 300 >"$scratch/seed/numbers"
	git -C "$scratch/seed" add numbers
	git -C "$scratch/seed" commit -q -m 'Seed'
	git -C "$scratch/seed" push -q
	rm -rf "$scratch/seed"
}

prepare()
{
	make_repository origin.git
}

job git bash -ec '
	git clone -q origin.git clone
	printf "#!/bin/bash\nbash ../attempt.sh\n" >clone/.git/hooks/post-commit
	chmod +x clone/.git/hooks/post-commit
	cd clone
	seq 400 >numbers
	git commit -q -a -m "Count further"
	git push -q
	git checkout -q -b side HEAD~1
	git merge -q --no-edit main
	git stash list
	git gc -q
	git fsck --strict
	[ "$(git -C ../origin.git log --format=%s -1)" = "Count further" ]
	[ "$(git log -1 --format=%an)" = "Reeve Test" ]
	[ -z "$(git status --porcelain)" ]
'

# A repository elsewhere is out of reach, until it is granted.
rm -rf "$HOME/elsewhere.git"
make_repository "$HOME/elsewhere.git"
prepare()
{
	:
}
enter_workspace
sandboxed -- git clone -q "$HOME/elsewhere.git" clone
is 'a repository outside of the working directory cannot be cloned' $((status != 0)) 1
sandboxed --ro "$HOME/elsewhere.git" -- git clone -q "$HOME/elsewhere.git" clone
worked 'with --ro it can'
finish
