// What writewatch.h declares. Written by bindings/declare: make update-bindings.
//
// Copyright 2026 the writewatch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

use std::os::raw::{c_char, c_int, c_uint, c_void};

pub const WRITEWATCH_VERSION_MAJOR: u32 = 0;
pub const WRITEWATCH_VERSION_MINOR: u32 = 1;
pub const WRITEWATCH_VERSION_MICRO: u32 = 0;
pub const WRITEWATCH_WRITTEN: u64 = 0x0002;
pub const WRITEWATCH_FILE: u64 = 0x0004;
pub const WRITEWATCH_PRESENT: u64 = 0x0008;
pub const WRITEWATCH_SWAPPED: u64 = 0x0010;
pub const WRITEWATCH_ZERO: u64 = 0x0020;
pub const WRITEWATCH_HUGE: u64 = 0x0040;
pub const WRITEWATCH_RESET: u64 = 0x1;
pub const WRITEWATCH_ACROSS: u64 = 0x2;
pub const WRITEWATCH_TRACK_DROPS: u64 = 0x1;
pub const WRITEWATCH_ASYNC: u64 = 0x0001;
pub const WRITEWATCH_CAN_SYSCALLS: u64 = 0x01;
pub const WRITEWATCH_CAN_BLOCK_SIGNALS: u64 = 0x02;
pub const WRITEWATCH_CAN_DROP: u64 = 0x04;
pub const WRITEWATCH_CAN_FILL: u64 = 0x08;
pub const WRITEWATCH_CAN_LIST_ZERO: u64 = 0x10;
pub const WRITEWATCH_CAN_LIST_SWAPPED: u64 = 0x20;
pub const WRITEWATCH_CAN_BE_EXACT: u64 = 0x40;
pub const WRITEWATCH_CAN_SEE_REPLACED: u64 = 0x80;

#[repr(C)]
pub struct writewatch_restore {
    _private: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct writewatch_range {
    pub start: u64,
    pub end: u64,
    pub categories: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct writewatch_filter {
    pub required: u64,
    pub any: u64,
    pub excluded: u64,
    pub returned: u64,
    pub max_pages: usize,
    pub reset: c_int,
    pub flags: c_uint,
    pub reserved: [u64; 4],
}

#[repr(C)]
pub struct writewatch_tracker {
    _private: [u8; 0],
}

#[repr(C)]
pub struct writewatch_process {
    _private: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct writewatch_capabilities {
    pub size: u32,
    pub unused: u32,
    pub flags: u64,
    pub granularity: u64,
    pub backend: *const c_char,
    pub form: *const c_char,
    pub reserved: [u64; 4],
}

extern "C" {
    pub fn writewatch_version() -> c_uint;
    pub fn writewatch_open(backend: *const c_char) -> c_int;
    pub fn writewatch_backend() -> *const c_char;
    pub fn writewatch_backend_of(addr: *const c_void) -> *const c_char;
    pub fn writewatch_mechanism() -> *const c_char;
    pub fn writewatch_reason() -> *const c_char;
    pub fn writewatch_watch(addr: *mut c_void, size: usize) -> c_int;
    pub fn writewatch_unwatch(addr: *mut c_void, size: usize) -> c_int;
    pub fn writewatch_granularity(addr: *const c_void) -> usize;
    pub fn writewatch_check(addr: *const c_void, size: usize) -> c_int;
    pub fn writewatch_fill(addr: *mut c_void, data: *const c_void, size: usize) -> c_int;
    pub fn writewatch_prepare(addr: *mut c_void, size: usize) -> c_int;
    pub fn writewatch_remap(
        addr: *mut *mut c_void,
        old_size: usize,
        size: usize,
        flags: c_int,
    ) -> c_int;
    pub fn writewatch_drop(addr: *mut c_void, size: usize, advice: c_int) -> c_int;
    pub fn writewatch_restore_start(
        restore: *mut *mut writewatch_restore,
        addr: *mut c_void,
        size: usize,
        fd: c_int,
        offset: i64,
    ) -> c_int;
    pub fn writewatch_restore_stop(restore: *mut writewatch_restore);
    pub fn writewatch_list(
        addr: *const c_void,
        size: usize,
        filter: *const writewatch_filter,
        ranges: *mut writewatch_range,
        count: usize,
        next: *mut *const c_void,
    ) -> isize;
    pub fn writewatch_tracker_open(
        tracker: *mut *mut writewatch_tracker,
        addr: *const c_void,
        size: usize,
        flags: c_uint,
    ) -> c_int;
    pub fn writewatch_tracker_close(tracker: *mut writewatch_tracker);
    pub fn writewatch_tracker_add_view(
        tracker: *mut writewatch_tracker,
        addr: *const c_void,
        size: usize,
        other: *const c_void,
    ) -> c_int;
    pub fn writewatch_tracker_list(
        tracker: *mut writewatch_tracker,
        pos: *mut *const c_void,
        end: *const c_void,
        filter: *const writewatch_filter,
        ranges: *mut writewatch_range,
        count: usize,
    ) -> isize;
    pub fn writewatch_tracker_save(
        tracker: *mut writewatch_tracker,
        addr: *const c_void,
        size: usize,
        copy: *mut c_void,
    ) -> isize;
    pub fn writewatch_tracker_save_to(
        tracker: *mut writewatch_tracker,
        addr: *const c_void,
        size: usize,
        fd: c_int,
        offset: i64,
    ) -> isize;
    pub fn writewatch_tracker_restore(
        tracker: *mut writewatch_tracker,
        addr: *mut c_void,
        size: usize,
        copy: *const c_void,
    ) -> isize;
    pub fn writewatch_poll(
        addr: *const c_void,
        size: usize,
        flags: c_uint,
        ranges: *mut writewatch_range,
        count: usize,
        next: *mut *const c_void,
    ) -> isize;
    pub fn writewatch_process_open(process: *mut *mut writewatch_process, pidfd: c_int) -> c_int;
    pub fn writewatch_process_close(process: *mut writewatch_process);
    pub fn writewatch_process_regions(
        process: *mut writewatch_process,
        ranges: *mut writewatch_range,
        count: usize,
        next: *mut u64,
    ) -> isize;
    pub fn writewatch_process_list(
        process: *mut writewatch_process,
        addr: u64,
        size: u64,
        filter: *const writewatch_filter,
        ranges: *mut writewatch_range,
        count: usize,
        next: *mut u64,
    ) -> isize;
    pub fn writewatch_capabilities(
        addr: *const c_void,
        capabilities: *mut writewatch_capabilities,
    ) -> c_int;
}

#[doc(hidden)]
pub const CONSTANTS: &[(&str, i128)] = &[
    ("WRITEWATCH_WRITTEN", WRITEWATCH_WRITTEN as i128),
    ("WRITEWATCH_FILE", WRITEWATCH_FILE as i128),
    ("WRITEWATCH_PRESENT", WRITEWATCH_PRESENT as i128),
    ("WRITEWATCH_SWAPPED", WRITEWATCH_SWAPPED as i128),
    ("WRITEWATCH_ZERO", WRITEWATCH_ZERO as i128),
    ("WRITEWATCH_HUGE", WRITEWATCH_HUGE as i128),
    ("WRITEWATCH_RESET", WRITEWATCH_RESET as i128),
    ("WRITEWATCH_ACROSS", WRITEWATCH_ACROSS as i128),
    ("WRITEWATCH_TRACK_DROPS", WRITEWATCH_TRACK_DROPS as i128),
    ("WRITEWATCH_ASYNC", WRITEWATCH_ASYNC as i128),
    ("WRITEWATCH_CAN_SYSCALLS", WRITEWATCH_CAN_SYSCALLS as i128),
    ("WRITEWATCH_CAN_BLOCK_SIGNALS", WRITEWATCH_CAN_BLOCK_SIGNALS as i128),
    ("WRITEWATCH_CAN_DROP", WRITEWATCH_CAN_DROP as i128),
    ("WRITEWATCH_CAN_FILL", WRITEWATCH_CAN_FILL as i128),
    ("WRITEWATCH_CAN_LIST_ZERO", WRITEWATCH_CAN_LIST_ZERO as i128),
    ("WRITEWATCH_CAN_LIST_SWAPPED", WRITEWATCH_CAN_LIST_SWAPPED as i128),
    ("WRITEWATCH_CAN_BE_EXACT", WRITEWATCH_CAN_BE_EXACT as i128),
    ("WRITEWATCH_CAN_SEE_REPLACED", WRITEWATCH_CAN_SEE_REPLACED as i128),
];

#[doc(hidden)]
pub fn layout() -> Vec<(&'static str, usize)> {
    let mut numbers = Vec::new();
    layout_of!(numbers, writewatch_range, start, end, categories);
    layout_of!(numbers, writewatch_filter, required, any, excluded, returned, max_pages, reset, flags, reserved);
    layout_of!(numbers, writewatch_capabilities, size, unused, flags, granularity, backend, form, reserved);
    numbers
}
