# A stub at the end of ntdll.dll is read beyond it.
# Tests: unit/inspect
s/if \(size < sizeof\(begin\) \+ sizeof\(\*id\) \|\| /if (!size || /
