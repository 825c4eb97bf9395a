// The page as read-only data between two symbols (page.cc). The build passes CISTERN_PAGE_FILE, the path of
// index.html as a string.
#if defined(__APPLE__)
#define SYMBOL(name) _##name
    .section __TEXT,__const
#else
#define SYMBOL(name) name
    .section .rodata
    .hidden cistern_page_begin
    .hidden cistern_page_end
#endif

    .globl SYMBOL(cistern_page_begin)
    .globl SYMBOL(cistern_page_end)
SYMBOL(cistern_page_begin):
    .incbin CISTERN_PAGE_FILE
SYMBOL(cistern_page_end):
    .byte 0

#if defined(__linux__) && defined(__ELF__)
    .section .note.GNU-stack, "", %progbits  // no executable stack
#endif
