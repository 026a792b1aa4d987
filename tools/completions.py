#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes shell completions from the option tables of the reeve binary.

    completions.py REEVE bash|zsh|fish > FILE

The tables come from `reeve help --dump-options` (cli/dump.c says how they look), so a completion
can offer neither more nor less than the parser takes.
"""

import sys

from option_tables import Tables

HEADER = "# Completion of reeve(1) for {}. Generated from the option tables: do not edit.\n"


# ------------------------------------------------------------------------- bash

BASH_VALUES = r"""
# Sets COMPREPLY to the values of one kind that begin with $2.
_reeve_values()
{
	local IFS=$'\n' directory=${XDG_CONFIG_HOME:-$HOME/.config}/reeve/profiles file
	case $1 in
	paths | policies)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		;;
	directories)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$2")
		;;
	commands)
		mapfile -t COMPREPLY < <(compgen -c -- "$2")
		;;
@CASES@
	esac
	[[ $1 == policies ]] || return 0
	for file in @PROFILES@ "$directory"/*.toml; do
		file=${file##*/}
		file=${file%.toml}
		[[ $file != '*' && $file == "$2"* ]] && COMPREPLY+=("$file")
	done
	return 0
}

# Sets COMPREPLY to those of the words in $1 that begin with $2.
_reeve_words()
{
	local IFS=$' \n'
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}
"""

BASH_MAIN = r"""
# The kind of value that option $2 of verb $1 takes; empty where it takes none.
_reeve_kind()
{
	case $1:$2 in
@KINDS@
	esac
}

_reeve()
{
	local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local verb=${COMP_WORDS[1]} at=2 operands=0 kind
	COMPREPLY=()
	# Readline splits --ro=/usr at "=".
	if [[ $cur == '=' ]]; then
		cur=
	elif [[ $previous == '=' ]]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if ((COMP_CWORD == 1)); then
		_reeve_words '@VERBS@ --help --version' "$cur"
		return
	fi
	case $verb in
@GROUPS@
	esac
	# Operands before the cursor: for `run` everything after the first is its own command line.
	for (( ; at < COMP_CWORD; at++)); do
		case ${COMP_WORDS[at]} in
		--)
			operands=$((COMP_CWORD - at - 1))
			at=-1
			break
			;;
		=) at=$((at + 1)) ;;
		-?*)
			if [[ -n $(_reeve_kind "$verb" "${COMP_WORDS[at]}") && ${COMP_WORDS[at + 1]} != '=' ]]; then
				at=$((at + 1))
			fi
			;;
		*)
			operands=$((operands + 1))
			case $verb in @ENDING@)
				operands=$((COMP_CWORD - at))
				at=-1
				break
				;;
			esac
			;;
		esac
	done
	if ((at >= 0)); then
		kind=$(_reeve_kind "$verb" "$previous")
		if [[ -n $kind ]]; then
			_reeve_values "$kind" "$cur"
			return
		fi
		if [[ $cur == -* ]]; then
			case $verb in
@OPTIONS@
			esac
			return
		fi
	fi
	case $verb in
@OPERANDS@
	esac
}
complete -F _reeve reeve
"""


def bash_values(tables):
    kinds = {"features": "feature", "scopes": "scope", "families": "family", "accesses": "access",
             "formats": "format"}
    cases = ["\t{})\n\t\t_reeve_words '{}' \"$2\"\n\t\t;;".format(k, " ".join(tables.names(w)))
             for k, w in kinds.items()]
    cases.append("\tverbs)\n\t\t_reeve_words '{}' \"$2\"\n\t\t;;".format(
        " ".join(tables.first_words())))
    return BASH_VALUES.replace("@CASES@", "\n".join(cases)).replace(
        "@PROFILES@", " ".join(tables.names("profile")) or "''")


def bash_pattern(verb, option):
    return " | ".join("'{}:{}'".format(verb, s) for s in option.spellings())


def bash_operand(verb, complete):
    second = "paths" if complete in ("accesses", "commands", "formats") else complete
    return ("\t'{0}')\n\t\tif ((operands == 0)); then\n\t\t\t_reeve_values {1} \"$cur\"\n"
            "\t\telse\n\t\t\t_reeve_values {2} \"$cur\"\n\t\tfi\n\t\t;;").format(
                verb, complete, second)


def bash(tables):
    kinds = ["\t{}) echo {} ;;".format(bash_pattern(v[0], o), o.complete)
             for v in tables.verbs for o in tables.of(v[0]) if o.argument]
    groups = ["\t{0})\n\t\tif ((COMP_CWORD == 2)); then\n\t\t\t_reeve_words '{1} --help' \"$cur\"\n"
              "\t\t\treturn\n\t\tfi\n\t\tverb=\"{0} ${{COMP_WORDS[2]}}\"\n\t\tat=3\n\t\t;;".format(
                  word, " ".join(w for w, _ in words)) for word, words in tables.groups().items()]
    options = ["\t\t\t'{}') _reeve_words '{}' \"$cur\" ;;".format(
        v[0], " ".join(s for o in tables.of(v[0]) for s in o.spellings())) for v in tables.verbs]
    operands = [bash_operand(v[0], v[2]) for v in tables.verbs if v[2] != "nothing"]
    main = BASH_MAIN.replace("@KINDS@", "\n".join(kinds)).replace("@GROUPS@", "\n".join(groups))
    main = main.replace("@OPTIONS@", "\n".join(options)).replace("@OPERANDS@", "\n".join(operands))
    main = main.replace("@ENDING@", " | ".join(v[0] for v in tables.verbs if v[3] == "1"))
    main = main.replace("@VERBS@", " ".join(tables.first_words()))
    return HEADER.format("bash") + bash_values(tables) + main


# -------------------------------------------------------------------------- zsh

ZSH_ACTIONS = {
    "nothing": " ", "paths": "_files", "directories": "_files -/", "policies": "_reeve_policies",
    "features": "_reeve_features", "scopes": "_reeve_scopes", "families": "_reeve_families",
    "accesses": "_reeve_accesses", "formats": "_reeve_formats", "verbs": "_reeve_verbs",
    "commands": "_command_names -e",
}


def zsh_quote(text):
    return text.replace("'", "'\\''")


def zsh_text(text):
    for char in "\\:[]":
        text = text.replace(char, "\\" + char)
    return zsh_quote(text)


def zsh_list(name, words):
    lines = ["\t\t'{}{}'".format(zsh_quote(w.replace(":", "\\:")),
                                 ":" + zsh_quote(d) if d not in ("", "-") else "")
             for w, d in words]
    return "_reeve_{0}()\n{{\n\tlocal -a words=(\n{1}\n\t)\n\t_describe {0} words\n}}\n".format(
        name, "\n".join(lines))


def zsh_spec(option):
    value = ":{}:{}".format(zsh_text(option.argument), ZSH_ACTIONS[option.complete]) \
        if option.argument else ""
    names = option.spellings()
    text = zsh_text(option.brief())
    star = "*" if option.repeat else ""
    specs = []
    for name in names:
        joined = name + ("=" if option.argument and name.startswith("--") else
                         "+" if option.argument else "")
        exclude = "" if option.repeat or len(names) == 1 else "({})".format(" ".join(names))
        specs.append("\t\t\t'{}{}{}[{}]{}' \\".format(exclude, star, joined, text, value))
    return "\n".join(specs)


def zsh_operands(verb):
    name, _, complete, ends, _ = verb
    if ends == "1":
        return "\t\t\t'(-)1:command:_command_names -e' \\\n\t\t\t'*::argument:_normal'"
    if complete == "accesses":
        return "\t\t\t'1:access:_reeve_accesses' \\\n\t\t\t'2:object:_files'"
    if complete == "formats":
        return "\t\t\t'1:format:_reeve_formats' \\\n\t\t\t'*:argument:_files'"
    if complete == "nothing":
        return "\t\t\t&& return"
    return "\t\t\t'*:operand:{}'".format(ZSH_ACTIONS[complete])


def zsh_verb(tables, verb):
    specs = [zsh_spec(o) for o in tables.of(verb[0])]
    flags = "-s -S -A '-*'" if verb[3] == "1" else "-s -S"
    return "\t'{}')\n\t\t_arguments {} \\\n{}\n{}\n\t\t;;".format(
        verb[0], flags, "\n".join(specs), zsh_operands(verb))


ZSH_MAIN = r"""
_reeve_policies()
{
	_reeve_profiles
	compadd -- ${XDG_CONFIG_HOME:-$HOME/.config}/reeve/profiles/*.toml(N:t:r)
	_files -g '*.(toml|json)'
}

_reeve()
{
	local verb=$words[2]
	if ((CURRENT == 2)); then
		_reeve_verbs
		return
	fi
	case $verb in
@GROUPS@
	esac
	shift words
	((CURRENT--))
	case $verb in
@VERBS@
	esac
}

if [[ $funcstack[1] == _reeve ]]; then
	_reeve "$@"
else
	compdef _reeve reeve
fi
"""


def zsh(tables):
    lists = {"features": "feature", "scopes": "scope", "families": "family", "accesses": "access",
             "formats": "format", "profiles": "profile"}
    text = "#compdef reeve\n" + HEADER.format("zsh") + "\n"
    text += "\n".join(zsh_list(n, tables.words.get(k, [])) for n, k in lists.items())
    text += "\n" + zsh_list("verbs", tables.first_words().items())
    groups = []
    for word, words in tables.groups().items():
        text += "\n" + zsh_list(word + "_verbs", words)
        groups.append("\t{0})\n\t\tif ((CURRENT == 3)); then\n\t\t\t_reeve_{0}_verbs\n\t\t\treturn\n"
                      "\t\tfi\n\t\tverb=\"{0} $words[3]\"\n\t\tshift words\n\t\t((CURRENT--))\n"
                      "\t\t;;".format(word))
    return text + ZSH_MAIN.replace("@GROUPS@", "\n".join(groups)).replace(
        "@VERBS@", "\n".join(zsh_verb(tables, v) for v in tables.verbs))


# ------------------------------------------------------------------------- fish

FISH_MAIN = r"""
# Is this verb being typed, and its first operand not there yet where that ends the options?
function __reeve_using
	set -l words (commandline -opc)
	set -e words[1]
	for word in (string split ' ' -- $argv[1])
		test "$words[1]" = $word; or return 1
		set -e words[1]
	end
	contains -- $argv[1] @ENDING@; or return 0
	not __reeve_operand $argv[1] $words
end

# Has the first operand of a verb that takes a command been typed?
function __reeve_operand
	set -l verb $argv[1]
	set -l skip 0
	for word in $argv[2..-1]
		if test $skip = 1
			set skip 0
		else if test "$word" = --
			return 0
		else if not string match -q -- '-?*' $word
			return 0
		else if contains -- "$verb:$word" @TAKING@
			set skip 1
		end
	end
	return 1
end

function __reeve_no_verb
	test (count (commandline -opc)) -eq 1
end

function __reeve_group
	set -l words (commandline -opc)
	test (count $words) -eq 2; and test "$words[2]" = $argv[1]
end

function __reeve_profiles
	printf '%s\n' @PROFILES@
	set -l directory $HOME/.config
	set -q XDG_CONFIG_HOME; and set directory $XDG_CONFIG_HOME
	for file in $directory/reeve/profiles/*.toml
		basename $file .toml
	end
end

complete -c reeve -f
"""


def fish_quote(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_action(tables, complete):
    words = {"features": "feature", "scopes": "scope", "families": "family", "accesses": "access",
             "formats": "format"}
    if complete in words:
        return "-x -a " + fish_quote(" ".join(tables.names(words[complete])))
    return {"nothing": "-x", "paths": "-r -F", "directories": "-x -a '(__fish_complete_directories)'",
            "policies": "-r -F -a '(__reeve_profiles)'",
            "commands": "-x -a '(__fish_complete_subcommand)'",
            "verbs": "-x -a " + fish_quote(" ".join(tables.first_words()))}[complete]


def fish_option(tables, option):
    letter = " -s " + option.letter if option.letter else ""
    value = " " + fish_action(tables, option.complete) if option.argument else ""
    return "complete -c reeve -n {} -l {}{} -d {}{}".format(
        fish_quote("__reeve_using '{}'".format(option.verb)), option.name[2:], letter,
        fish_quote(option.brief()), value)


def fish_operand(tables, verb):
    condition = fish_quote("__reeve_using '{}'".format(verb[0]))
    if verb[3] == "1":
        return "complete -c reeve -n {} -x -a '(__fish_complete_subcommand)'".format(
            fish_quote("__fish_seen_subcommand_from " + verb[0]))
    action = fish_action(tables, verb[2]).replace("-x ", "").replace("-r ", "")
    extra = " -F" if verb[2] in ("accesses", "formats") else ""
    return "complete -c reeve -n {}{} {}".format(condition, extra, action)


def fish(tables):
    ending = " ".join(v[0] for v in tables.verbs if v[3] == "1")
    taking = " ".join("'{}:{}'".format(o.verb, s) for o in tables.options if o.argument
                      for s in o.spellings())
    main = FISH_MAIN.replace("@ENDING@", ending).replace("@TAKING@", taking)
    lines = [HEADER.format("fish") + main.replace("@PROFILES@", " ".join(tables.names("profile")))]
    for word, summary in tables.first_words().items():
        lines.append("complete -c reeve -n __reeve_no_verb -a {} -d {}".format(
            word, fish_quote(summary)))
    for word, words in tables.groups().items():
        for second, summary in words:
            lines.append("complete -c reeve -n {} -a {} -d {}".format(
                fish_quote("__reeve_group " + word), second, fish_quote(summary)))
    lines += [fish_option(tables, o) for o in tables.options]
    lines += [fish_operand(tables, v) for v in tables.verbs if v[2] != "nothing"]
    return "\n".join(lines) + "\n"


def main():
    makers = {"bash": bash, "zsh": zsh, "fish": fish}
    if len(sys.argv) != 3 or sys.argv[2] not in makers:
        sys.exit(__doc__)
    sys.stdout.write(makers[sys.argv[2]](Tables(sys.argv[1])))


main()
