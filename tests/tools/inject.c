/*
 * test tool: runs a command of which chosen system calls can be made to fail
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../faults/kinds.h"

/* A filter sends the system calls of all kinds to us, who let them through or answer in the place
 * of the kernel. That works for system calls of any code, in any thread and child, also where Wine
 * has ptrace for itself. Only calls that one library makes, itself or by the C library, are meddled
 * with.
 *
 * The command says what is to fail by looking for files that do not exist:
 *
 *   /writewatch-inject/SEQ/arm/KIND/ERRNO/N/MODE
 *              from now on call number N of a kind fails (once), or N and all after it (ever), or
 *              is made and then told as failed (late), or half of it is made (half; PAGEMAP_SCAN)
 *   .../end          nothing fails any more; answers how many calls did
 *   .../zero         begins to count the calls of all kinds
 *   .../count/KIND   answers how many there were
 *   .../tell/A/B/C   prints A | B | C and how many calls failed since the last time
 *
 * SEQ differs from one request to the next: a C library or Wine may look more than once. Answers
 * are what newfstatat(2) returns, for who calls it directly. */

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW( 4, uint64_t )
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1UL
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum mode { ONCE, EVER, LATE, HALF };

static const char *library = "libwritewatch";   /* whose calls fail */
static const char *program;   /* only processes with this in their command line, or NULL */
static int forwards;          /* the library stands before functions of the C library */
static FILE *out;

#define FRAME_WORDS 32   /* what a function that forwards has on the stack, at most */

static struct
{
    int          armed;
    unsigned int kind;
    int          err;
    enum mode    mode;
    long         first;
    long         seen;
    long         failed;
    pid_t        process;     /* that asked last */
} fault;

static int counting;
static long counts[KIND_COUNT];

static void __attribute__((noreturn, format(printf, 1, 2))) die( const char *format, ... )
{
    va_list args;

    va_start( args, format );
    fprintf( stderr, "inject: " );
    vfprintf( stderr, format, args );
    va_end( args );
    fprintf( stderr, "\n" );
    exit( 125 );
}

/***********************************************************************
 *           install_filter
 *
 * In the process that becomes the command. With a list of names only the calls of these kinds come
 * to us. Returns the descriptor by which they do.
 */
static int install_filter( const char *list )
{
    struct sock_filter filter[2 * KIND_COUNT + 16];
    struct sock_fprog prog = { 0, filter };
    unsigned int i, n = 0;
    int ret;

#define ADD( ... ) filter[n++] = (struct sock_filter)__VA_ARGS__
    ADD( BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, arch )));
    ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0 ));
    ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ALLOW ));
    ADD( BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, nr )));
    ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 0, 1 ));
    ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF ));
    for (i = 0; i < KIND_COUNT; i++)
    {
        if (kinds[i].nr == SYS_ioctl || (i && kinds[i].nr == kinds[i - 1].nr && !list)) continue;
        if (list && !strstr( list, kinds[i].name )) continue;
        ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, kinds[i].nr, 0, 1 ));
        ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF ));
    }
    /* ioctls of userfaultfd, and of files in /proc */
    ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0 ));
    ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ALLOW ));
    ADD( BPF_STMT( BPF_LD | BPF_W | BPF_ABS, offsetof( struct seccomp_data, args[1] )));
    ADD( BPF_STMT( BPF_ALU | BPF_AND | BPF_K, 0xff00 ));
    ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, UFFDIO << 8, 1, 0 ));
    ADD( BPF_JUMP( BPF_JMP | BPF_JEQ | BPF_K, 'f' << 8, 0, 1 ));
    ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF ));
    ADD( BPF_STMT( BPF_RET | BPF_K, SECCOMP_RET_ALLOW ));
#undef ADD

    prog.len = n;
    if (prctl( PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0 )) return -1;
    ret = syscall( SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER |
                   SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog );
    if (ret == -1 && errno == EINVAL)
        ret = syscall( SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                       &prog );
    return ret;
}

static long read_memory( pid_t pid, uint64_t addr, void *buffer, size_t size )
{
    struct iovec local = { buffer, size }, remote = { (void *)addr, size };

    return process_vm_readv( pid, &local, 1, &remote, 1, 0 );
}

/* up to the end of the page, if the string ends there or not */
static int read_string( pid_t pid, uint64_t addr, char *buffer, size_t size )
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
static long read_proc( pid_t pid, const char *name, char *buffer, size_t size )
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

/* whether the command line of a process has the name in it that was asked for */
static int is_meant( pid_t pid )
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
    char     who;
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
    char perms[5], who;
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
        if (!strncmp( name, library, strlen( library ))) who = 'l';
        else if (!strncmp( name, "ld-", 3 )) who = 'd';
        else if (!strncmp( name, "libc.so", 7 ) || !strncmp( name, "libc-", 5 ) || strstr( name,
                                                                                           "[v" ) ||
                 !strncmp( name, "libpthread", 10 )) who = 'c';
        else who = 'o';
        codes[code_count++] = (struct code){ start, end, who };
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
    return low < code_count && codes[low].start <= addr ? codes[low].who : 0;
}

/***********************************************************************
 *           is_forwarded
 *
 * Whether the library may make this call in the place of others, who call it instead of the C
 * library: then an address in it does not tell yet whose call it is.
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
 */
static int is_ours( pid_t tid, int nr, uint64_t pc )
{
    char text[256];
    uint64_t words[512];
    unsigned long sp;
    long i, first, len;
    char *p, who;

    read_codes( tid );
    if ((who = whose_code( pc )) != 'c') return who == 'l';

    /* number, six arguments, stack and instruction pointer */
    if (read_proc( tid, "syscall", text, sizeof(text) ) <= 0) return 0;
    if (!(p = strrchr( text, ' ' ))) return 0;
    *p = 0;
    if (!(p = strrchr( text, ' ' ))) return 0;
    sp = strtoul( p + 1, NULL, 16 );
    len = read_memory( tid, sp, words, sizeof(words) );
    if (len < (long)sizeof(words)) len = read_memory( tid, sp, words, 4096 - (sp & 4095) );
    for (i = 0; i < len / 8; i++)
        if ((who = whose_code( words[i] )) && who != 'c' && who != 'd') break;
    if (i >= len / 8 || who != 'l') return 0;
    if (!is_forwarded( nr )) return 1;
    for (first = i++; i < len / 8 && i < first + FRAME_WORDS; i++)
        if (returns_from( tid, words[i], words[first] )) return 1;
    return 0;
}

/***********************************************************************
 *           get_kind
 */
static int get_kind( const struct seccomp_notif *req )
{
    char path[4096];
    size_t len;
    int i, known = 0;

    for (i = 0; i < (int)KIND_COUNT; i++)
    {
        const struct kind *kind = &kinds[i];

        if (kind->nr != req->data.nr) continue;
        if (kind->part == WHOLE) return i;
        if (kind->part == COMMAND && (uint32_t)req->data.args[1] == (uint32_t)kind->value) return i;
        if (kind->part == ADVICE && (uint32_t)req->data.args[2] == kind->value) return i;
        if (kind->part != PATH) continue;
        if (!known) known = read_string( req->pid, req->data.args[1], path, sizeof(path) );
        if (!kind->path) return i;
        len = strlen( path );
        if (len >= strlen( kind->path ) && !strcmp( path + len - strlen( kind->path ), kind->path ))
            return i;
    }
    return -1;
}

/***********************************************************************
 *           make_call
 *
 * Makes an ioctl of another process with the same effect on its memory; the answer is thrown away.
 * With half, only the first half of a scan. Returns 0 or -errno.
 */
static int make_call( const struct seccomp_notif *req, int half )
{
    size_t size = _IOC_SIZE( (uint32_t)req->data.args[1] );
    uint64_t arg[32] = { 0 };
    int pidfd, fd, ret = 0;

    if (req->data.nr != SYS_ioctl || size > sizeof(arg)) return -EOPNOTSUPP;
    if (read_memory( req->pid, req->data.args[2], arg, size ) != (long)size) return -EFAULT;
    if ((pidfd = syscall( SYS_pidfd_open, req->pid, 0 )) == -1)
    {
        /* it may be a thread */
        char text[4096], *p;
        if (read_proc( req->pid, "status", text, sizeof(text) ) <= 0 || !(p = strstr( text,
                                                                                      "\nTgid:" )))
            return -ESRCH;
        if ((pidfd = syscall( SYS_pidfd_open, atoi( p + 6 ), 0 )) == -1) return -errno;
    }
    fd = syscall( SYS_pidfd_getfd, pidfd, (int)req->data.args[0], 0 );
    close( pidfd );
    if (fd == -1) return -errno;

    if ((uint32_t)req->data.args[1] == PAGEMAP_SCAN)
    {
        struct pm_scan_arg *scan = (struct pm_scan_arg *)arg;
        struct page_region *runs = calloc( scan->vec_len + 1, sizeof(*runs) );

        if (half) scan->end = scan->start + (((scan->end - scan->start) / 2 + 4095) & ~4095ull);
        scan->vec = (uintptr_t)runs;
        if (ioctl( fd, PAGEMAP_SCAN, scan ) < 0) ret = -errno;
        free( runs );
    }
    else if ((uint32_t)req->data.args[1] == UFFDIO_COPY)
    {
        struct uffdio_copy *copy = (struct uffdio_copy *)arg;
        void *data = malloc( copy->len );

        if (read_memory( req->pid, copy->src, data, copy->len ) != (long)copy->len) ret = -EFAULT;
        copy->src = (uintptr_t)data;
        if (!ret && ioctl( fd, UFFDIO_COPY, copy )) ret = -errno;
        free( data );
    }
    else if (ioctl( fd, (unsigned int)req->data.args[1], arg )) ret = -errno;
    close( fd );
    return ret;
}

static int find_kind( const char *name )
{
    unsigned int i;
    for (i = 0; i < KIND_COUNT; i++) if (!strcmp( kinds[i].name, name )) return i;
    return -1;
}

static int find_errno( const char *name )
{
    unsigned int i;
    for (i = 0; i < ERRNO_COUNT; i++) if (!strcmp( errnos[i].name, name )) return errnos[i].value;
    return 0;
}

/***********************************************************************
 *           obey
 *
 * Does what a request says; returns its answer or -errno.
 */
static long obey( char *request, pid_t process )
{
    static const char * const modes[] = { "once", "ever", "late", "half" };
    static char last[16];
    static long answer;
    char *part[8] = { NULL }, *p = request;
    unsigned int n = 0, i;

    for (; p && n < 8; n++)
    {
        part[n] = p;
        if ((p = strchr( p, '/' ))) *p++ = 0;
    }
    if (!part[1]) return -ENOENT;
    if (!strcmp( part[0], last )) return answer;
    snprintf( last, sizeof(last), "%s", part[0] );
    answer = -EINVAL;

    if (!strcmp( part[1], "arm" ) && part[5])
    {
        int kind = find_kind( part[2] );

        fault.armed = 0;
        fault.err = find_errno( part[3] );
        if (kind < 0 || !fault.err) return answer;
        fault.kind = kind;
        fault.first = atol( part[4] );
        for (fault.mode = ONCE; fault.mode < HALF; fault.mode++)
            if (!strcmp( modes[fault.mode], part[5] )) break;
        fault.seen = fault.failed = 0;
        fault.process = process;
        fault.armed = 1;
        answer = 0;
    }
    else if (!strcmp( part[1], "end" ))
    {
        fault.armed = 0;
        answer = fault.failed;
    }
    else if (!strcmp( part[1], "zero" ))
    {
        memset( counts, 0, sizeof(counts) );
        counting = 1;
        answer = 0;
    }
    else if (!strcmp( part[1], "count" ) && part[2] && find_kind( part[2] ) >= 0)
        answer = counts[find_kind( part[2] )];
    else if (!strcmp( part[1], "tell" ))
    {
        for (i = 2; i < n; i++) fprintf( out, "%s | ", part[i] );
        fprintf( out, "%ld\n", fault.failed );
        fflush( out );
        fault.failed = 0;
        answer = 0;
    }
    return answer;
}

/***********************************************************************
 *           answer
 *
 * Decides about one system call.
 */
static void answer( int listener, struct seccomp_notif *req )
{
    struct seccomp_notif_resp resp = { .id = req->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
    char path[4096], *found;
    int kind;

    if (req->data.nr == SYS_newfstatat)
    {
        static const char marker[] = "/writewatch-inject/";

        if (read_string( req->pid, req->data.args[1], path, sizeof(path) ) &&
            (found = strstr( path, marker )))
        {
            long ret = obey( found + strlen( marker ), req->pid );

            resp.flags = 0;
            /* who does not call it directly is told that there is no such file */
            if (found == path && ret >= 0) resp.val = ret;
            else resp.error = ret < 0 ? ret : -ENOENT;
        }
    }
    else if ((fault.armed || counting) && (kind = get_kind( req )) >= 0 &&
             (counting || kind == (int)fault.kind) && is_meant( req->pid ) &&
             is_ours( req->pid, req->data.nr, req->data.instruction_pointer ))
    {
        counts[kind]++;
        if (fault.armed && kind == (int)fault.kind && ++fault.seen >= fault.first &&
            (fault.seen == fault.first || fault.mode == EVER))
        {
            int ret = fault.mode == LATE || fault.mode == HALF ? make_call( req,
                                                                            fault.mode == HALF ) :
                                                                                0;

            if (ret)
                fprintf( stderr, "inject: %s cannot be made: %s\n", kinds[kind].name,
                         strerror( -ret ));
            else fault.failed++;
            resp.flags = 0;
            resp.error = -fault.err;
        }
    }
    /* ENOENT: the thread was ended meanwhile */
    if (ioctl( listener, SECCOMP_IOCTL_NOTIF_SEND, &resp ) && errno != ENOENT)
        die( "the answer was not taken: %s", strerror( errno ));
}

/***********************************************************************
 *           serve
 *
 * Until the command has ended, or with pid -1 until nothing is left that it started. Returns what
 * waitpid tells.
 */
static int serve( int listener, pid_t pid )
{
    struct pollfd fd = { .fd = listener, .events = POLLIN };
    struct seccomp_notif req;
    int status = 0;

    for (;;)
    {
        if (poll( &fd, 1, 20 ) > 0)
        {
            if (fd.revents & POLLIN)
            {
                memset( &req, 0, sizeof(req) );
                if (!ioctl( listener, SECCOMP_IOCTL_NOTIF_RECV, &req )) answer( listener, &req );
                continue;
            }
            if (pid == -1) return 0;
        }
        if (pid != -1 && waitpid( pid, &status, WNOHANG ) == pid) return status;
    }
}

/***********************************************************************
 *           main
 *
 * usage: inject [--library NAME] [--forwards yes] [--program NAME] [--kinds NAME,NAME...]
 *               [--out FILE] COMMAND [ARG...]
 */
int main( int argc, char **argv )
{
    const char *list = NULL;
    int *shared, listener, pidfd, status;
    pid_t pid;

    out = stdout;
    for (argv++; argc > 2 && argv[0] && !strncmp( argv[0], "--", 2 ) && argv[1]; argv += 2)
    {
        if (!strcmp( argv[0], "--library" )) library = argv[1];
        else if (!strcmp( argv[0], "--forwards" )) forwards = !strcmp( argv[1], "yes" );
        else if (!strcmp( argv[0], "--program" )) program = argv[1];
        else if (!strcmp( argv[0], "--kinds" )) list = argv[1];
        else if (!strcmp( argv[0], "--out" ))
        {
            if (!(out = fopen( argv[1], "ae" ))) die( "%s: %s", argv[1], strerror( errno ));
        }
        else die( "unknown option %s", argv[0] );
    }
    if (!argv[0])
        die( "usage: inject [--library NAME] [--forwards yes] [--program NAME] [--kinds NAMES] "
             "[--out FILE] COMMAND..." );

    shared = mmap( NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0 );
    if (shared == MAP_FAILED) die( "no memory" );
    *shared = -1;
    if (!(pid = fork()))
    {
        int fd = install_filter( list );

        /* from here on the calls of the filter wait for our parent */
        __atomic_store_n( shared, fd == -1 ? -2 - errno : fd, __ATOMIC_SEQ_CST );
        if (fd == -1) _exit( 125 );
        /* it is closed by exec */
        while (__atomic_load_n( shared, __ATOMIC_SEQ_CST ) != -1) usleep( 100 );
        execvp( argv[0], argv );
        _exit( 127 );
    }
    if (pid == -1) die( "no process: %s", strerror( errno ));
    while ((listener = __atomic_load_n( shared, __ATOMIC_SEQ_CST )) == -1) usleep( 100 );
    if (listener < -1) die( "no system call filter: %s", strerror( -2 - listener ));
    if ((pidfd = syscall( SYS_pidfd_open, pid, 0 )) == -1 ||
        (listener = syscall( SYS_pidfd_getfd, pidfd, listener, 0 )) == -1)
    {
        int err = errno;

        kill( pid, SIGKILL );
        die( "the filter cannot be served: %s", strerror( err ));
    }
    close( pidfd );
    /* faster, from 6.6 on */
    ioctl( listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP );
    __atomic_store_n( shared, -1, __ATOMIC_SEQ_CST );

    status = serve( listener, pid );
    /* what it has left behind goes on under the filter */
    if (!fork())
    {
        fault.armed = counting = 0;
        if ((status = open( "/dev/null", O_RDWR )) != -1)
        {
            dup2( status, 0 );
            dup2( status, 1 );
            dup2( status, 2 );
        }
        setsid();
        serve( listener, -1 );
        _exit( 0 );
    }
    return WIFEXITED( status ) ? WEXITSTATUS( status ) : 128 + WTERMSIG( status );
}
