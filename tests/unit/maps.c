/*
 * The reader of mappings: known mappings, against a second parser, and lines that no kernel writes
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/address_space.h"
#include "sys/maps.h"
#include "sys/page.h"
#include "unit.h"

#define HEAD   "1000-2000 r-xp 00000000 08:01 1234                       /bin/true\n"
#define SECOND "2000-3000 rw-s 00001000 00:05 0\n"
#if UINTPTR_MAX > UINT32_MAX
#define START  "7ffffffde000"
#define END    "7ffffffff000"
#define LAST   "ffffffffff600000-ffffffffff601000"
#else
#define START  "fffdd000"
#define END    "ffffe000"
#define LAST   "ff600000-ff601000"
#endif
#define THIRD  START "-" END " rw-p 00000000 00:00 0                          [stack]\n"

static char text[1 << 20];   /* of a file */

/* a file that holds a text, at its beginning */
static int file_with( const char *contents, size_t size )
{
    int fd = unit_temp_file();

    check( write( fd, contents, size ) == (ssize_t)size );
    check( !lseek( fd, 0, SEEK_SET ));
    return fd;
}

/* reads a text to its end; returns how many mappings there were, or -errno and in *count how many
 * came before */
static int read_all( const char *contents, size_t size, int details, struct mapping *mappings,
                     unsigned int max, unsigned int *count )
{
    struct maps_reader reader;
    int ret = 0;

    *count = 0;
    maps_open_fd( &reader, file_with( contents, size ), details );
    while (*count < max && (ret = maps_next( &reader, &mappings[*count] )) > 0) ++*count;
    maps_close( &reader );
    return *count == max ? -E2BIG : ret;
}

static int read_text( const char *contents, int details, struct mapping *mappings,
                      unsigned int *count )
{
    return read_all( contents, strlen( contents ), details, mappings, 4, count );
}

static void check_three( const struct mapping *mappings )
{
    check( mappings[0].start == 0x1000 && mappings[0].end == 0x2000 );
    check( mappings[0].prot == (PROT_READ | PROT_EXEC) && !mappings[0].shared );
    check( mappings[0].file && !strcmp( mappings[0].name, "/bin/true" ));
    check( mappings[1].start == 0x2000 && mappings[1].end == 0x3000 );
    check( mappings[1].prot == (PROT_READ | PROT_WRITE) && mappings[1].shared );
    check( !mappings[1].file && !*mappings[1].name );
    check( mappings[2].start == strtoull( START, NULL, 16 ) &&
           mappings[2].end == strtoull( END, NULL, 16 ));
    check( mappings[2].prot == (PROT_READ | PROT_WRITE) && !mappings[2].shared );
    check( !mappings[2].file && !strcmp( mappings[2].name, "[stack]" ));
}

static void test_text(void)
{
    struct mapping mappings[4];
    unsigned int count;

    check( !read_text( "", 0, mappings, &count ) && !count );
    check( !read_text( HEAD SECOND THIRD, 0, mappings, &count ) && count == 3 );
    check_three( mappings );

    /* the highest mapping there is, and the highest inode */
    check( !read_text( LAST " --xp 00000000 00:00 "
                       "18446744073709551615    [vsyscall]\n", 0, mappings, &count ) &&
           count == 1 );
    check( mappings[0].start == strtoull( LAST, NULL, 16 ) && mappings[0].prot == PROT_EXEC );
    check( mappings[0].file && !strcmp( mappings[0].name, "[vsyscall]" ));
    check( !read_text( "0-1000 ---p 0 0:0 0\n", 0, mappings, &count ) && count == 1 );
    check( !mappings[0].start && mappings[0].end == 0x1000 && !mappings[0].prot );
    /* another process may have more addresses */
    check( !read_text( "7fff00000000-7fff00001000 rw-p 0 0:0 0\n", 0, mappings, &count ) &&
           count == 1 && mappings[0].start == 0x7fff00000000 &&
           mappings[0].end == 0x7fff00001000 );
}

/* each read() returns one piece of the text */
static void test_pieces(void)
{
    const char contents[] = HEAD SECOND THIRD;
    const size_t size = sizeof(contents) - 1;
    struct mapping mappings[4];
    struct maps_reader reader;
    size_t split;
    int fds[2], i;

    for (split = 1; split < size; split++)
    {
        check( !socketpair( AF_UNIX, SOCK_SEQPACKET, 0, fds ));
        check( send( fds[1], contents, split, 0 ) == (ssize_t)split );
        check( send( fds[1], contents + split, size - split, 0 ) == (ssize_t)(size - split) );
        close( fds[1] );
        maps_open_fd( &reader, fds[0], 0 );
        for (i = 0; i < 3; i++) check( maps_next( &reader, &mappings[i] ) == 1 );
        check( !maps_next( &reader, &mappings[3] ));
        maps_close( &reader );
        check_three( mappings );
    }
}

/* lines of every length up to some, so that a buffer ends at each place of a line; the longest name
 * that a path can have is 4,095 bytes */
static void test_long_lines(void)
{
    static const unsigned int lengths[] = { 4000, 4095, 4096, 20000 };
    struct maps_reader reader;
    struct mapping mapping;
    unsigned long i, lines = 600;
    char *p = text;

    for (i = 0; i < lines; i++)
        p += sprintf( p, "%lx-%lx r--p 00000000 00:00 %lu %*s/%s\n", i << 12, (i + 1) << 12, i & 1,
                      (int)i, "", i & 2 ? "some file (deleted)" : "x" );
    for (i = 0; i < 4; i++)
    {
        p += sprintf( p, "%lx-%lx rw-p 00000000 00:00 0 /", (lines + i) << 12,
                      (lines + i + 1) << 12 );
        memset( p, 'a', lengths[i] );
        p += lengths[i];
        *p++ = '\n';
    }

    maps_open_fd( &reader, file_with( text, p - text ), 0 );
    for (i = 0; i < lines; i++)
    {
        check( maps_next( &reader, &mapping ) == 1 );
        check( mapping.start == i << 12 && mapping.end == (i + 1) << 12 );
        check( mapping.prot == PROT_READ && mapping.file == (int)(i & 1) );
        check( !strcmp( mapping.name, i & 2 ? "/some file (del" : "/x" ));
    }
    for (; i < lines + 4; i++)
    {
        check( maps_next( &reader, &mapping ) == 1 );
        check( mapping.start == i << 12 && mapping.prot == (PROT_READ | PROT_WRITE) );
        check( !strcmp( mapping.name, "/aaaaaaaaaaaaaa" ));
    }
    check( !maps_next( &reader, &mapping ));
    maps_close( &reader );
}

/* what is not understood is an error and never the end */
static void test_garbage(void)
{
    static const char * const lines[] =
    {
        "\n", " \n", "garbage\n", "-\n", "1000\n", "1000-\n", "1000-2000\n", "1000-2000 \n",
        "-2000 rw-p 00000000 00:00 0\n",
        "1000- rw-p 00000000 00:00 0\n",
        "1000 2000 rw-p 00000000 00:00 0\n",
        "1000-1000 rw-p 00000000 00:00 0\n",
        "2000-1000 rw-p 00000000 00:00 0\n",
        "0x1000-0x2000 rw-p 00000000 00:00 0\n",
        "1000-2000G rw-p 00000000 00:00 0\n",
        "1000-2000  rw-p 00000000 00:00 0\n",
        "1000-10000000000000000 rw-p 00000000 00:00 0\n",
        "1000-2000 rw- 00000000 00:00 0\n",
        "1000-2000 rw-pp 00000000 00:00 0\n",
        "1000-2000 wr-p 00000000 00:00 0\n",
        "1000-2000 rw-x 00000000 00:00 0\n",
        "1000-2000 rw-p\n",
        "1000-2000 rw-p 00000000\n",
        "1000-2000 rw-p 00000000 00\n",
        "1000-2000 rw-p 00000000 00:00\n",
        "1000-2000 rw-p 00000000 00:00 \n",
        "1000-2000 rw-p 00000000 00:00 abc\n",
        "1000-2000 rw-p 00000000 00:00 1f\n",
        "1000-2000 rw-p 00000000 00:00 18446744073709551616\n",
        "1000-2000 rw-p 00000000 00-00 0\n",
        "1000-2000 rw-p 00000000 00:00 0",
        "1000-2000 rw-p 00000000 00:00 0     [stack]",
        "Rss:                   4 kB\n",
        "KernelPageSize:        4 kB\n",
    };
    struct mapping mappings[4];
    unsigned int i, count;
    char line[256];

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
    {
        int first = read_text( lines[i], 0, mappings, &count ), second;

        check( first == -EPROTO && !count );
        snprintf( line, sizeof(line), SECOND "%s", lines[i] );
        second = read_text( line, 0, mappings, &count );
        check( second == -EPROTO && count == 1 );
        if (first != -EPROTO || second != -EPROTO) fprintf( stderr, "line: %s\n", lines[i] );
    }
    /* a zero byte does not hide what is behind it */
    memcpy( line, "1000-2000 rw-p\0 00000000 00:00 0\n", 33 );
    check( read_all( line, 33, 0, mappings, 4, &count ) == -EPROTO && !count );
}

static void test_details(void)
{
    static const char * const bad[] =
    {
        HEAD,
        HEAD "Size:                  4 kB\n",
        HEAD "KernelPageSize:        4 kB",
        HEAD "KernelPageSize:        kB\n",
        HEAD "KernelPageSize:        0 kB\n",
        HEAD "KernelPageSize:        4\n",
        HEAD "KernelPageSize\n",
        HEAD "KernelPageSize:        4 kB\nVmFlags: rd ex",
        HEAD "KernelPageSize:        4 kB\nVmFlags",
        HEAD "KernelPageSize:        4 kB\ngarbage\n",
    };
    struct mapping mappings[4];
    unsigned int i, count;
    int ret;

    check( !read_text( HEAD
                       "Size:                  4 kB\n"
                       "KernelPageSize:        4 kB\n"
                       "MMUPageSize:           4 kB\n"
                       "A keyword of some later version: value\n"
                       "VmFlags: rd ex mr mw me \n"
                       SECOND
                       "KernelPageSize:     2048 kB\n"
                       "VmFlags: rd wr sh pf io\n"
                       THIRD
                       "KernelPageSize:        4 kB\n", 1, mappings, &count ) && count == 3 );
    check_three( mappings );
    check( mappings[0].page_size == 4096 && !mappings[0].device );
    check( mappings[1].page_size == 2 << 20 && mappings[1].device );
    check( mappings[2].page_size == 4096 && !mappings[2].device );

    check( !read_text( HEAD "KernelPageSize: 4 kB\nVmFlags: io\n", 1, mappings, &count ));
    check( count == 1 && mappings[0].device );
    check( !read_text( HEAD "KernelPageSize: 4 kB\nVmFlags: rd pf\n", 1, mappings, &count ));
    check( count == 1 && mappings[0].device );
    check( !read_text( HEAD "KernelPageSize: 4 kB\nVmFlags: up fi oi\n", 1, mappings, &count ));
    check( count == 1 && !mappings[0].device );

    /* registered with userfaultfd for write-protection, and for missing pages */
    check( !read_text( HEAD "KernelPageSize: 4 kB\nVmFlags: rd wr um uw\n"
                       SECOND "KernelPageSize: 4 kB\nVmFlags: rd um wu u w\n", 1, mappings,
                       &count ) && count == 2 );
    check( mappings[0].registered && !mappings[1].registered );

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if ((ret = read_text( bad[i], 1, mappings, &count )) != -EPROTO || count > 1)
        {
            unit_failures++;
            fprintf( stderr, "%d, %u mappings of: %s\n", ret, count, bad[i] );
        }
}

static void ignore( int sig )
{
    (void)sig;
}

/* signals interrupt a read() that waits, and then another error ends it */
static void test_errors(void)
{
    struct sigaction action = { .sa_handler = ignore };
    struct mapping mapping;
    struct maps_reader reader;
    int fds[2], i, status;
    pid_t child;

    check( !sigaction( SIGUSR1, &action, NULL ));
    check( !pipe( fds ));
    if (!(child = fork()))
    {
        for (i = 0; i < 100; i++)
        {
            usleep( 1000 );
            kill( getppid(), SIGUSR1 );
            if (i == 50 && write( fds[1], HEAD, 20 ) != 20) _exit( 1 );
        }
        _exit( write( fds[1], &HEAD[20], strlen( HEAD ) - 20 ) <= 0 );
    }
    close( fds[1] );
    maps_open_fd( &reader, fds[0], 0 );
    check( maps_next( &reader, &mapping ) == 1 && mapping.start == 0x1000 && mapping.file );
    check( !maps_next( &reader, &mapping ));
    maps_close( &reader );
    while (waitpid( child, &status, 0 ) == -1 && errno == EINTR) /* again */;
    check( !status );

    /* a directory cannot be read */
    maps_open_fd( &reader, open( "/", O_RDONLY | O_CLOEXEC ), 0 );
    check( maps_next( &reader, &mapping ) == -EISDIR );
    check( maps_next( &reader, &mapping ) == -EISDIR );
    maps_close( &reader );
}

/* mappings that are known, and holes around them */
static char *map_known( size_t *size )
{
    size_t page = page_size();
    char *base = mmap( NULL, 8 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                       0 );
    int fd = unit_temp_file();

    check( base != MAP_FAILED );
    check( !ftruncate( fd, page ));
    munmap( base, page );
    check( !mprotect( base + 1 * page, page, PROT_READ | PROT_WRITE ));
    check( !mprotect( base + 2 * page, page, PROT_READ ));
    check( mmap( base + 4 * page, page, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0 ) != MAP_FAILED );
    check( mmap( base + 5 * page, page, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0 )
           != MAP_FAILED );
    munmap( base + 7 * page, page );
    close( fd );
    *size = page;
    return base;
}

static struct
{
    uintptr_t start, end;
    int       prot;
} seen[16];
static unsigned int seen_count;

static int see( uintptr_t start, uintptr_t end, int prot )
{
    if (seen_count == 16) return 16;
    seen[seen_count].start = start;
    seen[seen_count].end   = end;
    seen[seen_count].prot  = prot;
    seen_count++;
    return 0;
}

static uintptr_t all_end, all_base;
static unsigned int all_seen;

/* for maps_for_all(): counts the pages of the known mappings */
static int see_all( uintptr_t start, uintptr_t end, int prot )
{
    check( start >= all_end && end > start && !(prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)) );
    all_end = end;
    for (; start < end; start += page_size())
        if (start - all_base < 8 * page_size())
            all_seen |= 1u << ((start - all_base) / page_size());
    return 0;
}

static int refuse( uintptr_t start, uintptr_t end, int prot )
{
    (void)start;
    (void)end;
    (void)prot;
    return -EPERM;
}

static void test_known(void)
{
    static const int prots[] = { -1, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE,
                                 PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE, -1 };
    struct maps_reader reader;
    struct mapping mapping;
    uintptr_t start;
    size_t page, i;
    char *base = map_known( &page );
    int details, ret, found;

    for (details = 0; details <= 1; details++)
    {
        check( !maps_open( &reader, details ));
        found = 0;
        while ((ret = maps_next( &reader, &mapping )) > 0)
        {
            check( !details || mapping.page_size >= page );
            for (i = 0; i < 8; i++)
            {
                start = (uintptr_t)base + i * page;
                if (start < mapping.start || start >= mapping.end) continue;
                found |= 1 << i;
                check( mapping.prot == prots[i] && mapping.shared == (i == 4) );
                check( !details || (mapping.page_size == page && !mapping.device) );
                if (i != 4) check( mapping.file == (i == 5) );   /* that has a file of shmem's */
            }
        }
        check( !ret && (found & 0x7e) == 0x7e && !(found & 0x81) );
        maps_close( &reader );
    }

    start = (uintptr_t)base;
    check( !maps_for_each( start + page, start + 7 * page, see ));
    check( seen_count == 6 );
    for (i = 0; i < 6; i++)
        check( seen[i].start == start + (i + 1) * page && seen[i].end == seen[i].start + page &&
               seen[i].prot == prots[i + 1] );
    seen_count = 0;
    check( maps_for_each( start, start + 2 * page, see ) == -ENOMEM && !seen_count );
    check( maps_for_each( start + 6 * page, start + 8 * page, see ) == -ENOMEM );
    check( maps_for_each( start + 2 * page, start + 3 * page, refuse ) == -EPERM );
    all_base = start;
    check( !maps_for_all( see_all ) && all_seen == 0x7e );
    check( maps_for_all( refuse ) == -EPERM );

    check( find_mapping( start, &mapping ) == 1 && mapping.start == start + page );
    check( find_mapping( start + page, &mapping ) == 1 && mapping.start == start + page );
    check( find_mapping( start + 5 * page + 1, &mapping ) == 1 &&
           mapping.start == start + 5 * page && mapping.file && !mapping.shared );
    check( !find_mapping( ~(uintptr_t)0, &mapping ));
    check( find_free_range( page, start, start + 8 * page, page, 0 ) == start );
    check( find_free_range( page, start, start + 8 * page, page, 1 ) == start + 7 * page );
    check( !find_free_range( page, start + page, start + 7 * page, page, 0 ));
    check( !find_free_range( 2 * page, start, start + 8 * page, page, 1 ));
    munmap( base, 8 * page );
}

/* what the kernel says now, read by this reader and by sscanf() */
static void test_both( const char *name, int details )
{
    int fd = open( name, O_RDONLY | O_CLOEXEC );
    struct maps_reader reader;
    struct mapping mapping;
    unsigned long start, end, kbytes;
    size_t size = 0;
    ssize_t ret;
    char *line, *next;
    int understood = 0;

    while ((ret = read( fd, text + size, sizeof(text) - 1 - size )) > 0) size += ret;
    check( !ret && size < sizeof(text) - 1 );
    close( fd );
    text[size] = 0;

    maps_open_fd( &reader, file_with( text, size ), details );
    for (line = text; (next = strchr( line, '\n' )); line = next + 1)
    {
        char perms[5], path[MAPS_NAME_SIZE] = "";
        unsigned long inode;

        *next = 0;
        if (sscanf( line, "%lx-%lx %4s %*x %*x:%*x %lu %15[^\n]", &start, &end, perms, &inode,
                    path ) >= 4)
        {
            check( maps_next( &reader, &mapping ) == 1 );
            check( mapping.start == start && mapping.end == end && mapping.file == (inode != 0) );
            check( !!(mapping.prot & PROT_READ) == (perms[0] == 'r') );
            check( !!(mapping.prot & PROT_WRITE) == (perms[1] == 'w') );
            check( !!(mapping.prot & PROT_EXEC) == (perms[2] == 'x') );
            check( mapping.shared == (perms[3] == 's') && !strcmp( mapping.name, path ));
            understood++;
        }
        else if (sscanf( line, "KernelPageSize: %lu kB", &kbytes ) == 1)
            check( details && mapping.page_size == kbytes * 1024 );
        else if (!strncmp( line, "VmFlags:", 8 ))
            check( mapping.device == (strstr( line, " pf" ) || strstr( line, " io" )));
    }
    check( !maps_next( &reader, &mapping ) && understood > 10 );
    maps_close( &reader );
}

int main(void)
{
    alarm( UNIT_HANGS );
    page_init();
    test_text();
    test_pieces();
    test_long_lines();
    test_garbage();
    test_details();
    test_errors();
    test_known();
    test_both( "/proc/self/maps", 0 );
    test_both( "/proc/self/smaps", 1 );
    return unit_result();
}
