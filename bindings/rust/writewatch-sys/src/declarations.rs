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
}

#[doc(hidden)]
pub const CONSTANTS: &[(&str, i128)] = &[
    ("WRITEWATCH_WRITTEN", WRITEWATCH_WRITTEN as i128),
    ("WRITEWATCH_FILE", WRITEWATCH_FILE as i128),
    ("WRITEWATCH_PRESENT", WRITEWATCH_PRESENT as i128),
    ("WRITEWATCH_SWAPPED", WRITEWATCH_SWAPPED as i128),
    ("WRITEWATCH_ZERO", WRITEWATCH_ZERO as i128),
    ("WRITEWATCH_HUGE", WRITEWATCH_HUGE as i128),
];

#[doc(hidden)]
pub fn layout() -> Vec<(&'static str, usize)> {
    let mut numbers = Vec::new();
    layout_of!(numbers, writewatch_range, start, end, categories);
    layout_of!(numbers, writewatch_filter, required, any, excluded, returned, max_pages, reset);
    numbers
}
