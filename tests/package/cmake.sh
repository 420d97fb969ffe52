#!/bin/sh
# make install with folders given to make: pkg-config and CMake find the library there, also after
# the installation was moved as a whole; a program gets the shared library, the static one, and that
# as a static program that is loaded anywhere.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later

CC=${CC:-cc}
work=$(mktemp -d "${TMPDIR:-/tmp}/writewatch-cmake.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# make install notes the directories that it makes: keep the user's note
noted=$top_builddir/installed-dirs
[ ! -f "$noted" ] || { echo "this build tree is installed: make uninstall first"; exit 77; }
unset MAKEFLAGS MFLAGS MAKELEVEL LD_PRELOAD WRITEWATCH_BACKEND CFLAGS LDFLAGS
unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR CMAKE_PREFIX_PATH
lacking=

die()
{
    echo "$*"
    exit 1
}

# to_install TARGET FOLDERS...
to_install()
{
    make -C "$top_builddir" DESTDIR= "$@" >"$work/log" 2>&1
    status=$?
    rm -f "$noted"
    [ $status -eq 0 ] || die "$(cat "$work/log")"
}

# Watches, writes, polls and lists with each backend that works here; says which did.
cat >"$work/prog.c" <<'END'
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <writewatch.h>

#if WRITEWATCH_VERSION < 1000
#error no version
#endif

int main( int argc, char **argv )
{
    size_t page = sysconf( _SC_PAGESIZE ), size = 16 * page;
    struct writewatch_filter filter = { 0 };
    struct writewatch_range ranges[4];
    const void *next;
    ULONG_PTR count = 4;
    DWORD granularity;
    PVOID pages[4];
    char *memory;

    if (argc > 1 && writewatch_open( argv[1] ))
    {
        printf( "%s\n", writewatch_reason() );
        return 77;
    }
    memory = mmap( NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 );
    if (memory == MAP_FAILED || writewatch_watch( memory, size ))
    {
        printf( "cannot watch: %s\n", writewatch_reason() );
        return 1;
    }
    memory[3 * page + 5] = memory[4 * page] = memory[9 * page] = 1;
    filter.required = WRITEWATCH_WRITTEN;
    filter.returned = WRITEWATCH_WRITTEN | WRITEWATCH_PRESENT;
    if (writewatch_list( memory, size, &filter, ranges, 4, &next ) != 2) return 2;
    if (ranges[0].start != (uintptr_t)memory + 3 * page || ranges[1].end - ranges[1].start != page)
        return 3;
    if (ranges[0].categories != filter.returned) return 4;
    if (GetWriteWatch( WRITE_WATCH_FLAG_RESET, memory, size, pages, &count, &granularity ) ||
        count != 3 || pages[2] != memory + 9 * page || granularity != page) return 5;
    count = 4;
    if (GetWriteWatch( 0, memory, size, pages, &count, &granularity ) || count) return 6;
    if (writewatch_unwatch( memory, size )) return 7;
    printf( "right\n" );
    return writewatch_version() != WRITEWATCH_VERSION;
}
END

# right PROGRAM: with the backend that it chooses and with each that works here
right()
{
    got=$("$1" 2>&1) && [ "$got" = right ] || die "$1 ended with $?: $got"
    for backend in scan sigbus mprotect thread; do
        got=$("$1" $backend 2>&1)
        status=$?
        case $status in
        0) [ "$got" = right ] || die "$1 $backend: $got" ;;
        77) ;;
        *) die "$1 $backend ended with $status: $got" ;;
        esac
    done
}

# by_pkg_config LIBDIR OPTION...: a program by its flags, with libraries only from there
by_pkg_config()
{
    libs_from=$1
    shift
    flags=$("$PKG_CONFIG" "$@" --cflags --libs writewatch) || die "pkg-config $* fails"
    case " $flags " in
    *" -L$libs_from "*) ;;
    *) die "pkg-config says $flags, and the library is in $libs_from" ;;
    esac
    # shellcheck disable=SC2086
    $CC -Wall -Wextra -Werror "$work/prog.c" -o "$work/prog" $flags -Wl,-rpath,"$libs_from" ||
        die "it does not compile with $flags"
    right "$work/prog"
}

# by_cmake PREFIX: a project of all targets
by_cmake()
{
    rm -rf "$work/build"
    mkdir -p "$work/project" "$work/build"
    cat >"$work/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.13)
project(prog C)
find_package(writewatch 0.1 REQUIRED COMPONENTS static)
add_executable(shared ../prog.c)
target_link_libraries(shared writewatch::writewatch)
add_executable(static ../prog.c)
target_link_libraries(static writewatch::static)
foreach(version 9.0 1.0)
  find_package(writewatch ${version} QUIET CONFIG)
  if(writewatch_FOUND)
    message(FATAL_ERROR "version ${version} is found")
  endif()
endforeach()
find_package(writewatch QUIET COMPONENTS nothing)
if(writewatch_FOUND)
  message(FATAL_ERROR "a component is found that is none")
endif()
END
    (cd "$work/build" && cmake -Werror=dev -DCMAKE_C_COMPILER="${CC%% *}" -DCMAKE_PREFIX_PATH="$1" \
        ../project && cmake --build .) >"$work/log" 2>&1 || die "$(cat "$work/log")"
    right "$work/build/shared"
    right "$work/build/static"
    readelf -d "$work/build/shared" | grep -q 'NEEDED.*libwritewatch\.so\.0' ||
        die "the target writewatch::writewatch is not the shared library"
    readelf -d "$work/build/static" | grep -q 'NEEDED.*libwritewatch' &&
        die "the target writewatch::static is the shared library"
    grep -q "^writewatch_DIR:PATH=$1/" "$work/build/CMakeCache.txt" ||
        die "another writewatch is found: $(grep ^writewatch_DIR "$work/build/CMakeCache.txt")"
}

cd "$work" || exit 1
command -v "${PKG_CONFIG:-none-found}" >/dev/null || lacking="$lacking pkg-config"
command -v cmake >/dev/null || lacking="$lacking cmake"

# what Debian names its folders by, and CMake looks for there
multiarch=$($CC -print-multiarch 2>/dev/null)
[ -n "$multiarch" ] && [ -d "/usr/lib/$multiarch" ] || multiarch=

# only the prefix is given, then each folder for itself
for folders in "prefix=$work/here" "prefix=$work/here libdir=$work/here/lib/$multiarch \
    includedir=$work/here/include/some" "prefix=$work/here libdir=$work/apart/lib"; do
    # shellcheck disable=SC2086
    to_install install $folders
    pc=$(find here apart -name writewatch.pc 2>/dev/null)
    [ -f "$pc" ] || die "writewatch.pc was not installed"
    libdir=$(dirname "$(dirname "$work/$pc")")
    case $lacking in
    *pkg-config*) ;;
    *) PKG_CONFIG_LIBDIR=$libdir/pkgconfig by_pkg_config "$libdir"
       # moved as a whole; the prefix of a .pc file is what is two folders above it
       case $folders in
       *libdir*) ;;
       *) mkdir moved && mv here moved/to || exit 1
          PKG_CONFIG_LIBDIR=$work/moved/to/lib/pkgconfig \
              by_pkg_config "$work/moved/to/lib" --define-prefix
          mv moved/to here && rmdir moved || exit 1 ;;
       esac ;;
    esac
    case $lacking in
    *cmake*) ;;
    *) by_cmake "${libdir%/lib*}"
       case $folders in
       *apart*) ;;
       *) mkdir moved && mv here moved/to || exit 1
          by_cmake "$work/moved/to"
          mv moved/to here && rmdir moved || exit 1 ;;
       esac ;;
    esac

    # a static program that is loaded anywhere
    includedir=$(dirname "$(find "$work/here" -name writewatch.h)")
    if ! echo 'int main( void ) { return 0; }' | $CC -x c -static-pie -o pie - 2>/dev/null; then
        case $lacking in *static-pie*) ;; *) lacking="$lacking static-pie(by-$CC)" ;; esac
    else
        $CC -Wall -Wextra -Werror -fPIE -static-pie -I"$includedir" -o pie prog.c \
            "$libdir/libwritewatch.a" -pthread || die "it does not link with -static-pie"
        readelf -h pie | grep -q 'Type: *DYN' || die "-static-pie makes no program of that kind"
        ! readelf -l pie | grep -q INTERP || die "-static-pie makes a program that needs a loader"
        right ./pie
    fi
    # shellcheck disable=SC2086
    to_install uninstall $folders
    left=$(find here apart -mindepth 1 ! -type d 2>/dev/null)
    [ -z "$left" ] || die "left: $left"
    rm -rf here apart
done

[ -z "$lacking" ] || {
    echo "all else passed, but missing:$lacking: run tools/install-deps"
    exit 77
}
exit 0
