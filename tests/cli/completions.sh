#!/usr/bin/env bash
# The completions: bash's is driven, zsh's and fish's are too where those are installed.
#
#	completions.sh REEVE ROOT DIRECTORY-OF-COMPLETIONS
set -uo pipefail
completions=$3
set -- "$1" "$2"
. "$(dirname "$0")/lib.sh"
mkdir -p "$HOME/.config/reeve/profiles" sub
touch "$HOME/.config/reeve/profiles/mine.toml" plain.toml

dump=$("$reeve" help --dump-options)
options_of() # VERB
{
	grep -P "^option\t$1\t" <<<"$dump" | cut -f 3 | LC_ALL=C sort | tr '\n' ' '
}

# ------------------------------------------------------------------------ bash
. "$completions/reeve"

# completes WORD... : what bash offers for the last word, sorted; "=" is a word of its own.
completes()
{
	COMP_WORDS=(reeve "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_reeve 2>/dev/null
	printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort -u | tr '\n' ' '
}

is 'bash: verbs' "$(completes '')" \
	'--help --version allow audit check denials deps explain help id inspect kill learn observe policy ps reload revoke rules run sandboxer top version watch '
is 'bash: a verb' "$(completes ex)" 'explain '
is 'bash: verbs of a group' "$(completes policy '')" '--help check import lint show '
for verb in run check explain 'policy check' 'policy show' sandboxer help version; do
	# shellcheck disable=SC2086
	is "bash: the options of $verb" "$(completes $verb --)" "$(options_of "$verb")"
done
is 'bash: an option' "$(completes run --deg)" '--degrade '
is 'bash: a feature' "$(completes run --degrade fs.tr)" 'fs.truncate '
is 'bash: a feature after =' "$(completes run --degrade = fs.tr)" 'fs.truncate '
is 'bash: a scope' "$(completes run --scope si)" 'signal '
is 'bash: a family' "$(completes run --socket inet)" 'inet inet6 '
is 'bash: a path' "$(completes run --ro su)" 'sub '
is 'bash: a path after =' "$(completes run --ro = su)" 'sub '
is 'bash: a directory' "$(completes run --chdir '')" 'sub '
is 'bash: a profile' "$(completes run -p wor)" 'workspace workspace-net '
is "bash: a user's profile" "$(completes run -p mi)" 'mine '
is 'bash: a policy file' "$(completes run --policy pl)" 'plain.toml '
is 'bash: a command' "$(completes run --ro /usr -- ech)" "$(compgen -c ech | LC_ALL=C sort -u | tr '\n' ' ')"
is 'bash: a command without --' "$(completes run --static prin | grep -o 'printf ')" 'printf '
is 'bash: no options of ours after the command' "$(completes run echo --deg)" ' '
is "bash: the command's operands" "$(completes run -- echo su)" 'sub '
is 'bash: an access by its word' "$(completes explain wri)" 'write '
is 'bash: a format' "$(completes policy import sys)" 'systemd '
is 'bash: an access' "$(completes explain fs.read_)" 'fs.read_dir fs.read_file '
is 'bash: an object' "$(completes explain read su)" 'sub '
is 'bash: an option after an operand' "$(completes explain read --soc)" '--socket '
is 'bash: help' "$(completes help sand)" 'sandboxer '

# ------------------------------------------------------------------------- zsh
if have zsh; then
	succeeds 'zsh: the file parses' zsh -n "$completions/_reeve"
	# A real completion in a pseudo-terminal: what TAB makes of the line.
	cat >drive.zsh <<'END'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= ; unsetopt zle_bracketed_paste prompt_cr prompt_sp; stty -echo"
zpty -w z "fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -d $2/dump"
zpty -w z "show() { print -r -- \"GOT<\$BUFFER>\"; zle kill-buffer }; zle -N show; bindkey '^X^X' show"
zpty -w z 'print READY'
zpty -r -m z line '*READY*READY*' || zpty -r -m z line '*READY*'
zpty -w -n z "$3"$'\t\C-x\C-x'
zpty -r -m z line '*GOT<*>*'
print -r -- ${${line##*GOT<}%%>*}
zpty -d z
END
	completes_zsh() # LINE
	{
		timeout 60 zsh -f drive.zsh "$completions" "$work" "$1" 2>&1 | tail -n 1
	}
	is 'zsh: a verb' "$(completes_zsh 'reeve expl')" 'reeve explain '
	is 'zsh: an option' "$(completes_zsh 'reeve run --degr')" 'reeve run --degrade='
	is 'zsh: a feature' "$(completes_zsh 'reeve run --degrade fs.trun')" 'reeve run --degrade fs.truncate '
	is 'zsh: a group' "$(completes_zsh 'reeve policy sh')" 'reeve policy show '
else
	skip 'zsh' 'zsh: not installed'
fi

# ------------------------------------------------------------------------ fish
if have fish; then
	completes_fish() # LINE
	{
		fish --no-config -c "source $completions/reeve.fish; complete -C '$1'" 2>&1 |
			cut -f 1 | LC_ALL=C sort -u | tr '\n' ' '
	}
	succeeds 'fish: the file parses' fish --no-execute "$completions/reeve.fish"
	is 'fish: verbs' "$(completes_fish 'reeve ')" 'allow audit check denials deps explain help id inspect kill learn observe policy ps reload revoke rules run sandboxer top version watch '
	is 'fish: verbs of a group' "$(completes_fish 'reeve policy ')" 'check import lint show '
	for verb in run check explain 'policy show'; do
		is "fish: the options of $verb" "$(completes_fish "reeve $verb --")" "$(options_of "$verb")"
	done
	is 'fish: a feature' "$(completes_fish 'reeve run --degrade fs.trunc')" 'fs.truncate '
	is 'fish: a profile' "$(completes_fish 'reeve run -p works')" 'workspace workspace-net '
	is 'fish: no options of ours after the command' "$(completes_fish 'reeve run echo --deg')" ''
else
	skip 'fish' 'fish: not installed'
fi
finish
