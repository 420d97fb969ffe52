/*
 * Which ntdll.so is recognised, and with which sentence any other is refused
 *
 * Copyright 2026 the writewatch authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The module is made up of bytes in memory, as is the file of ntdll.dll. Each test starts from one
 * that is recognised and changes one thing. With the name of a file as an argument the program only
 * writes that ntdll.dll there (tests/package/inspect.sh).
 */

#include <dlfcn.h>
#include <link.h>
#include <limits.h>
#include <sys/stat.h>

#include "../pe_file.h"
#include "../unit.h"
#include "dispatchers.h"

/* functions below stand in the place of the loader's */
#define dlsym           fake_dlsym
#define dl_iterate_phdr fake_iterate_phdr

static void *fake_dlsym( void *handle, const char *name );
static int fake_iterate_phdr( int (*callback)( struct dl_phdr_info *, size_t, void * ), void *arg );

#include "../../../preload/inspect.c"
#include "../../../preload/kernel_watches.c"
#include "../../../preload/module.c"

#define PREFIX "this Wine is not recognised: "

const struct hook_table hooks_ms = { .convention = CONVENTION_MS };
const struct hook_table hooks_sysv = { .convention = CONVENTION_SYSV };

/* The module: code, then data; and where things are in the code. */
#define CODE_SIZE  0x8000
#define DATA_SIZE  0x1000
#define FUNCTIONS  0x100
#define CALLER     0x2000    /* calls NtAllocateVirtualMemory for Wine itself */
#define SERVER     0x3000    /* calls what other processes ask for */
#define DISPATCHER 0x6000
#define SPARE      0x7000
#define TABLE      0x80

static unsigned char *code, *data;
static ElfW(Phdr) headers[4];
static unsigned int header_count;
static const char *missing;          /* a function that the module has not */

static unsigned char dll[PE_SIZE];
static size_t dll_size;
static char dir[200], unix_path[256], dll_path[256];

static unsigned char *get_function( unsigned int i )
{
    return code + FUNCTIONS + 0x100 * i;
}

static void **get_slot( unsigned int i )
{
    return (void **)(data + TABLE) + pe_ids[i];
}

static void *fake_dlsym( void *handle, const char *name )
{
    unsigned int i;

    (void)handle;
    for (i = 0; i < HOOK_COUNT; i++)
        if (!strcmp( name, pe_names[i] ) && name != missing && (!missing || strcmp( name, missing )))
            return get_function( i );
    return NULL;
}

static int fake_iterate_phdr( int (*callback)( struct dl_phdr_info *, size_t, void * ), void *arg )
{
    struct dl_phdr_info info = { .dlpi_addr = (uintptr_t)code, .dlpi_phdr = headers,
                                 .dlpi_phnum = header_count };

    return callback( &info, sizeof(info), arg );
}

/* an instruction with an operand that leads to an address */
static void put_call( unsigned int offset, unsigned char opcode, const unsigned char *target )
{
    int rel = (int)(target - (code + offset + 5));

    code[offset] = opcode;
    memcpy( code + offset + 1, &rel, sizeof(rel) );
}

static void put_code( unsigned int offset, const void *bytes, size_t size )
{
    memcpy( code + offset, bytes, size );
}
#define PUT( offset, bytes ) put_code( offset, bytes, sizeof(bytes) - 1 )

static void write_dll( const char *path )
{
    int fd;

    unlink( path );   /* some file systems write a file to the disk that is emptied and closed */
    fd = open( path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600 );
    check( fd != -1 && write( fd, dll, dll_size ) == (ssize_t)dll_size );
    close( fd );
}

/* a module and a file that are recognised */
static void make_module(void)
{
    unsigned int i;

    memset( code, 0xcc, CODE_SIZE );
    memset( data, 0, DATA_SIZE );
    for (i = 0; i < HOOK_COUNT; i++) *get_slot( i ) = get_function( i );
    for (i = 0; i < HOOKS_CALLED; i++) put_call( SERVER + 0x200 * i, 0xe8, get_function( i ));
    put_call( CALLER, 0xe8, get_function( HOOK_ALLOCATE ));
    PUT( DISPATCHER, TO_RDI BETWEEN CALL_INDEXED );

    memset( headers, 0, sizeof(headers) );
    headers[0].p_type  = PT_LOAD;
    headers[0].p_memsz = CODE_SIZE;
    headers[0].p_flags = PF_R | PF_X;
    headers[1].p_type  = PT_LOAD;
    headers[1].p_vaddr = CODE_SIZE;
    headers[1].p_memsz = DATA_SIZE;
    headers[1].p_flags = PF_R | PF_W;
    header_count = 2;
    missing = NULL;

    pe_make( dll );
    dll_size = PE_SIZE;
}

/* what is said of the module, or NULL if it is recognised */
static const char *get_reason( struct ntdll_info *info )
{
    static char reason[160];

    write_dll( dll_path );
    strcpy( reason, "none" );
    return inspect_ntdll( NULL, unix_path, info, reason, sizeof(reason) ) ? reason : NULL;
}

static void refused_at( int line, const char *sentence )
{
    struct ntdll_info info;
    const char *reason = get_reason( &info );

    if (!reason || strcmp( reason, sentence ))
    {
        fprintf( stderr, "%s:%d: got '%s', expected '%s'\n", __FILE__, line,
                 reason ? reason : "recognised", sentence );
        unit_failures++;
    }
    make_module();
}
#define refused( sentence ) refused_at( __LINE__, PREFIX sentence )

static void recognised_at( int line, const struct hook_table *convention )
{
    struct ntdll_info info;
    const char *reason = get_reason( &info );
    unsigned int i;

    if (reason || info.convention != convention)
    {
        fprintf( stderr, "%s:%d: got '%s', expected convention %d\n", __FILE__, line,
                 reason ? reason : "the other convention", convention->convention );
        unit_failures++;
    }
    else for (i = 0; i < HOOK_COUNT; i++)
        check( info.functions[i] == get_function( i ) && info.slots[i] == get_slot( i ));
    make_module();
}
#define recognised( convention ) recognised_at( __LINE__, &(convention) )

/* the functions, their slots, and the segments */
static void try_table(void)
{
    unsigned int i;

    recognised( hooks_sysv );
    for (i = 0; i < HOOK_COUNT; i++)
    {
        char sentence[200];

        missing = pe_names[i];
        snprintf( sentence, sizeof(sentence), PREFIX "ntdll.so has no %s", pe_names[i] );
        refused_at( __LINE__, sentence );

        *get_slot( i ) = NULL;
        snprintf( sentence, sizeof(sentence), PREFIX "0 places hold the address of %s",
                  pe_names[i] );
        refused_at( __LINE__, sentence );

        *(void **)(data + DATA_SIZE - sizeof(void *)) = get_function( i );
        snprintf( sentence, sizeof(sentence), PREFIX "2 places hold the address of %s",
                  pe_names[i] );
        refused_at( __LINE__, sentence );

        /* the table or the numbers are in another order */
        *get_slot( i ) = NULL;
        *(get_slot( i ) + 1) = get_function( i );
        snprintf( sentence, sizeof(sentence), PREFIX "%s is not at its place in the system call "
                  "table", pe_names[i ? i : 1] );
        refused_at( __LINE__, sentence );
        pe_put32( pe_stub( dll, i ) + 4, pe_ids[i] + 1 );
        refused_at( __LINE__, sentence );
    }
    *get_slot( HOOK_ALLOCATE ) = get_function( HOOK_FREE );
    *get_slot( HOOK_FREE ) = get_function( HOOK_ALLOCATE );
    refused( "NtAllocateVirtualMemoryEx is not at its place in the system call table" );

    /* only differences count, as where the table begins is not known */
    for (i = 0; i < HOOK_COUNT; i++) pe_put32( pe_stub( dll, i ) + 4, pe_ids[i] + 16 );
    recognised( hooks_sysv );

    /* a table that is read-only after relocation */
    headers[2] = headers[1];
    headers[2].p_type = PT_GNU_RELRO;
    header_count = 3;
    recognised( hooks_sysv );

    header_count = 0;
    refused( "the segments of ntdll.so were not found" );
    headers[2] = headers[0];
    headers[2].p_vaddr = SPARE;
    headers[2].p_memsz = CODE_SIZE - SPARE;
    headers[0].p_memsz = SPARE;
    header_count = 3;
    refused( "ntdll.so has 2 segments of code" );
}

/* direct calls */
static void try_calls(void)
{
    unsigned int i;

    for (i = 0; i < HOOKS_CALLED; i++)
    {
        char sentence[200];

        memset( code + SERVER + 0x200 * i, 0x90, 5 );
        memset( code + CALLER, 0x90, 5 );
        snprintf( sentence, sizeof(sentence), PREFIX "0 calls of %s", pe_names[i] );
        refused_at( __LINE__, sentence );

        /* as GCC makes them: a tail call, also behind a condition */
        code[SERVER + 0x200 * i] = 0xe9;
        recognised( hooks_sysv );
        code[SERVER + 0x200 * i - 1] = 0x0f;
        code[SERVER + 0x200 * i] = 0x85;
        recognised( hooks_sysv );

        /* lea function(%rip),%r12, to call it by the register */
        PUT( SPARE, "\x4c\x8d" );
        put_call( SPARE + 2, 0x25, get_function( i ));
        snprintf( sentence, sizeof(sentence), PREFIX "its code takes the address of %s",
                  pe_names[i] );
        refused_at( __LINE__, sentence );

        /* a function that is built into what serves other processes, but called elsewhere */
        memset( code + SERVER + 0x200 * i, 0x90, 5 );
        put_call( SPARE, 0xe8, get_function( i ));
        refused( "no code in it calls all that other processes may ask for" );
    }
    for (i = 0; i < MAX_CALLS - 2; i++)
        put_call( SPARE + 8 * i, 0xe8, get_function( HOOK_ALLOCATE ));
    recognised( hooks_sysv );
    for (i = 0; i < MAX_CALLS - 1; i++)
        put_call( SPARE + 8 * i, 0xe8, get_function( HOOK_ALLOCATE ));
    refused( "65 calls of NtAllocateVirtualMemory" );
}

/* forgets the dispatcher that every module has */
#define DISPATCH( bytes ) (memset( code + DISPATCHER, 0x90, 0x100 ), PUT( DISPATCHER, bytes ))

#define NO_FORM "its system call dispatcher has none of the known forms"
#define UNCLEAR "the calling convention of its system calls is not clear"

static void try_dispatchers(void)
{
    DISPATCH( TO_RCX BETWEEN CALL_INDEXED );    recognised( hooks_ms );
    DISPATCH( TO_RDI BETWEEN CALL_INDEXED );    recognised( hooks_sysv );
    DISPATCH( TO_RDI FAR CALL_INDEXED );        recognised( hooks_sysv );
    DISPATCH( NEW_DISPATCHER );                 recognised( hooks_sysv );

    /* none */
    DISPATCH( "\x90" );                         refused( NO_FORM );
    DISPATCH( TO_RDI BETWEEN "\x41\xff\x14\xd2" ); refused( NO_FORM );
    DISPATCH( TO_RDI BETWEEN "\x41\xff\xd5" );  refused( NO_FORM );
    DISPATCH( CALL_R12 );                       refused( NO_FORM );

    /* the first argument is moved somewhere else, too long before, or to both registers */
    DISPATCH( "\x4c\x89\xd6" BETWEEN CALL_INDEXED ); refused( UNCLEAR );
    DISPATCH( TO_RDI TOO_FAR CALL_INDEXED );    refused( UNCLEAR );
    DISPATCH( TO_RCX TO_RDI BETWEEN CALL_INDEXED ); refused( UNCLEAR );

    /* several calls: alike, of two conventions, of two forms, one of them unknown */
    DISPATCH( TO_RDI BETWEEN CALL_INDEXED FAR TO_RDI BETWEEN CALL_INDEXED );
    recognised( hooks_sysv );
    DISPATCH( TO_RCX BETWEEN CALL_INDEXED FAR TO_RCX BETWEEN CALL_INDEXED );
    recognised( hooks_ms );
    DISPATCH( TO_RDI BETWEEN CALL_INDEXED FAR TO_RCX BETWEEN CALL_INDEXED ); refused( UNCLEAR );
    DISPATCH( TO_RDI BETWEEN CALL_INDEXED FAR FAR CALL_INDEXED ); refused( UNCLEAR );
    DISPATCH( TO_RDI BETWEEN CALL_INDEXED FAR NEW_DISPATCHER ); refused( UNCLEAR );
    DISPATCH( TO_RCX BETWEEN CALL_INDEXED FAR NEW_DISPATCHER ); refused( UNCLEAR );
    DISPATCH( NEW_DISPATCHER FAR FAR CALL_INDEXED ); refused( UNCLEAR );

    /* half of the newer form: its first call is what compilers make as well, its second is not */
    DISPATCH( TO_RDI BETWEEN CALL_R12 );        refused( NO_FORM );
    DISPATCH( POPS CALL_R12 );                  refused( UNCLEAR );
    DISPATCH( TO_RCX BETWEEN CALL_INDEXED FAR TO_RDI BETWEEN CALL_R12 ); recognised( hooks_ms );
    DISPATCH( TO_RDI BETWEEN CALL_INDEXED FAR POPS CALL_R12 ); refused( UNCLEAR );
    DISPATCH( TO_RDI BETWEEN CALL_R12 FAR "\x5f\x5e\x5a\x59\x41\x59\x41\x58" CALL_R12 );
    refused( NO_FORM );
    DISPATCH( TO_RDI BETWEEN CALL_R12 FAR POPS "\x90" CALL_R12 ); refused( NO_FORM );

    /* other calls by r12, and another way through the newer dispatcher */
    DISPATCH( NEW_DISPATCHER FAR CALL_R12 FAR NEW_DISPATCHER ); recognised( hooks_sysv );

    /* at both ends of the code, and outside of it */
    memset( code + DISPATCHER, 0x90, 0x100 );
    put_code( CODE_SIZE - 4, CALL_INDEXED, 4 );
    put_code( CODE_SIZE - 20, TO_RDI, 3 );
    recognised( hooks_sysv );
    memset( code + DISPATCHER, 0x90, 0x100 );
    PUT( 0, TO_RDI CALL_INDEXED );
    refused( NO_FORM );
    memset( code + DISPATCHER, 0x90, 0x100 );
    memcpy( data + 0x700, TO_RDI CALL_INDEXED, 7 );
    refused( NO_FORM );
}

static void try_dll_places(void)
{
    static const char * const places[] =
    {
        "%s/x86_64-windows", "%s/x86_64-unix/x86_64-windows", "%s/x86_64-unix"
    };
    char old[256], path[256];
    unsigned int i;

    strcpy( old, dll_path );
    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
    {
        unlink( dll_path );
        snprintf( path, sizeof(path), places[i], dir );
        mkdir( path, 0700 );
        snprintf( dll_path, sizeof(dll_path), "%.200s/ntdll.dll", path );
        recognised( hooks_sysv );
    }
    unlink( dll_path );
    snprintf( dll_path, sizeof(dll_path), "%s/ntdll.dll", dir );
    refused( "no ntdll.dll beside ntdll.so" );
    unlink( dll_path );
    strcpy( dll_path, old );
}

/* whether the sentence is one of those about ntdll.dll */
static int is_about_dll( const char *reason )
{
    return !strcmp( reason, "ntdll.dll cannot be read" ) ||
           !strcmp( reason, PREFIX "ntdll.dll is not a 64-bit library" ) ||
           !strncmp( reason, PREFIX "no system call number in Nt", 55 ) ||
           strstr( reason, "is not at its place in the system call table" );
}

static void try_dll(void)
{
    static const uint32_t wild[] = { 0, 1, PE_SIZE - 1, PE_SIZE, 0x7fffffff, 0x80000000,
                                     0xfffffffc, 0xffffffff };
    struct ntdll_info info;
    const char *reason;
    unsigned int i, j, offset;

    try_dll_places();

    pe_put16( dll + PE_OPTIONAL, 0x10b );
    refused( "ntdll.dll is not a 64-bit library" );
    dll[0] = 'N';
    refused( "ntdll.dll is not a 64-bit library" );
    dll[PE_HEADER + 2] = 1;
    refused( "ntdll.dll is not a 64-bit library" );
    dll_size = 0;
    refused_at( __LINE__, "ntdll.dll cannot be read" );

    for (i = 0; i < HOOK_COUNT; i++)
    {
        char sentence[200];

        snprintf( sentence, sizeof(sentence), PREFIX "no system call number in %s of ntdll.dll",
                  pe_names[i] );
        for (j = 0; j < 4; j++)
        {
            pe_stub( dll, i )[j] ^= 0x10;
            refused_at( __LINE__, sentence );
        }
        *(char *)memmem( dll, PE_SIZE, pe_names[i], strlen( pe_names[i] ) + 1 ) = 'Z';
        refused_at( __LINE__, sentence );
    }

    /* cut off anywhere; the stub of the last function ends at this offset */
    for (offset = 1; offset < PE_SIZE;
         offset += offset < PE_STUBS ? 5 : offset < PE_STUBS + 0x100 ? 1 : 0x101)
    {
        dll_size = offset;
        reason = get_reason( &info );
        check( offset >= PE_STUBS + 0x88 ? !reason : reason && is_about_dll( reason ));
    }
    make_module();

    /* any number in it is wild: what is still recognised is what it was */
    for (offset = 0; offset < PE_STUBS + 0xa0; offset += 2)
    {
        if (offset == 0x40) offset = PE_HEADER;
        if (offset == PE_OPTIONAL + 280) offset = PE_EXPORTS;
        for (i = 0; i < sizeof(wild) / sizeof(wild[0]); i++)
        {
            pe_put32( dll + offset, wild[i] );
            reason = get_reason( &info );
            if (reason) check( is_about_dll( reason ));
            else for (j = 0; j < HOOK_COUNT; j++) check( info.slots[j] == get_slot( j ));
            make_module();
        }
    }
}

/* Wine's own kernel watches: both numbers, in code */
static void try_kernel_watches(void)
{
    static const unsigned char scan[] = { 0x10, 0x66, 0x60, 0xc0 };
    static const unsigned char registers[] = { 0x00, 0xaa, 0x20, 0xc0 };

    check( !has_kernel_watches( NULL ));
    memcpy( code + SPARE, scan, sizeof(scan) );
    check( !has_kernel_watches( NULL ));
    memcpy( data, registers, sizeof(registers) );
    check( !has_kernel_watches( NULL ));
    memcpy( code + CODE_SIZE - 4, registers, sizeof(registers) );
    check( has_kernel_watches( NULL ));
    memset( code + SPARE, 0xcc, sizeof(scan) );
    check( !has_kernel_watches( NULL ));
    memcpy( code, scan, sizeof(scan) );
    check( has_kernel_watches( NULL ));
    missing = pe_names[HOOK_GET];
    check( !has_kernel_watches( NULL ));
    make_module();
}

static void clean_up(void)
{
    char command[300];

    snprintf( command, sizeof(command), "rm -rf '%s'", dir );
    if (system( command )) fprintf( stderr, "%s is left\n", dir );
}

int main( int argc, char **argv )
{
    const char *tmp = getenv( "TMPDIR" );
    char path[256];

    if (argc > 1)
    {
        pe_make( dll );
        dll_size = PE_SIZE;
        write_dll( argv[1] );
        return unit_result();
    }
    snprintf( dir, sizeof(dir), "%s/writewatch-inspect-XXXXXX", tmp ? tmp : "/tmp" );
    if (!mkdtemp( dir )) return FAIL;
    snprintf( path, sizeof(path), "%s/x86_64-unix", dir );
    mkdir( path, 0700 );
    snprintf( unix_path, sizeof(unix_path), "%.200s/ntdll.so", path );
    snprintf( path, sizeof(path), "%s/x86_64-windows", dir );
    mkdir( path, 0700 );
    snprintf( dll_path, sizeof(dll_path), "%.200s/ntdll.dll", path );

    code = mmap( NULL, CODE_SIZE + DATA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0 );
    if (code == MAP_FAILED) return FAIL;
    data = code + CODE_SIZE;
    make_module();
    try_table();
    try_calls();
    try_dispatchers();
    try_dll();
    try_kernel_watches();
    clean_up();
    return unit_result();
}
