/*
 * Changes a copy of ntdll.so so that it works as before, but looks different
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Usage: doctor_ntdll FILE CHANGE...
 *
 *   symbol    NtResetWriteWatch is not found by its name; the system call table still has it
 *   move      the dispatcher moves the first argument by another encoding of the same instruction
 *   register  the dispatcher has the form of newer Wines, which call by r12; only where it calls
 *             functions of the Unix convention
 *   numbers   the code has the numbers of the requests for kernel watches; nothing executes them
 *
 * The exit status is 1 if the file is not as expected.
 */

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CAVE_SIZE 64

static unsigned char *file, *cave;
static size_t file_size;
static Elf64_Phdr *code;

static int fail( const char *reason )
{
    fprintf( stderr, "doctor_ntdll: %s\n", reason );
    return 1;
}

/* Makes the segment of code longer, up to CAVE_SIZE bytes, which the rest of its last page has. */
static int dig_cave(void)
{
    Elf64_Ehdr *header = (Elf64_Ehdr *)file;
    Elf64_Phdr *phdr = (Elf64_Phdr *)(file + header->e_phoff);
    size_t end, i;

    if (file_size < sizeof(*header) || memcmp( file, ELFMAG, SELFMAG )) return fail( "no ELF file" );
    for (i = 0; i < header->e_phnum; i++)
        if (phdr[i].p_type == PT_LOAD && (phdr[i].p_flags & PF_X)) code = &phdr[i];
    if (!code) return fail( "no code" );
    end = (code->p_offset + code->p_filesz + 15) & ~(size_t)15;
    if ((end & 4095) + CAVE_SIZE > 4096 || !(end & 4095)) return fail( "no room behind the code" );
    cave = file + end;
    code->p_filesz = code->p_memsz = end + CAVE_SIZE - code->p_offset;
    return 0;
}

/* the only place of some bytes in a range, or NULL */
static unsigned char *find( unsigned char *start, size_t size, const void *bytes, size_t len )
{
    unsigned char *ret = memmem( start, size, bytes, len );

    if (!ret || memmem( ret + 1, start + size - ret - 1, bytes, len )) return NULL;
    return ret;
}

/* the dispatcher's call through the system call table */
static unsigned char *find_call(void)
{
    return find( file + code->p_offset, code->p_filesz, "\x41\xff\x14\xc2", 4 );
}

static int change_symbol(void)
{
    static const char name[] = "\0NtResetWriteWatch";
    unsigned char *ptr = find( file, code->p_offset, name, sizeof(name) );

    if (!ptr) return fail( "no name of a function" );
    ptr[1] = 'X';
    return 0;
}

static int change_move(void)
{
    unsigned char *call = find_call(), *ptr;

    if (!call) return fail( "no dispatcher" );
    if ((ptr = find( call - 32, 32, "\x4c\x89\xd1", 3 ))) memcpy( ptr, "\x49\x8b\xca", 3 );
    else if ((ptr = find( call - 32, 32, "\x4c\x89\xd7", 3 ))) memcpy( ptr, "\x49\x8b\xfa", 3 );
    else return fail( "no move of the first argument" );
    return 0;
}

static void put_jump( unsigned char *from, const unsigned char *to )
{
    int rel = (int)(to - (from + 5));

    *from = 0xe9;
    memcpy( from + 1, &rel, sizeof(rel) );
}

/* The dispatcher reads the table's address and calls; in their place it jumps to code that does
 * both. By then it has used what r12 held. Behind that is the call of a system call that is traced,
 * which none is. */
static int change_register(void)
{
    static const unsigned char plain[] =
    {
        0x4c, 0x89, 0xd7,          /* mov %r10,%rdi */
        0x4c, 0x8b, 0x13,          /* mov (%rbx),%r10 */
        0x4d, 0x8b, 0x24, 0xc2,    /* mov (%r10,%rax,8),%r12 */
        0x41, 0xff, 0xd4,          /* call *%r12 */
    };
    static const unsigned char traced[] =
    {
        0x5f, 0x5e, 0x5a, 0x59, 0x41, 0x58, 0x41, 0x59, 0x41, 0xff, 0xd4,
    };
    unsigned char *call = find_call();

    if (!call || memcmp( call - 3, "\x4c\x8b\x13", 3 ) ||
        !find( call - 32, 32, "\x4c\x89\xd7", 3 ))
        return fail( "only where system calls have the Unix convention, as in Wine 10.0" );
    if (!find( call - 32, 32, "\x4d\x89\xe0", 3 )) return fail( "the dispatcher needs r12" );
    memcpy( cave, plain, sizeof(plain) );
    put_jump( cave + sizeof(plain), call + 4 );
    memcpy( cave + sizeof(plain) + 5, traced, sizeof(traced) );
    put_jump( call - 3, cave );
    memset( call + 2, 0xcc, 2 );
    return 0;
}

static int change_numbers(void)
{
    static const uint32_t numbers[] = { 0xc0606610, 0xc020aa00 };

    memcpy( cave + CAVE_SIZE - sizeof(numbers), numbers, sizeof(numbers) );
    return 0;
}

int main( int argc, char **argv )
{
    static const struct { const char *name; int (*change)(void); } changes[] =
    {
        { "symbol", change_symbol }, { "move", change_move }, { "register", change_register },
        { "numbers", change_numbers },
    };
    size_t j;
    int fd, i;

    if (argc < 3) return fail( "which file, and what?" );
    if ((fd = open( argv[1], O_RDWR | O_CLOEXEC )) == -1) return fail( "the file cannot be opened" );
    file_size = lseek( fd, 0, SEEK_END );
    file = mmap( NULL, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0 );
    if (file == MAP_FAILED) return fail( "the file cannot be read" );
    if (dig_cave()) return 1;
    for (i = 2; i < argc; i++)
    {
        for (j = 0; j < sizeof(changes) / sizeof(changes[0]); j++)
            if (!strcmp( argv[i], changes[j].name )) break;
        if (j == sizeof(changes) / sizeof(changes[0])) return fail( "no such change" );
        if (changes[j].change()) return 1;
    }
    return 0;
}
