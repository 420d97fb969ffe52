#!/bin/sh
#
# Uninterrupted code must stay in its section: a call out of it, into libc say, would be a place
# where a thread can be suspended or ended in the middle of a query. With WRITEWATCH_LIBRARY that is
# checked of another library.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

set -eu
: "${WRITEWATCH_LIBRARY:=}"
library=${WRITEWATCH_LIBRARY:-$top_builddir/preload/libwritewatch-preload.so}
functions='get_write_watch reset_write_watch watch_collect watch_reset watch_undo watch_begin
           region_find region_get region_put marks_take marks_set scan_collect user_store_runs'

section=$("${OBJDUMP:-objdump}" -d -j uninterrupted "$library")
status=0
for function in $functions; do
    # inlined ones leave no symbol; what is somewhere else does
    if "${OBJDUMP:-objdump}" -t "$library" | grep -w "$function" | grep -qv -w uninterrupted; then
        echo "$function is not in the section"
        status=1
    fi
done
for function in get_write_watch reset_write_watch scan_collect; do
    echo "$section" | grep -q "<$function>:" || { echo "$function is missing"; status=1; }
done

# What link-time optimization builds into its callers is in the section no longer: each function that
# other sources call keeps its name there. The preloaded library has no use for some:
unused='marks_group_end marks_peek region_get region_put watch_take_marked'
symbols=$("${OBJDUMP:-objdump}" -t "$library" | grep ' F ')
# and the native library has nothing of preload/
case $library in
*preload*) preloaded='preload/*.c' ;;
*) preloaded= ;;
esac
# shellcheck disable=SC2086
shared=$(cd "$top_srcdir" && sed -n 's/^UNINTERRUPTED .*[ *]\([a-z_0-9]*\)(.*/\1/p' dlls/ntdll/unix/*.c \
    dlls/ntdll/unix/engine/*.c dlls/ntdll/unix/scan/*.c $preloaded)
[ "$(echo "$shared" | wc -l)" -gt 30 ] || { echo "no functions found"; status=1; }
for function in $shared; do
    places=$(echo "$symbols" | sed -n "/ $function\(\.[a-z0-9.]*\)\?\$/p")
    if [ -z "$places" ]; then
        case " $unused " in
        *" $function "*) ;;
        *) echo "$function is built into its callers"; status=1 ;;
        esac
    elif echo "$places" | grep -qv -w uninterrupted; then
        echo "$function is not in the section"
        status=1
    fi
done

# addresses of the section, and every direct call or jump in it, on each processor
set -- $("${OBJDUMP:-objdump}" -h "$library" | awk '$2 == "uninterrupted" { print $4, $3 }')
start=$((0x$1)) end=$((0x$1 + 0x$2))
jumps='call\|j[a-z]*\|bl\?\|b\.[a-z]*\|cbn\?z\|tbn\?z'
targets=$(echo "$section" |
    sed -n "s/.*[[:space:]]\($jumps\)[[:space:]]\+\(.*[ ,]\)\?\([0-9a-f]\{3,\}\) <.*/\3/p" | sort -u)
[ "$(echo "$targets" | wc -l)" -gt 20 ] || { echo "no calls or jumps found"; status=1; }
# what gcc makes for i386 to read the program counter belongs to its caller when a signal arrives:
# context_is_in() in sys/arch/i386/cpu.h
helpers=$("${OBJDUMP:-objdump}" -t "$library" | awk '/ __x86\.get_pc_thunk\./ { print $1 }' |
    sed 's/^0*//')
for target in $targets; do
    ! echo "$helpers" | grep -qx "$target" || continue
    [ $((0x$target)) -ge $start ] && [ $((0x$target)) -lt $end ] || {
        echo "$section" | grep -w "$target" | head -1
        status=1
    }
done

[ -z "$WRITEWATCH_LIBRARY" ] || exit $status

# Calls into the section from outside. A signal that arrives there is put off, so each function that
# makes such a call delivers it afterwards, or lets go of the lock, which does so as well. These do
# neither, as they run with the lock held, or are parts of one that does (watch_list), or because only
# a backend that is not in here calls them (region_lose):
locked='add_run alloc_region empty_region free_region split_region move_marks region_insert_as
        region_insert region_lose region_remove prepare_regions drop_range drop_contents save_any save_fresh
        blocks_forget scan_save scan_marked_save scan_marked_commit scan_discard scan_marked_discard
        discard_accessible scan_mark_empty change_lock lock_for_fork
        marks_recount region_without_steps free_regions_without_steps adopt adopt_region go_on_in_child
        scan_reattach scan_marked_reattach forget_parent'
# A static function that may be built into its callers is called in the section, or with the lock held:
# built into record_get() it would be code in which a thread can be ended.
outside=$(cd "$top_srcdir" && find dlls preload -name '*.[ch]' | sort | xargs awk -v locked="$locked" '
    BEGIN { count = split( locked, list ); for (i = 1; i <= count; i++) is_locked[list[i]] = 1 }
    FNR == 1 { inside = 0; caller = "" }
    # the name is in the next line
    /always_inline\)\) [a-z ]*$/ { inline = 1; next }
    /^[a-zA-Z_].*\(/ && !/;$/ {
        inside = /UNINTERRUPTED|always_inline|INLINE / || inline
        inline = 0
        caller = $0
        sub( /\(.*/, "", caller )
        sub( /.*[ *]/, "", caller )
        if (/UNINTERRUPTED_PART/) parts[FILENAME, caller] = ++found
        next
    }
    /^[ \t]/ && !inside && caller != "" && !(caller in is_locked) {
        line = $0
        sub( /^ \*.*/, "", line )
        while (match( line, /[a-z_0-9]+\(/ ))
        {
            name = substr( line, RSTART, RLENGTH - 1 )
            if ((FILENAME, name) in parts)
                print FILENAME ": " caller " may have " name " in it, outside of the section"
            line = substr( line, RSTART + RLENGTH )
        }
    }
    END { if (found < 30) print "only " found " such functions were found" }')
[ -z "$outside" ] || { echo "$outside"; status=1; }

callers=$("${OBJDUMP:-objdump}" -d --no-show-raw-insn "$library" | awk '
    /^Disassembly of section/ { section = $4; sub( /:$/, "", section ) }
    /^[0-9a-f]+ <.*>:$/ {
        name = $2
        gsub( /[<>:]/, "", name )
        sub( /\.(constprop|isra|part|cold|lto_priv).*/, "", name )
        if (section == "uninterrupted") inside[name] = 1
    }
    section != "uninterrupted" && /\t(call|jmp)/ && /</ {
        target = $0
        sub( /.*</, "", target )
        sub( /[>+@].*/, "", target )
        sub( /\.(constprop|isra|part|cold|lto_priv).*/, "", target )
        calls[name] = calls[name] " " target
    }
    END {
        for (name in calls)
        {
            count = split( calls[name], targets, " " )
            enters = leaves = 0
            for (i = 1; i <= count; i++)
            {
                if (targets[i] in inside) enters = 1
                if (targets[i] ~ /^(deliver_deferred_signals|leave_uninterrupted_code|change_unlock)$/)
                    leaves = 1
            }
            if (enters) print name, leaves
        }
    }')
[ "$(echo "$callers" | wc -l)" -gt 5 ] || { echo "no calls into the section found"; status=1; }
set -- $callers
while [ $# -gt 1 ]; do
    case " $(echo $locked) " in
    *" $1 "*) ;;
    *) [ "$2" = 1 ] || {
        echo "$1 calls into the section, and delivers nothing when it comes out"
        status=1
    } ;;
    esac
    shift 2
done

other=$top_builddir/32/preload/libwritewatch-preload.so
if [ -f "$other" ]; then WRITEWATCH_LIBRARY=$other sh "$0" || status=1; fi
exit $status
