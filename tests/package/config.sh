#!/bin/sh
# The configuration of the runner: which settings apply, what the library gets, mistakes, --explain.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The runner is compiled once more, with a folder of the system's file that the test may write to.

work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-config.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
work=$(cd "$work" && pwd -P)
for name in '' _LOG _STATS _BACKEND _LOG_ALL _STATUS _PROGRAMS _RUN; do unset "WRITEWATCH$name"; done
unset LD_PRELOAD WINE_DISABLE_KERNEL_WRITEWATCH XDG_CONFIG_HOME XDG_RUNTIME_DIR
export HOME="$work/home"
mkdir -p "$HOME/.config" "$work/etc" "$work/xdg" "$work/cwd"
cd "$work/cwd" || exit 1
user=$HOME/.config/writewatch.conf
system=$work/etc/writewatch.conf
failures=0

lib64=$(sed -n 's/^LOADER_LIB = //p' "$top_builddir/Makefile")
[ -n "$lib64" ] || { echo "no LOADER_LIB in the Makefile"; exit 1; }
mkdir -p "$work/programs/writewatch" "$work/preload/$lib64"
cp "$top_builddir/preload/libwritewatch-preload.so" "$work/preload/$lib64/" || exit 1
run=$work/programs/writewatch/writewatch
# shellcheck disable=SC2086
${CC:-cc} -std=gnu11 -O1 -D_GNU_SOURCE -DVERSION='"test"' -DBINDIR='"/none/bin"' \
    -DPKGLIBDIR='"/none/lib"' -DLOADER_LIB="\"$lib64\"" -DLOADER_LIB32='""' \
    -DSYSCONFDIR="\"$work/etc\"" -I"$top_srcdir" -I"$top_srcdir/include" \
    -I"$top_srcdir/dlls/ntdll/unix" -o "$run" \
    "$top_srcdir"/programs/writewatch/*.c "$top_srcdir"/programs/status/*.c "$top_builddir/libwritewatch.a" -pthread -ldl || exit 1

bad()
{
    echo "$*"
    failures=$((failures + 1))
}

# same WHAT GOT WANTED
same()
{
    [ "$2" = "$3" ] || bad "$1: got '$2', wanted '$3'"
}

# passed: what the command gets of the settings
passed()
{
    "$run" "$@" sh -c 'echo "${WRITEWATCH-}|${WRITEWATCH_BACKEND-}|${WRITEWATCH_LOG-}|$1" \
        "${WRITEWATCH_STATS-}|${WRITEWATCH_LOG_ALL-}|${WRITEWATCH_STATUS-}|${WRITEWATCH_PROGRAMS-}"' \
        sh "" 2>&1
}

# none, and each key
same "no file" "$(passed)" '||| |||'
cat >"$system" <<END
# a comment, and an empty line

  off = no
backend=scan:marked
	log	=	$work/a b.log  
stats = YES
log-all = on
status = 0
END
same "the system's file" "$(passed)" "on|scan:marked|$work/a b.log| 1|1|0|"
printf 'log = ~/of user.log\r\noff = yes\r\n' >"$user"
same "the user's before it" "$(passed)" "off|scan:marked|$HOME/of user.log| 1|1|0|"
echo "log = $work/of-xdg.log" >"$work/xdg/writewatch.conf"
same "XDG_CONFIG_HOME" "$(XDG_CONFIG_HOME=$work/xdg passed)" "on|scan:marked|$work/of-xdg.log| 1|1|0|"
same "a relative XDG_CONFIG_HOME" "$(XDG_CONFIG_HOME=xdg passed)" \
    "off|scan:marked|$HOME/of user.log| 1|1|0|"
same "the environment before both" "$(WRITEWATCH=on WRITEWATCH_LOG=$work/e WRITEWATCH_STATUS=1 passed)" \
    "on|scan:marked|$work/e| 1|1|1|"
same "empty in the environment" "$(WRITEWATCH= WRITEWATCH_LOG= passed)" 'on|scan:marked|| 1|1|0|'
same "options before all" "$(WRITEWATCH_LOG=$work/x passed -l $work/y)" "off|scan:marked|$work/y| 1|1|0|"
same "--off reads no file" "$(passed --off)" 'off||| |||'
echo 'log =' >"$user"
rm "$system"
same "no log" "$(passed)" '||| |||'

# words for yes and no
for word in 0 no No false FALSE off OFF; do
    same "WRITEWATCH=$word" "$(WRITEWATCH=$word passed)" 'off||| |||'
done
for word in 1 yes Yes true on ON ''; do
    same "WRITEWATCH=$word" "$(WRITEWATCH=$word passed)" 'on||| |||'
done
warning='writewatch: WRITEWATCH=offf means neither yes nor no; it counts as on.'
same "an unknown word" "$(WRITEWATCH=offf passed)" "$warning
on||| |||"
same "an unknown word, once" "$(WRITEWATCH=offf "$run" "$run" "$run" true 2>&1)" "$warning"
same "WRITEWATCH_STATS=yes" "$(WRITEWATCH_STATS=yes passed)" '||| 1|||'

# single programs
cat >"$user" <<END
log = $work/all.log
[Game.EXE]
off = yes
log = $work/game.log
[other game.exe]
stats = yes
[game.exe]
backend = scan
END
same "sections" "$(passed)" \
    "||$work/all.log| |||game.exe:off=off;game.exe:log=$work/game.log;other game.exe:stats=1;game.exe:backend=scan"
printf "[game.exe]\nlog = $work/system.log\nstatus = no\n[third.exe]\nlog = $work/third.log\n" >"$system"
same "the user's before a section of the system's" "$(passed)" \
    "||$work/all.log| |||game.exe:off=off;game.exe:log=$work/game.log;other game.exe:stats=1;game.exe:backend=scan;game.exe:status=0"
same "the environment before sections" "$(WRITEWATCH=on WRITEWATCH_LOG=$work/e WRITEWATCH_STATS=0 passed)" \
    "on||$work/e| 0|||game.exe:backend=scan;game.exe:status=0"
same "options before sections" "$(passed --log $work/o)" \
    "||$work/o| |||game.exe:off=off;other game.exe:stats=1;game.exe:backend=scan;game.exe:status=0"
same "a runner in a runner" "$("$run" "$run" sh -c 'echo "$WRITEWATCH_PROGRAMS"')" \
    "game.exe:off=off;game.exe:log=$work/game.log;other game.exe:stats=1;game.exe:backend=scan;game.exe:status=0"
same "its options before the sections of the outer one" \
    "$("$run" "$run" -s sh -c 'echo "$WRITEWATCH_STATS $WRITEWATCH_PROGRAMS"')" \
    "1 game.exe:off=off;game.exe:log=$work/game.log;game.exe:backend=scan;game.exe:status=0"
rm "$system"

# mistakes: the file, the line, the nearest key or value, and no command
# mistake LINE WORDS TEXT
mistake()
{
    printf "$3" >"$user"
    message=$("$run" echo ran 2>&1)
    same "status of: $3" $? 125
    case $message in
    *ran*) bad "the command ran with: $3" ;;
    "writewatch: $user:$1: "*"$2"*) ;;
    *) bad "with $3 it said: $message" ;;
    esac
    case $message in
    *[.?]) ;;
    *) bad "no sentence: $message" ;;
    esac
    same "lines for: $3" "$(printf '%s\n' "$message" | wc -l)" 1
}
mistake 1 'there is no key "lgo"; did you mean "log"?' 'lgo = /tmp/x\n'
mistake 2 'there is no key "stat"; did you mean "stats"?' '#\nstat = yes\n'
mistake 1 'there is no key "log_all"; did you mean "log-all"?' 'log_all = 1\n'
mistake 1 'there is no key ""' '= yes\n'
mistake 1 '"ye" is neither yes nor no; did you mean "yes"?' 'off = ye\n'
mistake 1 '"fals" is neither yes nor no; did you mean "false"?' 'status = fals\n'
mistake 3 'there is no backend "scan:marke"; did you mean "scan:marked"?' '[a.exe]\n\nbackend = scan:marke\n'
mistake 1 'there is no backend "mprotect"' 'backend = mprotect\n'
mistake 1 'is no absolute path' 'log = x.log\n'
mistake 1 'a line is' 'off\n'
mistake 1 'a section ends with ]' '[game.exe\n'
mistake 1 'a section needs the name' '[ ]\n'
mistake 1 'without its folder' '[c:\\\\game.exe]\n'
mistake 1 'semicolon' '[a;b.exe]\n'
mistake 1 'not be longer than 63' "[$(printf '%064d' 0)]\n"
mistake 2 'semicolon' "[a.exe]\nlog = $work/a;b\n"
mistake 3 'off is set already, in line 1' 'off = no\n\noff = yes\n'
mistake 4 'off is set already, in line 2' '[A.exe]\noff = no\n[a.exe]\noff = yes\n'
mistake 1 'a line has a null byte' 'off = no\0\n'
mistake 1 "the log $work/none/log cannot be written: No such file or directory" "log = $work/none/log\n"
mistake 2 "the log / cannot be written: it is a folder" "[a.exe]\nlog = /\n"
rm "$user" && mkdir "$user"
"$run" true 2>/dev/null; same "a folder in place of the file" $? 125
rmdir "$user"
# as another user than root, who may read everything
as_user=
[ "$(id -u)" -ne 0 ] || as_user="setpriv --reuid 65534 --regid 65534 --clear-groups"
chmod -R a+rX "$work"
: >"$user" && chmod 0 "$user"
message=$($as_user "$run" true 2>&1); same "a file that may not be read" $? 125
same "its message" "$message" "writewatch: $user cannot be read: Permission denied"
chmod 600 "$user" && echo mistake >"$user" && chmod 0 "$HOME/.config"
$as_user "$run" true; same "a folder that may not be looked into" $? 0
chmod 755 "$HOME/.config"
i=0
while [ $i -lt 200 ]; do
    printf '[%060d]\nbackend = scan:unmarked\n' $i
    i=$((i + 1))
done >"$user"
"$run" true 2>/dev/null; same "more than can be passed" $? 125

# what --check says of it
echo 'lgo = x' >"$user"
"$run" --check --json /none >"$work/json"; same "--check with a mistake" $? 1
grep -q '"id": "config-mistake".*did you mean \\"log\\"' "$work/json" || bad "$(cat "$work/json")"
printf '\noff = yes\n[a.exe]\noff = yes\n' >"$user"
"$run" --check --json /none >"$work/json"
grep -q "\"id\": \"switched-off\".*writewatch.conf:2 switches writewatch off" "$work/json" ||
    bad "off in a file: $(cat "$work/json")"
grep -q '"id": "switched-off-program".*writewatch.conf:4 switches writewatch off for a.exe' \
    "$work/json" || bad "off for a program: $(cat "$work/json")"

# --explain
cat >"$user" <<END
log = $work/all.log
[game.exe]
off = yes
log = $work/game.log
END
printf "stats = yes\nlog = $work/system.log\n" >"$system"
# explained KEY VALUE WORDS: a key with this value, and these words in the lines about it
explained()
{
    about=$(sed -n "/^$1 /,/^[a-z]/p" "$work/said")
    case $about in
    "$1 "*" $2
"*"$3"*) ;;
    *) bad "$1 is not explained by $2, $3: $about" ;;
    esac
}
WRITEWATCH_BACKEND=scan "$run" --explain 'C:\Games\GAME.exe' >"$work/said"; same "--explain" $? 0
explained off yes "by $user:3, for [game.exe]"
explained log $work/game.log "by $user:4, for [game.exe]
          it goes before $user:1, for all programs
          it goes before $system:2, for all programs"
explained backend scan 'by the environment variable WRITEWATCH_BACKEND=scan'
explained stats yes "by $system:1, for all programs"
explained status yes 'by default'
"$run" -s --explain other.exe >"$work/said"
explained log $work/all.log "by $user:1, for all programs"
explained stats yes 'by the option --stats'
explained off no 'by default'
WRITEWATCH=no "$run" --explain other.exe >"$work/said"
explained off yes 'by the environment variable WRITEWATCH='
"$run" --explain >/dev/null 2>&1; same "--explain without a program" $? 125
"$run" --explain a b >/dev/null 2>&1; same "--explain with two" $? 125

# the library heeds it: a program is what is started first, here the ntdll.so that is loaded
cat >"$work/load.c" <<'END'
#include <dlfcn.h>
int main( int argc, char **argv ) { return argc == 2 && dlopen( argv[1], RTLD_NOW ) ? 0 : 1; }
END
${CC:-cc} -o "$work/load" "$work/load.c" -ldl && echo 'int nothing;' >"$work/n.c" &&
    ${CC:-cc} -shared -fPIC -o "$work/ntdll.so" "$work/n.c" || exit 1
rm "$system"
# logged WORDS: what the log says of it
logged()
{
    : >"$work/log"
    "$run" "$work/load" "$work/ntdll.so" || bad "the program failed"
    grep -q " ntdll.so: not active: $1" "$work/log" || bad "not logged: $1: $(cat "$work/log")"
}
echo "log = $work/log" >"$user"
logged 'this Wine is not recognised'
printf "log = $work/log\n[NTDLL.so]\noff = yes\n" >"$user"
logged 'switched off for this program'
printf "log = $work/log\noff = 1\n" >"$user"
logged 'WRITEWATCH=off'
printf "log = $work/log\noff = 1\n[ntdll.so]\noff = no\n" >"$user"
logged 'this Wine is not recognised'
printf "off = 1\n[ntdll.so]\nlog = $work/log\n" >"$user"
logged 'WRITEWATCH=off'

[ $failures -eq 0 ] || { echo "$failures failures"; exit 1; }
exit 0
