# The tests, fuzzers and benchmark programs: what they are made of, and the targets that make and
# run them. Included by the makefile of the project, once the rest has its names.
#
# Copyright 2026 the writewatch authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Lists that the rules below stand for are expanded where they are read: they come first.

.PHONY: pe unit unit-32 bench-programs check check-long check-wine10 check-kernels check-hygiene
.PHONY: check-musl check-32 run-32 check-wow64 check-glibc check-arm64 compatibility check-mutations
.PHONY: check-private-pages bench-private-pages check-bdwgc bench-bdwgc update-abi update-bindings
.PHONY: check-flags check-inside-wine bench-inside-wine fault-table fuzz compare bench bench-top bench-wine10 plots pictures

# What is compiled. Tests and demonstration programs are found by their names.

# The Win32 face, which is also tested as a part of a Windows program.
KERNELBASE_SRCS = dlls/kernelbase/memory.c

# The benchmark, and what it is over.
BENCH_SRCS = \
	bench/writewatch_bench.c \
	bench/rows_alloc.c \
	bench/rows_large.c \
	bench/rows_poll.c \
	bench/rows_saved.c \
	bench/rows_tables.c \
	bench/rows_threads.c \
	bench/rows_write.c \
	bench/system.c \
	bench/tools.c

BENCH_WIN32_SRCS = bench/win32.c
BENCH_FLOOR_SRCS = bench/floor.c

# Objects beside the engine's that one unit test needs: UNIT_EXTRA_name = preload/file.o
# Options of the linker for it: UNIT_LDFLAGS_name.
UNIT_EXTRA_owned_lock = preload/owned_lock.o
UNIT_EXTRA_hooks = preload/hook_sysv.o preload/hooks.o preload/interpose.o preload/record.o \
	preload/record_file.o
UNIT_EXTRA_record = preload/record.o preload/record_file.o
UNIT_EXTRA_record_reader = $(patsubst %,programs/replay/%.o,record plan page_model pieces)
UNIT_EXTRA_patch = preload/patch.o preload/arch/$(ARCH)/machine_code.o
UNIT_EXTRA_inspect = preload/pe_stub.o preload/arch/$(ARCH)/machine_code.o
UNIT_EXTRA_convention = preload/arch/$(ARCH)/machine_code.o
UNIT_EXTRA_guards = preload/signals.o preload/defer.o preload/owned_lock.o
UNIT_EXTRA_wine_libc = preload/interpose.o
UNIT_EXTRA_wine_mappings = preload/interpose.o
# The same, but of the native library.
UNIT_SHARED_own_memory = $(SHARED_OBJS)
UNIT_LDFLAGS_hooks = -Wl,--wrap=watch_add
UNIT_LDFLAGS_hold = -Wl,--wrap=region_mark_written
UNIT_LDFLAGS_commit = -Wl,--wrap=watch_commit
UNIT_LDFLAGS_descriptors = -Wl,--wrap=pthread_create
UNIT_LDFLAGS_discard = -Wl,--wrap=discard_pages
UNIT_LDFLAGS_forms = -Wl,--wrap=ioctl
UNIT_LDFLAGS_tracker_drops = -Wl,--wrap=arm_pages
UNIT_LDFLAGS_wine_libc = -Wl,--wrap=watch_remove
UNIT_LDFLAGS_process_ends = -Wl,--wrap=other_pages_open
UNIT_LDFLAGS_region = -Wl,--wrap=region_set_state
UNIT_LDFLAGS_convention = -Wl,--export-dynamic
UNIT_LDFLAGS_patch = -Wl,--wrap=mmap,--wrap=mmap64,--wrap=mprotect,--wrap=mremap

UNIT_SRCS := $(call sources,tests/unit/*.c) $(call sources,tests/unit/$(ARCH)/*.c)
# Where there is no preloaded library, those of its parts are left out.
UNIT_OF_PRELOAD = find_calls $(foreach prog,$(basename $(notdir $(UNIT_SRCS))),\
	$(if $(UNIT_EXTRA_$(prog)),$(prog)))
UNIT_PROGS = $(filter-out $(if $(PRELOAD),,$(UNIT_OF_PRELOAD:%=tests/unit/%)),$(UNIT_SRCS:.c=))
# for tests/package/lacking.sh
list-unit-of-preload:
	@echo $(UNIT_OF_PRELOAD)
.PHONY: list-unit-of-preload
UNIT_COMMON = tests/common/children.o tests/model/model.native.o
TOOL_SRCS := $(call sources,tests/tools/*.c)
TOOL_PROGS = $(TOOL_SRCS:.c=)
GUEST_EXAMPLE = tests/kernels/lazy_restore
# A program and a library for sandboxes, a library that forks, and one that registers memory.
SANDBOX_PROGS = tests/sandbox/exact tests/sandbox/not_dumpable.so tests/stress/forks/helper.so \
	tests/stress/registered/register.so
CONFORMANCE_SRCS := $(call sources,tests/conformance/*.c) tests/model/model.c
PROGRAM_SRCS := $(call sources,tests/stress/*.c) $(call sources,programs/demo/*.c) \
	$(call sources,tests/faults/windows.c) $(call sources,tests/stress/forks/forks.c) \
	$(call sources,tests/stress/registered/registered.c)

# Those of the conformance tests that need nothing of Windows but memory, threads and exceptions:
# calls, io, own_process, remote and socket are about what Wine does for a program.
NATIVE_TESTS = allocation arguments concurrency decommit face hostile model overlap placeholder \
	protection results
NATIVE_TEST = tests/conformance/write_watch_native_test
NATIVE_TEST_OBJS = $(NATIVE_TESTS:%=tests/conformance/%.native.o) tests/model/model.native.o \
	tests/conformance/native/native.native.o tests/conformance/native/testlist.native.o

# The comparison of the backends, over what the library exports.
BENCH_BACKENDS = bench/backends
BENCH_BACKENDS_OBJS = bench/backends.o bench/backends_costs.o bench/backends_exact.o \
	bench/backends_tools.o bench/backends_trackers.o

# Time and threads for tests that run on both systems.
SYSTEM_OBJ = tests/common/system_native.native.o
SYSTEM_PE_OBJ = tests/common/system_pe.pe.o

# The model test: all of its sources for each system, but for the file that knows the other one.
MODEL_SRCS := $(call sources,tests/model/*.c)
MODEL_PROG = tests/model/model
MODEL_OBJS = $(patsubst %.c,%.native.o,$(filter-out %/platform_pe.c,$(MODEL_SRCS))) \
	$(SYSTEM_OBJ)
MODEL_EXE = tests/model/model.exe
MODEL_PE_OBJS = $(patsubst %.c,%.pe.o,$(filter-out %/platform_native.c,$(MODEL_SRCS))) \
	$(SYSTEM_PE_OBJ)

# The race test, in the same way.
RACE_SRCS := $(call sources,tests/race/*.c)
RACE_PROG = tests/race/race
RACE_OBJS = $(patsubst %.c,%.native.o,$(filter-out %/platform_pe.c,$(RACE_SRCS))) $(SYSTEM_OBJ)
RACE_EXE = tests/race/race.exe
RACE_PE_OBJS = $(patsubst %.c,%.pe.o,$(filter-out %/platform_native.c,$(RACE_SRCS))) \
	$(SYSTEM_PE_OBJ)

# Where system calls fail: a native program, and one for Windows among the others; and what lets
# them fail.
FAULTS_PROG = tests/faults/native
FAULTS_OBJS = tests/faults/native.o tests/faults/native_phases.o
INJECT_PROG = tests/faults/inject
INJECT_OBJS = tests/faults/inject.o tests/faults/caller.o

# A program whose memory is looked at from outside, with the status page of the preloaded library.
TOP_WRITER = tests/top/writer
TOP_WRITER_OBJS = tests/top/writer.o preload/settings.o preload/status.o

# The fuzzer, the same way; as a target of libFuzzer with the engine built for it.
FUZZ_SRCS = tests/fuzz/arena.c tests/fuzz/calls.c
FUZZ_PROG = tests/fuzz/fuzz
FUZZ_OBJS = $(patsubst %.c,%.native.o,$(FUZZ_SRCS) tests/fuzz/main.c tests/fuzz/threads_native.c)
FUZZ_EXE = tests/fuzz/fuzz.exe
FUZZ_PE_OBJS = $(patsubst %.c,%.pe.o,$(FUZZ_SRCS) tests/fuzz/main.c tests/fuzz/threads_pe.c)
LIBFUZZER_PROG = tests/fuzz/libfuzzer
LIBFUZZER_OBJS = $(patsubst %.c,%.fuzz.o,$(FUZZ_SRCS) tests/fuzz/libfuzzer.c) \
	$(patsubst %.o,%.fuzz.o,$(ENGINE_OBJS) $(NATIVE_LIB_OBJS))
FUZZ_SECONDS = 60

CONFORMANCE_EXE = tests/conformance/write_watch_test.exe
KERNELBASE_EXE = tests/conformance/write_watch_kernelbase_test.exe
WINEGCC_EXE = tests/conformance/write_watch_winegcc_test.exe
PROGRAM_EXES = $(PROGRAM_SRCS:.c=.exe)
BENCH_EXE = bench/writewatch_bench.exe
BENCH_NATIVE = bench/writewatch_bench
BENCH_FLOOR = bench/floor
PE_EXES = $(if $(CONFORMANCE_SRCS),$(CONFORMANCE_EXE) $(KERNELBASE_EXE) \
	$(if $(WINEGCC),$(WINEGCC_EXE))) $(PROGRAM_EXES) $(MODEL_EXE) $(RACE_EXE) $(BENCH_EXE) \
	$(FUZZ_EXE) $(REPLAY_EXE) $(REPLAY_EXE32)

# 32-bit programs have 2 GiB of addresses. These have 4, so that there are some of each kind: the
# conformance suite, in its two builds, is of both.
LARGE_EXES = $(KERNELBASE_EXE) $(RACE_EXE) $(BENCH_EXE) tests/stress/charge.exe \
	tests/stress/reserve.exe
$(LARGE_EXES): PE_LDFLAGS += $(if $(filter x86_64-%,$(PE_TARGET)),,-Wl,--large-address-aware)

BENCH_OBJS = $(call objects,$(BENCH_SRCS))
BENCH_PE_OBJS = $(BENCH_SRCS:.c=.pe.o) $(BENCH_WIN32_SRCS:.c=.pe.o)

TEST_OBJS = $(addsuffix .o,$(basename $(SANDBOX_PROGS))) $(FUZZ_OBJS) $(LIBFUZZER_OBJS) \
	$(UNIT_PROGS:=.o) $(UNIT_COMMON) $(TOOL_PROGS:=.o) $(NATIVE_TEST_OBJS) $(BENCH_BACKENDS_OBJS) \
	$(MODEL_OBJS) $(RACE_OBJS) tests/top/writer.o $(FAULTS_OBJS) $(INJECT_OBJS) $(BENCH_OBJS) \
	$(call objects,$(BENCH_WIN32_SRCS) $(BENCH_FLOOR_SRCS))
CONFORMANCE_OBJS = $(CONFORMANCE_SRCS:.c=.pe.o)
WINEGCC_OBJS = $(CONFORMANCE_SRCS:.c=.wg.o)
KERNELBASE_OBJS = $(KERNELBASE_SRCS:.c=.pe.o)
PE_OBJS = $(CONFORMANCE_OBJS) $(KERNELBASE_OBJS) $(WINEGCC_OBJS) $(PROGRAM_SRCS:.c=.pe.o) \
	$(MODEL_PE_OBJS) $(RACE_PE_OBJS) $(BENCH_PE_OBJS) \
	$(FUZZ_PE_OBJS) $(REPLAY_PE_OBJS) $(REPLAY_PE32_OBJS)

# Targets.

pe: need-mingw $(PE_EXES)

unit: $(UNIT_PROGS) $(TOOL_PROGS) $(NATIVE_TEST) $(BENCH_BACKENDS) $(MODEL_PROG) $(FAULTS_PROG) \
	$(INJECT_PROG) $(RACE_PROG) $(SANDBOX_PROGS) $(FUZZ_PROG) $(if $(TOP),$(TOP_WRITER)) \
	bench-programs

# What the tests of 32-bit programs need natively; failing system calls are tested for 64 bits.
unit-32: $(UNIT_PROGS) $(TOOL_PROGS) $(NATIVE_TEST) $(MODEL_PROG) $(RACE_PROG) $(FUZZ_PROG) \
	tests/stress/forks/helper.so

bench-programs: $(BENCH_NATIVE) $(BENCH_FLOOR)

$(PE_EXES): | need-mingw

# Native programs.

# Those that include the model, which has the names of Windows.
UNIT_MODEL = backends blocks give_way marked query small
$(UNIT_MODEL:%=tests/unit/%.o): EXTRA_CFLAGS = -I$(srcdir)/tests/conformance/native

tests/unit/record.o: EXTRA_CFLAGS = -DVERSION='"$(VERSION)"'
tests/unit/record.o: Makefile

# The linker wraps no function that link-time optimization resolves: objects are compiled one by one
# for such tests.
ifneq ($(filter -flto%,$(CFLAGS)),)
unit_objects = $(if $(findstring --wrap,$(UNIT_LDFLAGS_$(1))),$(2:.o=.unit.o),$(2))

%.unit.o: %.o
	$(call say,LINK)$(CC) $(CFLAGS) -r -nostdlib $(NO_LTO_LDFLAGS) -o $@ $<
else
unit_objects = $(2)
endif

$(UNIT_PROGS): %: $$(call unit_objects,$$(notdir $$*),$$*.o $(UNIT_COMMON) \
  $$(UNIT_EXTRA_$$(notdir $$*)) $$(UNIT_SHARED_$$(notdir $$*)) $(ENGINE_OBJS) $(NATIVE_LIB_OBJS))
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) $(UNIT_LDFLAGS_$(notdir $*)) -pthread -o $@ $^ -ldl -lrt

$(TOOL_PROGS): %: %.o
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

tests/sandbox/exact: %: %.o $(LIBRARY_A)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^

tests/sandbox/not_dumpable.so tests/stress/forks/helper.so tests/stress/registered/register.so: \
  %.so: %.o
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ -ldl

$(BENCH_BACKENDS): $(BENCH_BACKENDS_OBJS) $(LIBRARY_A)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^

# An example that guests run.
$(GUEST_EXAMPLE): examples/lazy_restore.c $(LIBRARY_A)
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) -O2 -Wall -Wextra -I$(srcdir)/include $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) \
	  -pthread -o $@ $< $(LIBRARY_A)

# The conformance tests natively: headers in the place of those of Windows lead to the library's.
# They use the shared library, as other programs do.
%.native.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -std=gnu11 -O2 -fPIC -Wall $(WERROR) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I$(srcdir)/include \
	  -I$(srcdir)/tests/conformance/native -MMD -MP $(CPPFLAGS) $(CFLAGS) $(EXTRA_CFLAGS) -c -o $@ $<

tests/conformance/native/testlist.native.o: EXTRA_CFLAGS = \
	'-DNATIVE_TESTS=$(foreach test,$(NATIVE_TESTS),TEST( $(test) ))'
tests/conformance/native/testlist.native.o: $(srcdir)/tests/tests.mk

$(NATIVE_TEST): $(NATIVE_TEST_OBJS) $(LIBRARY_LINK)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(NATIVE_TEST_OBJS) \
	  -L. -lwritewatch -Wl,-rpath,'$$ORIGIN/../..' -ldl

$(MODEL_PROG): $(MODEL_OBJS) $(LIBRARY_LINK)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(MODEL_OBJS) \
	  -L. -lwritewatch -Wl,-rpath,'$$ORIGIN/../..'

$(MODEL_PROG).static: $(MODEL_OBJS) $(LIBRARY_A)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -static -pthread -o $@ $^

# It has the library in itself, and may change a limit of the engine.
tests/race/platform_native.native.o: EXTRA_CFLAGS = -I$(srcdir)/dlls/ntdll/unix

$(RACE_PROG): $(RACE_OBJS) $(ENGINE_OBJS) $(NATIVE_LIB_OBJS)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -ldl

tests/top/writer.o: EXTRA_CFLAGS = -I$(srcdir) -I$(srcdir)/preload

$(TOP_WRITER): $(TOP_WRITER_OBJS) $(ENGINE_OBJS) $(NATIVE_LIB_OBJS)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -ldl

$(FAULTS_PROG): $(FAULTS_OBJS) $(LIBRARY_LINK)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(FAULTS_OBJS) \
	  -L. -lwritewatch -Wl,-rpath,'$$ORIGIN/../..'

$(INJECT_PROG): $(INJECT_OBJS)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# The benchmark natively, over the shared library and over the kernel alone.
$(BENCH_NATIVE): $(BENCH_OBJS) $(call objects,$(BENCH_WIN32_SRCS)) $(LIBRARY_LINK)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(filter %.o,$^) \
	  -L. -lwritewatch -Wl,-rpath,'$$ORIGIN/..'

$(BENCH_FLOOR): $(BENCH_OBJS) $(call objects,$(BENCH_FLOOR_SRCS))
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^

$(FUZZ_PROG): $(FUZZ_OBJS) $(LIBRARY_A)
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^

# With the engine's assembler code as it is. Warnings are left to the compiler of the others.
%.fuzz.o: %.c
	@mkdir -p $(@D)
	$(call say,CLANG)$(FUZZ_CC) -std=gnu11 -O1 -g -fsanitize=fuzzer-no-link,address \
	  -fno-omit-frame-pointer -ftls-model=initial-exec -D_GNU_SOURCE $(INCLUDES) \
	  -I$(srcdir)/tests/conformance/native -MMD -MP -c -o $@ $<

%.fuzz.o: %.S
	@mkdir -p $(@D)
	$(call say,AS)$(FUZZ_CC) $(INCLUDES) -MMD -MP -c -o $@ $<

$(LIBFUZZER_PROG): $(LIBFUZZER_OBJS)
	$(call say,LINK)$(FUZZ_CC) -fsanitize=fuzzer,address -pthread -o $@ $^

# Windows programs.

%.pe.o: %.c
	@mkdir -p $(@D)
	$(call say,MINGW)$(MINGW) $(PE_ALL_CFLAGS) $(EXTRA_PE_CFLAGS) -c -o $@ $<

# Functions that are compiled with _KERNEL32_ take the place of those that would be imported.
$(KERNELBASE_OBJS): EXTRA_PE_CFLAGS = -D_KERNEL32_

$(PE_OBJS): | need-mingw

$(CONFORMANCE_EXE): $(CONFORMANCE_OBJS)
	$(call say,LINK)$(MINGW) $(PE_LDFLAGS) -o $@ $^ $(PE_LIBS)

$(KERNELBASE_EXE): $(CONFORMANCE_OBJS) $(KERNELBASE_OBJS)
	$(call say,LINK)$(MINGW) $(PE_LDFLAGS) -o $@ $^ $(PE_LIBS)

# With the headers and import libraries of Wine in place of mingw's.
%.wg.o: %.c
	@mkdir -p $(@D)
	$(call say,WINEGCC)$(WINEGCC) -b $(PE_TARGET) -O2 -Wall -I$(srcdir)/include -MMD -MP \
	  -c -o $@ $<

$(WINEGCC_EXE): $(WINEGCC_OBJS)
	$(call say,LINK)$(WINEGCC) -b $(PE_TARGET) -mconsole -o $@ $^ $(PE_LIBS)

$(FUZZ_EXE): $(FUZZ_PE_OBJS)
	$(call say,LINK)$(MINGW) $(PE_LDFLAGS) -o $@ $^ $(PE_LIBS)

$(filter tests/stress/%,$(PROGRAM_EXES)): $(SYSTEM_PE_OBJ)

$(PROGRAM_EXES): %.exe: %.pe.o
	$(call say,LINK)$(MINGW) $(PE_LDFLAGS) -o $@ $^ $(PE_LIBS)

$(MODEL_EXE): $(MODEL_PE_OBJS)
	$(call say,LINK)$(MINGW) $(PE_LDFLAGS) -o $@ $^ $(PE_LIBS)

$(BENCH_EXE): $(BENCH_PE_OBJS)
	$(call say,LINK)$(MINGW) $(PE_LDFLAGS) -o $@ $^ $(PE_LIBS)

$(RACE_EXE): $(RACE_PE_OBJS)
	$(call say,LINK)$(MINGW) $(PE_LDFLAGS) -o $@ $^ $(PE_LIBS)

# Running and testing.

check: all unit $(if $(MINGW32),$(if $(CC32),all32))
	@$(TEST_ENV) $(srcdir)/tests/run-tests $(TESTS)

# The same tests, those by chance with many more steps.
check-long: all unit
	@$(TEST_ENV) WRITEWATCH_LONG=1 $(srcdir)/tests/run-tests $(TESTS)

check-wine10: all unit need-mingw
	@$(TEST_ENV) $(srcdir)/tests/check-wine10 $(TESTS)

# 32-bit programs, in trees that have both word sizes.
check-32: all unit $(if $(CC32),all32)
	@$(TEST_ENV) $(srcdir)/tests/check-32 $(TESTS)

# The demonstration in both word sizes, in the same tree.
run-32: all $(if $(CC32),all32)
	@$(TEST_ENV) $(srcdir)/tests/check-32 --run

# 32-bit programs in a 64-bit Wine; SUITES="trixie bookworm" chooses
check-wow64:
	@$(TEST_ENV) $(srcdir)/tests/check-wow64 $(SUITES) $(TESTS)

check-inside-wine: all unit need-mingw
	@$(TEST_ENV) $(srcdir)/tests/check-inside-wine $(TESTS)

# A collector with the library in it; KERNEL=trixie runs its programs in a guest.
check-bdwgc: library tests/tools/fault_cost
	@$(TEST_ENV) $(srcdir)/tests/check-bdwgc $(if $(KERNEL),--kernel $(KERNEL))

check-glibc: all unit need-mingw
	@$(TEST_ENV) $(srcdir)/tests/check-glibc $(TESTS)

# What happens when a system call fails, as measured here: docs/fault-injection.md
fault-table: all unit
	@$(TEST_ENV) sh $(srcdir)/tests/faults/make-table

check-kernels: all unit need-wine need-mingw $(GUEST_EXAMPLE)
	@$(TEST_ENV) $(srcdir)/tests/check-kernels $(KERNELS) $(TESTS)

check-private-pages: all unit need-wine need-mingw $(GUEST_EXAMPLE)
	@$(TEST_ENV) $(srcdir)/tests/check-private-pages $(TESTS)

# With the inputs that it found before, in the build tree; a failing one is kept beside them.
fuzz:
	@command -v $(FUZZ_CC) >/dev/null || { echo "$(FUZZ_CC), which has libFuzzer, is missing:" \
	  "install clang-14 and libclang-rt-14-dev, or name another one by FUZZ_CC." >&2; exit 1; }
	@$(MAKE) --no-print-directory $(LIBFUZZER_PROG)
	@mkdir -p tests/fuzz/corpus
	$(LIBFUZZER_PROG) -max_total_time=$(FUZZ_SECONDS) -timeout=20 -max_len=1024 \
	  -artifact_prefix=tests/fuzz/ -print_final_stats=1 tests/fuzz/corpus

# ONLY="clang asan" runs these configurations.
check-hygiene:
	@$(TEST_ENV) $(srcdir)/tests/check-hygiene $(ONLY)

# With the flags of distributions; SETS="fedora arch-32" chooses.
check-flags:
	@$(TEST_ENV) $(srcdir)/tests/check-flags $(SETS) $(TESTS)

# The native library with another libc, in a build of its own.
check-musl:
	@$(TEST_ENV) $(srcdir)/tests/check-musl $(TESTS)

# The native library on 64-bit ARM, in guests; PAGES=16k chooses the guest with pages of 16 KiB.
check-arm64:
	@$(TEST_ENV) $(srcdir)/tests/check-arm64 $(PAGES) $(TESTS)

# From the records of the runs in this build tree; other rows stay.
compatibility:
	$(call saying,UPDATE,docs/compatibility.md)sh $(srcdir)/tests/tools/update-table \
	  $(srcdir)/docs/compatibility.md \
	  `find tests/logs tests/logs-* musl/tests/logs -name record 2>/dev/null`

# Deliberate mistakes, one by one; MUTATIONS="NAME..." chooses some.
check-mutations: all
	@$(TEST_ENV) $(srcdir)/tests/check-mutations $(MUTATIONS)

# KERNEL=bookworm runs it in a guest; OPTIONS='--csv' and others are passed on.
compare: $(BENCH_BACKENDS)
	@$(TEST_ENV) $(srcdir)/bench/compare $(if $(KERNEL),--kernel $(KERNEL)) $(OPTIONS)

# Measuring. Never a part of check. OPTIONS='--rounds 3' and others are passed on.
# What writewatch-top costs the program it looks at.
bench-top: all $(TOP_WRITER)
	@$(TEST_ENV) $(srcdir)/bench/top $(PAIRS) $(ROUNDS)

bench: all bench-programs need-wine need-mingw
	@$(TEST_ENV) sh $(srcdir)/tests/clients/dotnet/fetch || :
	@$(TEST_ENV) $(srcdir)/bench/run $(OPTIONS)

bench-wine10: all bench-programs need-mingw
	@$(TEST_ENV) sh $(srcdir)/tests/clients/dotnet/fetch || :
	@$(TEST_ENV) $(srcdir)/tests/check-wine10 --bench $(OPTIONS)
	@cp tests/logs-wine10/bench.csv bench/bench-wine10.csv

# The same collector with each provider of dirty bits; OPTIONS='--rounds 3' and others are passed on.
bench-bdwgc: library
	@$(TEST_ENV) $(srcdir)/bench/bdwgc $(if $(KERNEL),--kernel $(KERNEL)) $(OPTIONS)

# The marked form of scan: in a guest that needs it, and here beside the other one.
bench-private-pages: all bench-programs need-wine need-mingw
	@$(TEST_ENV) $(srcdir)/bench/private-pages $(OPTIONS)

bench-inside-wine: all bench-programs need-mingw
	@$(TEST_ENV) $(srcdir)/tests/check-inside-wine --bench $(OPTIONS)

# From what was measured last, or else from the values in the source tree.
# What writewatch-top shows of the demonstration.
# Writes down what compiled programs may rely on; CONTRIBUTING.md says when.
update-abi: library
	@$(TEST_ENV) sh $(srcdir)/tests/package/abi.sh --update

# Writes what writewatch.h declares into bindings/.
update-bindings:
	@python3 $(srcdir)/bindings/declare $(srcdir)

pictures: need-wine need-mingw all
	@$(TEST_ENV) $(srcdir)/programs/demo/pictures

plots:
	@$(TEST_ENV) $(srcdir)/bench/plot
