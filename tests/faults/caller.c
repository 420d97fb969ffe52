/*
 * fault injection: whose a system call is
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "caller.h"

/* Found out from outside, while the thread waits in its call: by the memory of its process and by
 * what /proc says of it. */

#define FRAME_WORDS 32   /* what a function that forwards has on the stack, at most */

const char *library = "libwritewatch";
const char *program;
int forwards;

long read_memory( pid_t pid, uint64_t addr, void *buffer, size_t size )
{
    struct iovec local = { buffer, size }, remote = { (void *)addr, size };

    return process_vm_readv( pid, &local, 1, &remote, 1, 0 );
}

/* up to the end of the page, if the string ends there or not */
int read_string( pid_t pid, uint64_t addr, char *buffer, size_t size )
{
    size_t room = 4096 - (addr & 4095);
    long len = read_memory( pid, addr, buffer, room < size - 1 ? room : size - 1 );

    if (len > 0 && !memchr( buffer, 0, len ) && (size_t)len < size - 1)
    {
        long more = read_memory( pid, addr + len, buffer + len, size - 1 - len );
        if (more > 0) len += more;
    }
    buffer[len > 0 ? len : 0] = 0;
    return len > 0;
}

/* reads a file in /proc/PID */
long read_proc( pid_t pid, const char *name, char *buffer, size_t size )
{
    char path[64];
    size_t len = 0;
    ssize_t count;
    int fd;

    snprintf( path, sizeof(path), "/proc/%d/%s", pid, name );
    if ((fd = open( path, O_RDONLY | O_CLOEXEC )) == -1) return -1;
    while (len < size - 1 && (count = read( fd, buffer + len, size - 1 - len )) > 0) len += count;
    close( fd );
    buffer[len] = 0;
    return len;
}

/* whether an address is in a mapping of a file whose path ends so */
int is_mapped_from( pid_t pid, uint64_t addr, const char *path )
{
    static char maps[1 << 20];
    unsigned long start, end;
    const char *line, *stop;
    size_t len = strlen( path );

    if (read_proc( pid, "maps", maps, sizeof(maps) ) <= 0) return 0;
    for (line = maps; *line; line = *stop ? stop + 1 : stop)
    {
        stop = strchrnul( line, '\n' );
        if (sscanf( line, "%lx-%lx", &start, &end ) != 2 || addr < start || addr >= end) continue;
        return (size_t)(stop - line) > len && !strncmp( stop - len, path, len );
    }
    return 0;
}

/* whether the command line of a process has the name in it that was asked for */
int is_meant( pid_t pid )
{
    char line[4096];
    long i, len;

    if (!program) return 1;
    if ((len = read_proc( pid, "cmdline", line, sizeof(line) )) <= 0) return 0;
    for (i = 0; i < len; i++) if (!line[i]) line[i] = ' ';
    return strstr( line, program ) != NULL;
}

/* the code of a process, in the order of addresses */
static struct code
{
    uint64_t start;
    uint64_t end;
    /* 'l' our library, 'c' the C library and its like, 'd' the dynamic linker, 'o' other */
    char     owner;
} codes[4096];
static unsigned int code_count;

/***********************************************************************
 *           read_codes
 *
 * From /proc/PID/maps.
 */
static void read_codes( pid_t pid )
{
    static char maps[1 << 20];
    const char *line, *next, *name;
    unsigned long start, end;
    char text[256];
    char perms[5], owner;
    int len;

    code_count = 0;
    if (read_proc( pid, "maps", maps, sizeof(maps) ) <= 0) return;
    for (line = maps; *line && code_count < sizeof(codes) / sizeof(codes[0]); line = next)
    {
        next = strchr( line, '\n' );
        next = next ? next + 1 : line + strlen( line );
        len = 0;
        if (sscanf( line, "%lx-%lx %4s %*x %*x:%*x %*u%n", &start, &end, perms, &len ) < 3 || !len)
            continue;
        if (perms[2] != 'x') continue;
        snprintf( text, sizeof(text), "%.*s", (int)(next - line - len - 1), line + len );
        name = strrchr( text, '/' );
        name = name ? name + 1 : text;
        if (!strncmp( name, library, strlen( library ))) owner = 'l';
        else if (!strncmp( name, "ld-", 3 )) owner = 'd';
        else if (!strncmp( name, "libc.so", 7 ) || !strncmp( name, "libc-", 5 ) ||
                 !strncmp( name, "libpthread", 10 ) || strstr( name, "[v" ))   /* vdso */
            owner = 'c';
        else owner = 'o';
        codes[code_count++] = (struct code){ start, end, owner };
    }
}

/* 0 for what is no code */
static char whose_code( uint64_t addr )
{
    unsigned int low = 0, high = code_count;

    while (low < high)
    {
        unsigned int mid = (low + high) / 2;

        if (codes[mid].end > addr) high = mid;
        else low = mid + 1;
    }
    return low < code_count && codes[low].start <= addr ? codes[low].owner : 0;
}

/***********************************************************************
 *           is_forwarded
 *
 * Whether the library may make this call in the place of other code that calls it instead of the C
 * library: then an address in it does not show yet whose call it is.
 */
static int is_forwarded( int nr )
{
    return forwards && (nr == SYS_mmap || nr == SYS_munmap || nr == SYS_mremap ||
                        nr == SYS_mprotect || nr == SYS_madvise);
}

/***********************************************************************
 *           returns_from
 *
 * Whether a word on the stack is where the library goes on after it called a function that has a
 * given address in it: by the instruction before, a call of a jump in the linkage table. What
 * merely lies on the stack since earlier calls is not taken for that.
 */
static int returns_from( pid_t pid, uint64_t word, uint64_t inside )
{
    unsigned char call[5], jump[16];
    unsigned int i = 0;
    uint64_t function;
    int32_t offset;

    if (whose_code( word ) != 'l') return 0;
    if (read_memory( pid, word - 5, call, sizeof(call) ) != sizeof(call) || call[0] != 0xe8)
        return 0;
    memcpy( &offset, call + 1, sizeof(offset) );
    word += offset;
    if (read_memory( pid, word, jump, sizeof(jump) ) != sizeof(jump)) return 0;
    if (!memcmp( jump, "\xf3\x0f\x1e\xfa", 4 )) i = 4;   /* endbr64 */
    if (jump[i] == 0xf2) i++;                             /* bnd */
    if (jump[i] != 0xff || jump[i + 1] != 0x25) return 0;
    memcpy( &offset, jump + i + 2, sizeof(offset) );
    if (read_memory( pid, word + i + 6 + offset, &function, 8 ) != 8) return 0;
    return function < inside && inside - function < 1024;
}

/***********************************************************************
 *           is_ours
 *
 * Whether the library made a system call, itself or by way of the C library: then the first return
 * address on the stack that is not the C library's is in it. The dynamic linker has its own. Where
 * it forwards the calls of others, it must have called its own function for that.
 *
 * ioctl() has room on the stack that it does not use, with what any earlier calls left there: a
 * word that is where the library goes on after ioctl() comes before these.
 */
int is_ours( pid_t tid, int nr, uint64_t pc )
{
    char text[256];
    uint64_t words[512];
    unsigned long sp;
    long i, first, len;
    char *p, owner;

    read_codes( tid );
    if ((owner = whose_code( pc )) != 'c') return owner == 'l';

    /* number, six arguments, stack and instruction pointer */
    if (read_proc( tid, "syscall", text, sizeof(text) ) <= 0) return 0;
    if (!(p = strrchr( text, ' ' ))) return 0;
    *p = 0;
    if (!(p = strrchr( text, ' ' ))) return 0;
    sp = strtoul( p + 1, NULL, 16 );
    len = read_memory( tid, sp, words, sizeof(words) );
    if (len < (long)sizeof(words)) len = read_memory( tid, sp, words, 4096 - (sp & 4095) );
    if (nr == SYS_ioctl)
        for (i = 0; i < len / 8 && i < FRAME_WORDS; i++)
            if (returns_from( tid, words[i], pc )) return 1;
    for (i = 0; i < len / 8; i++)
        if ((owner = whose_code( words[i] )) && owner != 'c' && owner != 'd') break;
    if (i >= len / 8 || owner != 'l') return 0;
    if (!is_forwarded( nr )) return 1;
    for (first = i++; i < len / 8 && i < first + FRAME_WORDS; i++)
        if (returns_from( tid, words[i], words[first] )) return 1;
    return 0;
}
