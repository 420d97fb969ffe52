// Watches, writes, lists and fails through the declarations.
//
// Copyright 2026 the writewatch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

use std::ffi::CStr;
use std::os::raw::{c_int, c_long, c_void};
use writewatch_sys::*;

extern "C" {
    fn mmap(addr: *mut c_void, size: usize, prot: c_int, flags: c_int, fd: c_int, offset: c_long)
        -> *mut c_void;
    fn munmap(addr: *mut c_void, size: usize) -> c_int;
    fn sysconf(name: c_int) -> c_long;
}

const PROT_READ_WRITE: c_int = 3;
const MAP_PRIVATE_ANONYMOUS: c_int = 0x22;
const SC_PAGESIZE: c_int = 30;
const EINVAL: c_int = 22;

fn reason() -> String {
    unsafe { CStr::from_ptr(writewatch_reason()) }.to_string_lossy().into_owned()
}

#[test]
fn lists_what_was_written() {
    unsafe {
        let page = sysconf(SC_PAGESIZE) as usize;
        let size = 16 * page;
        let memory =
            mmap(std::ptr::null_mut(), size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0) as *mut u8;
        assert_ne!(memory as isize, -1);
        assert_eq!(writewatch_watch(memory as *mut c_void, size), 0, "{}", reason());
        assert_eq!(writewatch_granularity(memory as *const c_void), page);

        for number in [3, 4, 9] {
            memory.add(number * page).write_volatile(1);
        }
        let mut filter: writewatch_filter = std::mem::zeroed();
        filter.required = WRITEWATCH_WRITTEN;
        filter.returned = WRITEWATCH_WRITTEN | WRITEWATCH_PRESENT;
        filter.reset = 1;
        let mut ranges: [writewatch_range; 4] = std::mem::zeroed();
        let mut next = memory as *const c_void;
        let list = |ranges: &mut [writewatch_range; 4], next: &mut *const c_void| {
            writewatch_list(memory as *const c_void, size, &filter, ranges.as_mut_ptr(), 4, next)
        };
        assert_eq!(list(&mut ranges, &mut next), 2, "{}", reason());
        assert_eq!(next as usize, memory as usize + size);
        let found: Vec<_> = ranges[..2]
            .iter()
            .map(|range| {
                assert_eq!(range.categories, filter.returned);
                ((range.start as usize - memory as usize) / page,
                 (range.end as usize - memory as usize) / page)
            })
            .collect();
        assert_eq!(found, [(3, 5), (9, 10)]);
        assert_eq!(list(&mut ranges, &mut next), 0);

        assert_eq!(writewatch_unwatch(memory as *mut c_void, size), 0);
        munmap(memory as *mut c_void, size);
    }
}

#[test]
fn says_what_is_wrong() {
    let byte = 0u8;
    let got = unsafe { writewatch_check(&byte as *const u8 as *const c_void, 0) };

    assert_eq!(got, -EINVAL as c_int);
    assert!(reason().contains("size"), "{}", reason());
    assert_eq!(unsafe { writewatch_version() }, WRITEWATCH_VERSION);
}

// Compared with what tests/abi has, which a C compiler wrote.
#[test]
fn has_the_layout_of_the_header() {
    let path = match std::env::var("WRITEWATCH_LAYOUT") {
        Ok(path) => path,
        Err(_) => return eprintln!("not compared: WRITEWATCH_LAYOUT names no list"),
    };
    let text = std::fs::read_to_string(&path).expect(&path);
    let expected: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("WRITEWATCH_") || line.starts_with("struct writewatch_"))
        .collect();
    let mut ours: Vec<String> =
        CONSTANTS.iter().map(|(name, value)| format!("{} {}", name, value)).collect();
    ours.extend(layout().iter().map(|(name, value)| format!("{} {}", name, value)));
    ours.sort();
    let mut expected = expected;
    expected.sort_unstable();
    assert!(expected.len() > 15);
    assert_eq!(ours, expected);
}
