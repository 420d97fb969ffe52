# A stub at the end of ntdll.dll is read beyond it.
# Tests: unit/x86_64/inspect
s/if \(size < sizeof\(begin\) \+ sizeof\(\*id\) \|\| /if (!size || /
