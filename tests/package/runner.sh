#!/bin/sh
# The runner: how it finds and preloads the library, what it keeps, and how it exits.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Needs no Wine: the library is a fake one that can be preloaded and does nothing. The fixture is
# a build tree of its own, because the place of the runner decides which library it finds.

real=$top_builddir/programs/writewatch/writewatch
[ -x "$real" ] || { echo "programs/writewatch/writewatch is not built"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-runner.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
work=$(cd "$work" && pwd -P)
case $work in
*[\ :]*) echo "the folder for temporary files, $work, has a space or a colon"; exit 77 ;;
esac
unset LD_PRELOAD WRITEWATCH WRITEWATCH_LOG WRITEWATCH_STATS WINE_DISABLE_KERNEL_WRITEWATCH
unset XDG_RUNTIME_DIR XDG_CONFIG_HOME WRITEWATCH_PROGRAMS WRITEWATCH_RUN
export HOME="$work/home"
mkdir -p "$HOME" "$work/cwd"
cd "$work/cwd" || exit 1

failures=0

# same WHAT GOT WANTED
same()
{
    [ "$2" = "$3" ] && return
    echo "$1: got '$2', wanted '$3'"
    failures=$((failures + 1))
}

# like WHAT TEXT PATTERN
like()
{
    case $2 in
    $3) ;;
    *) echo "$1: got '$2', wanted '$3'"; failures=$((failures + 1)) ;;
    esac
}

# make_tree DIR makes a build tree with a fake library
make_tree()
{
    mkdir -p "$1/programs/writewatch" "$1/preload/$lib64"
    cp "$real" "$1/programs/writewatch/writewatch"
    cp "$work/fake.so" "$1/preload/$lib64/$name"
}

# what the loader puts in the place of $LIB, as configure has found out
lib64=$(sed -n 's/^LOADER_LIB = //p' "$top_builddir/Makefile")
lib32=$(sed -n 's/^BUILD_LIB32 = //p' "$top_builddir/Makefile")
[ -n "$lib64" ] || { echo "no LOADER_LIB in the Makefile"; exit 1; }

name=libwritewatch-preload.so
echo 'int writewatch_fake = 1;' >"$work/fake.c"
# shellcheck disable=SC2086
${CC:-cc} -shared -fPIC -o "$work/fake.so" "$work/fake.c" || exit 1
cp "$work/fake.so" "$work/other.so"
cp "$work/fake.so" "$work/third.so"
make_tree "$work/tree"
run=$work/tree/programs/writewatch/writewatch
lib=$work/tree/preload/$lib64/$name
show='echo "$LD_PRELOAD"'

# help and version
like "--help" "$("$run" --help)" 'Usage: writewatch *'
like "-h" "$("$run" -h)" 'Usage: writewatch *'
"$run" --help >/dev/null; same "status of --help" $? 0
like "--version" "$("$run" --version)" 'writewatch [0-9]*.[0-9]*'
like "-V" "$("$run" -V)" 'writewatch [0-9]*.[0-9]*'

# exit status
"$run" true; same "status 0" $? 0
"$run" sh -c 'exit 42'; same "status 42" $? 42
"$run" sh -c 'kill -KILL $$' 2>/dev/null; same "death by SIGKILL" $? 137
"$run" 2>/dev/null; same "no command" $? 125
"$run" --no-such-option true 2>/dev/null; same "unknown option" $? 125
"$run" --log 2>/dev/null; same "--log without a file" $? 125
"$run" --log '' true 2>/dev/null; same "--log with an empty name" $? 125
"$run" "$work/missing" 2>/dev/null; same "missing command" $? 127
"$run" no-such-command-anywhere 2>/dev/null; same "missing command in PATH" $? 127
: >"$work/plain"
"$run" "$work/plain" 2>/dev/null; same "plain file" $? 126
same "lines for a missing command" "$("$run" "$work/missing" 2>&1 | wc -l)" 1
like "message for a missing command" "$("$run" "$work/missing" 2>&1)" "writewatch: *$work/missing*"

# arguments and options
same "arguments" "$("$run" printf '<%s>' a 'b c' '' -l --help)" '<a><b c><><-l><--help>'
same "options end at the command" "$("$run" sh -c 'echo "$WRITEWATCH$1"' sh --off)" '--off'
same "options end at --" "$("$run" -- sh -c 'echo "$0"' x)" x
same "input" "$(echo text | "$run" cat)" text
like "process id" "$(sh -c 'echo $$; exec "$0" sh -c "echo \$\$"' "$run" | uniq | wc -l)" '*1'

# the environment
same "nothing set" \
    "$("$run" sh -c 'echo "${WRITEWATCH-none}${WRITEWATCH_LOG-none}${WRITEWATCH_STATS-none}"')" \
    nonenonenone
same "-l" "$("$run" -l "$work/a-log" sh -c 'echo "$WRITEWATCH_LOG"')" "$work/a-log"
same "--log=" "$("$run" --log="$work/a-log" sh -c 'echo "$WRITEWATCH_LOG"')" "$work/a-log"
same "--log -" "$("$run" --log - sh -c 'echo "$WRITEWATCH_LOG"')" -
same "relative --log" "$("$run" -l 'x y.log' sh -c 'echo "$WRITEWATCH_LOG"')" "$work/cwd/x y.log"
same "relative WRITEWATCH_LOG" "$(WRITEWATCH_LOG=x.log "$run" sh -c 'echo "$WRITEWATCH_LOG"')" \
    "$work/cwd/x.log"
same "WRITEWATCH_LOG=-" "$(WRITEWATCH_LOG=- "$run" sh -c 'echo "$WRITEWATCH_LOG"')" -
same "-l wins" "$(WRITEWATCH_LOG=/x "$run" -l "$work/y" sh -c 'echo "$WRITEWATCH_LOG"')" "$work/y"
same "relative --record" "$("$run" --record 'x y' sh -c 'echo "$WRITEWATCH_RECORD"')" \
    "$work/cwd/x y"
[ -f "$work/cwd/x y" ] || { echo "the record was not created"; failures=$((failures + 1)); }
same "relative WRITEWATCH_RECORD" \
    "$(WRITEWATCH_RECORD=rec "$run" sh -c 'echo "$WRITEWATCH_RECORD"')" "$work/cwd/rec"
echo '7 1.000000 writewatch 1 64 4096 0.1.0 a.exe' >rec
same "a record that is there" "$("$run" --record rec echo ran)" ran
same "it is kept" "$(wc -l <rec)" 1
echo 'a file of the user' >rec
same "a file that is no record" "$("$run" --record rec echo ran 2>&1)" \
    "writewatch: $work/cwd/rec is there already and is no record: name another file."
same "that file" "$(cat rec)" 'a file of the user'
"$run" --record "$work/none/rec" true 2>/dev/null; same "a record without a folder" $? 125
"$run" --record "$work" true 2>/dev/null; same "a folder as record" $? 125
mkfifo pipe
"$run" --record pipe true 2>/dev/null; same "a pipe as record" $? 125
ln -s new link
"$run" --record link true 2>/dev/null; same "a link as record" $? 125
"$run" --record '' true 2>/dev/null; same "--record with an empty name" $? 125
rm -f pipe link rec
same "a log that cannot be written" "$("$run" -l "$work/none/log" echo ran 2>&1)" \
    "writewatch: the log $work/none/log cannot be written: No such file or directory"
printf 'MZ\220' >"$work/game.exe" && chmod +x "$work/game.exe"
same "a Windows program without wine" "$("$run" "$work/game.exe" 2>&1)" \
    "writewatch: $work/game.exe is a Windows program: put wine before it."
chmod -x "$work/game.exe"
same "one that is not executable" "$("$run" "$work/game.exe" 2>&1)" \
    "writewatch: $work/game.exe is a Windows program: put wine before it."
cp "$work/game.exe" here.exe
for mode in 644 755; do
    chmod $mode here.exe
    same "one in the current directory, mode $mode" "$("$run" here.exe 2>&1)" \
        "writewatch: here.exe is no command, but a Windows program in the current directory: put wine before it."
    "$run" here.exe 2>/dev/null; same "its status, mode $mode" $? 127
    same "one named by ./, mode $mode" "$("$run" ./here.exe 2>&1)" \
        "writewatch: ./here.exe is a Windows program: put wine before it."
    "$run" ./here.exe 2>/dev/null; same "the status with ./, mode $mode" $? 126
done
same "one in PATH" "$(PATH=$work/cwd:$PATH "$run" here.exe 2>&1)" \
    "writewatch: here.exe is a Windows program: put wine before it."
echo text >other.exe
same "a text by that ending" "$("$run" other.exe 2>&1)" \
    "writewatch: cannot run other.exe: No such file or directory"
rm here.exe other.exe

# what cannot be printed
if [ -w /dev/full ]; then
    for option in --help --version; do
        message=$("$run" $option 2>&1 >/dev/full)
        same "$option to a full device" $? 125
        same "message for $option to a full device" "$message" \
            "writewatch: cannot write to standard output: No space left on device"
    done
fi

# logs that the library could not write
# no_log WHAT FILE REASON
no_log()
{
    same "$1" "$("$run" -l "$2" echo ran 2>&1)" "writewatch: the log $2 cannot be written: $3"
    "$run" -l "$2" true 2>/dev/null; same "status of $1" $? 125
    WRITEWATCH_LOG=$2 "$run" true 2>/dev/null; same "status of $1 in the environment" $? 125
    same "--off with $1" "$(WRITEWATCH_LOG=$2 "$run" --off echo ran 2>&1)" ran
}
mkdir "$work/folder"
no_log "a folder as the log" "$work/folder" "it is a folder"
no_log "a name that ends with /" "$work/folder/x/" "Is a directory"
ln -s "$work/nothing" "$work/dangling"
no_log "a link to nothing as the log" "$work/dangling" "it is a link, which is not followed"
[ ! -e "$work/nothing" ] || { echo "the link was followed"; failures=$((failures + 1)); }
: >"$work/real" && ln -s "$work/real" "$work/linked"
no_log "a link as the log" "$work/linked" "it is a link, which is not followed"
mkfifo "$work/pipe"
no_log "a pipe without a reader as the log" "$work/pipe" "it is a pipe that has no reader"
cat "$work/pipe" >"$work/from-pipe" &
reader=$!
exec 9>"$work/pipe"
same "a pipe with a reader" "$("$run" -l "$work/pipe" echo ran 2>&1)" ran
exec 9>&-
wait $reader
same "a device" "$("$run" -l /dev/null echo ran 2>&1)" ran
WRITEWATCH_LOG=$work/new.log "$run" --check /none >"$work/said"
grep -q 'cannot be written' "$work/said" && { cat "$work/said"; failures=$((failures + 1)); }
[ ! -e "$work/new.log" ] || { echo "the log was left behind, empty"; failures=$((failures + 1)); }
echo kept >"$work/old.log"
"$run" -l "$work/old.log" true
same "an old log" "$(head -n 1 "$work/old.log")" kept

same "-s" "$("$run" -s sh -c 'echo "$WRITEWATCH_STATS"')" 1
same "--stats" "$("$run" --stats sh -c 'echo "$WRITEWATCH_STATS"')" 1
same "--off" "$("$run" --off sh -c 'echo "$WRITEWATCH"')" off
same "preload with --off" "$("$run" --off sh -c 'echo "${LD_PRELOAD-none}"')" none
same "--off keeps others" "$(LD_PRELOAD="$work/other.so" "$run" --off sh -c "$show")" "$work/other.so"
same "--off in a runner" "$("$run" "$run" --off sh -c 'echo "${LD_PRELOAD-none}"')" none
same "--off in a runner keeps others" \
    "$(LD_PRELOAD="$work/other.so $work/third.so" "$run" "$run" --off sh -c "$show")" \
    "$work/other.so:$work/third.so"
same "a runner in --off" "$("$run" --off "$run" sh -c 'echo "$WRITEWATCH"')" off
same "--off leaves Wine's switch alone" \
    "$("$run" --off sh -c 'echo "${WINE_DISABLE_KERNEL_WRITEWATCH-none}"')" none
like "--off, really not mapped" "$("$run" "$run" --off cat /proc/self/maps | grep -c "$name")" 0
same "WRITEWATCH=off" "$(WRITEWATCH=off "$run" sh -c 'echo "$WRITEWATCH $LD_PRELOAD"')" "off $lib"
same "WINE_DISABLE_KERNEL_WRITEWATCH" \
    "$(WINE_DISABLE_KERNEL_WRITEWATCH=1 "$run" \
        sh -c 'echo "$WINE_DISABLE_KERNEL_WRITEWATCH $LD_PRELOAD"')" "1 $lib"

# LD_PRELOAD
same "nothing before" "$("$run" sh -c "$show")" "$lib"
same "empty before" "$(LD_PRELOAD='' "$run" sh -c "$show")" "$lib"
same "kept" "$(LD_PRELOAD="$work/other.so" "$run" sh -c "$show")" "$lib:$work/other.so"
same "kept, separated by spaces" \
    "$(LD_PRELOAD="$work/other.so $work/third.so" "$run" sh -c "$show")" \
    "$lib:$work/other.so:$work/third.so"
same "kept, separated by both" \
    "$(LD_PRELOAD=" $work/other.so: $work/third.so:" "$run" sh -c "$show")" \
    "$lib:$work/other.so:$work/third.so"
same "twice" "$("$run" "$run" sh -c "$show")" "$lib"
same "moved to the front" \
    "$(LD_PRELOAD="$work/other.so:$lib:$work/third.so" "$run" sh -c "$show")" \
    "$lib:$work/other.so:$work/third.so"
ln -s tree "$work/way"
same "there by another path" \
    "$(LD_PRELOAD="$work/way/preload/$lib64/$name" "$run" sh -c "$show")" "$lib"
ln -s "$lib" "$work/alias.so"
same "there by another name" "$(LD_PRELOAD="$work/alias.so" "$run" sh -c "$show")" "$lib"
make_tree "$work/tree2"
same "there as another copy" \
    "$(LD_PRELOAD="$work/tree2/preload/$lib64/$name" "$run" sh -c "$show")" "$lib"
same "entry without a folder" "$(LD_PRELOAD="libc.so.6" "$run" sh -c "$show")" "$lib:libc.so.6"
like "really mapped" "$("$run" cat /proc/self/maps)" "*$lib*"
same "started through a link" "$(ln -s "$run" "$work/ww" && "$work/ww" sh -c "$show")" "$lib"
same "started through PATH" "$(PATH=$work/tree/programs/writewatch:$PATH writewatch sh -c "$show")" "$lib"

# where the library is looked for
mkdir "$work/lone"
cp "$real" "$work/lone/writewatch"
cp "$work/fake.so" "$work/cwd/$name"
mkdir -p "$work/cwd/preload/$lib64" && cp "$work/fake.so" "$work/cwd/preload/$lib64/$name"
installed=$(strings "$real" 2>/dev/null | grep -m 1 '^/.*lib.*/writewatch$')
if [ ! -e "$installed/$lib64/$name" ] && [ ! -e "/usr/local/lib/writewatch/$lib64/$name" ]; then
    message=$(LD_LIBRARY_PATH=$work/cwd "$work/lone/writewatch" sh -c "$show" 2>&1)
    same "status without the library" $? 127
    like "message without the library" "$message" "writewatch: $name is *make*"
    same "lines without the library" "$(echo "$message" | wc -l)" 1
fi

# programs of both word sizes: the loader says nothing, as each finds a library of its own
if [ -n "$lib32" ]; then
    make_tree "$work/both"
    both_run=$work/both/programs/writewatch/writewatch
    for dir in $lib32; do
        mkdir -p "$work/both/preload/$dir"
        cp "$top_builddir/preload/$dir/$name" "$work/both/preload/$dir/$name" || exit 1
        same "class of $dir/$name" "$(od -An -tx1 -j4 -N1 "$work/both/preload/$dir/$name")" ' 01'
    done
    both=$work/both/preload/'$LIB'/$name
    same "both sizes" "$("$both_run" sh -c "$show")" "$both"
    like "both sizes, really mapped" "$("$both_run" cat /proc/self/maps)" \
        "*$work/both/preload/$lib64/$name*"
    same "both sizes, twice" "$("$both_run" "$both_run" sh -c "$show")" "$both"
    same "both sizes, kept" "$(LD_PRELOAD="$work/other.so $both" "$both_run" sh -c "$show")" \
        "$both:$work/other.so"
    same "both sizes, nothing said" "$("$both_run" true 2>&1)" ""
    # a library that cannot be loaded that way is named as it was without the other
    cp "$work/both/preload/$lib64/$name" "$work/keep.so"
    : >"$work/both/preload/$lib64/$name"
    same "both sizes, one broken" "$("$both_run" sh -c "$show" 2>/dev/null)" \
        "$work/both/preload/$lib64/$name"
    cp "$work/keep.so" "$work/both/preload/$lib64/$name"

    # made without a 32-bit C library; its loader is there on some machines only
    printf '.globl _start\n_start: movl $1, %%eax\nmovl $5, %%ebx\nint $0x80\n' >"$work/small.s"
    as --32 -o "$work/small.o" "$work/small.s" && ld -m elf_i386 -pie \
        --dynamic-linker /lib/ld-linux.so.2 -o "$work/small" "$work/small.o" 2>/dev/null
    "$work/small" 2>/dev/null
    if [ $? -eq 5 ]; then
        same "a 32-bit program" "$("$both_run" "$work/small" 2>&1)" ""
        "$both_run" "$work/small"; same "status of a 32-bit program" $? 5
        like "a 32-bit program without the 32-bit library" "$("$run" "$work/small" 2>&1)" \
            "*wrong ELF class*"
    else
        echo "not tested with a 32-bit program: there is no /lib/ld-linux.so.2 to run it"
    fi
fi

# a path that LD_PRELOAD cannot hold
for odd in 'odd tree' 'odd:tree' 'odd$LIB' 'odd$ORIGIN'; do
    make_tree "$work/$odd"
    odd_run=$work/$odd/programs/writewatch/writewatch
    odd_lib=$work/$odd/preload/$lib64/$name
    got=$("$odd_run" sh -c "$show")
    link=${got%"/$lib64/$name"}
    like "$odd" "$got" "$HOME/.cache/writewatch/*/$lib64/$name"
    same "$odd: the link's target" "$(readlink "$link")" "$work/$odd/preload"
    same "$odd: mode of the folder" "$(stat -c %a "$HOME/.cache/writewatch")" 700
    like "$odd: really mapped" "$("$odd_run" grep "$name" /proc/self/maps)" "* $odd_lib*"
    same "$odd: second run" "$("$odd_run" sh -c "$show")" "$got"
    same "$odd: twice" "$("$odd_run" "$odd_run" sh -c "$show")" "$got"
    ln -snf /nowhere "$link"
    same "$odd: link repaired" "$("$odd_run" readlink "$link")" "$work/$odd/preload"
    for dir in $lib32; do
        mkdir -p "$work/$odd/preload/$dir"
        cp "$top_builddir/preload/$dir/$name" "$work/$odd/preload/$dir/$name"
        same "$odd: both sizes" "$("$odd_run" sh -c "$show")" "$link/\$LIB/$name"
        like "$odd: both sizes, really mapped" "$("$odd_run" grep "$name" /proc/self/maps)" \
            "* $odd_lib*"
        rm "$work/$odd/preload/$dir/$name"
        break
    done
done
mkdir -m 700 "$work/runtime"
like "XDG_RUNTIME_DIR first" "$(XDG_RUNTIME_DIR=$work/runtime "$odd_run" sh -c "$show")" \
    "$work/runtime/writewatch/*/$name"
chmod 777 "$work/runtime/writewatch"
like "a folder open to others is not used" \
    "$(XDG_RUNTIME_DIR=$work/runtime "$odd_run" sh -c "$show")" "$HOME/.cache/writewatch/*/$name"
rm -rf "$work/runtime/writewatch" && mkdir -m 700 "$work/else" &&
    ln -s "$work/else" "$work/runtime/writewatch"
like "a link in place of the folder is not used" \
    "$(XDG_RUNTIME_DIR=$work/runtime "$odd_run" sh -c "$show")" "$HOME/.cache/writewatch/*/$name"
message=$(HOME='' "$odd_run" true 2>&1)
same "no place for a link" $? 125
like "message when there is no place for a link" "$message" "writewatch: *space, a colon*"

[ $failures -eq 0 ] || { echo "$failures failures"; exit 1; }
exit 0
