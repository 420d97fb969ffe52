#!/bin/sh
# The completions of the runner: each option is in each, and bash completes words.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

: "${top_srcdir:?run by tests/run-tests}" "${top_builddir:?}"
run=$top_builddir/programs/writewatch/writewatch
[ -x "$run" ] || { echo "the runner is not built"; exit 1; }
completion=$top_srcdir/programs/completion
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-completion.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
status=0

bad()
{
    echo "$*"
    status=1
}

# options that the help has and a completion has not, and the other way round
options=$("$run" --help | sed -n 's/^  *\(-[a-zA-Z], \)\{0,1\}\(--[a-z-]*\) .*/\2/p' | sort)
[ "$(printf '%s\n' "$options" | wc -l)" -ge 7 ] || bad "no options seen in the help: $options"
printf '%s\n' "$options" >"$work/help"
grep -o -e '--[a-z][a-z-]*[]=[}'"']" "$completion/_writewatch" | grep -o -e '--[a-z-]*[a-z]' |
    sort -u >"$work/zsh"
sed -n 's/.* -l \([a-z-]*\) .*-d .*/--\1/p' "$completion/writewatch.fish" | sort -u >"$work/fish"
for shell in zsh fish; do
    diff "$work/help" "$work/$shell" >"$work/diff" ||
        bad "options of --help and of the completion for $shell: $(cat "$work/diff")"
done

# complete WORD...: what bash makes of these words, the last of which is being written
complete()
{
    PATH=$top_builddir/programs/writewatch:$PATH bash --norc -c '
        . "$0" || exit 9
        [ "$(complete -p writewatch)" = "complete -F _writewatch writewatch" ] || exit 8
        COMP_WORDS=(writewatch "$@")
        COMP_CWORD=$#
        _writewatch
        printf "%s\n" "${COMPREPLY[@]}"' "$completion/writewatch" "$@" 2>&1 | sort -u | tr '\n' ' '
}

# completes WANTED WORD...
completes()
{
    wanted=$1
    shift
    got=$(complete "$@")
    [ "$got" = "$wanted" ] || bad "writewatch $*: '$got' instead of '$wanted'"
}

if command -v bash >/dev/null; then
    mkdir folder
    : >game.exe
    : >GAME.EXE
    : >notes.txt
    completes "--version " --vers
    completes "--check " --ch
    completes "$(LC_ALL=C sort "$work/help" | sort | tr '\n' ' ')" --
    completes "notes.txt " --log no
    completes "notes.txt " -l no
    completes "--json " --check --js
    completes "folder " --check folde
    completes "GAME.EXE folder game.exe " --explain ''
    completes "notes.txt " true no
    completes "notes.txt " -l x -s true --off no
    case " $(complete writewatc) " in
    *" writewatch "*) ;;
    *) bad "no commands are completed: $(complete writewatc)" ;;
    esac
else
    bad "bash is missing"
fi

# the syntax, by the shells themselves
missing=
for shell in zsh fish; do
    file=$completion/writewatch.fish
    [ $shell = fish ] || file=$completion/_writewatch
    if ! command -v $shell >/dev/null; then missing="$missing $shell"
    else
        $shell -n "$file" 2>"$work/noise" || bad "$shell does not take $file: $(cat "$work/noise")"
        # it would find a mistake
        { cat "$file"; echo 'if ('; } >"$work/mistake"
        $shell -n "$work/mistake" 2>/dev/null && bad "$shell -n finds no mistakes"
    fi
done
# fish also completes without a terminal
if command -v fish >/dev/null; then
    HOME=$work fish -c "source '$completion/writewatch.fish'; complete -C 'writewatch --chec'" \
        >"$work/out" 2>&1
    [ "$(cut -f 1 "$work/out")" = --check ] || bad "fish completes --chec by: $(cat "$work/out")"
    HOME=$work fish -c "source '$completion/writewatch.fish'; complete -C 'writewatch -s tru'" \
        >"$work/out" 2>&1
    cut -f 1 "$work/out" | grep -q -x true || bad "fish completes no command: $(cat "$work/out")"
fi
if [ $status -eq 0 ] && [ -n "$missing" ]; then
    echo "all else passed, but these shells are missing:$missing: run tools/install-deps"
    exit 77
fi
exit $status
