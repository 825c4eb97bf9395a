// The bytes of the embedded model as read-only data between two symbols (guide.h). Aligned to a page, as a mapped
// file would be. The build passes CISTERN_GUIDE_FILE, the path as a string (src/engine/embedded is its only user).
#if defined(__APPLE__)
#define SYMBOL(name) _##name
    .section __TEXT,__const
#else
#define SYMBOL(name) name
    .section .rodata
    .hidden cistern_guide_begin
    .hidden cistern_guide_end
#endif

    .globl SYMBOL(cistern_guide_begin)
    .globl SYMBOL(cistern_guide_end)
    .balign 4096
SYMBOL(cistern_guide_begin):
    .incbin CISTERN_GUIDE_FILE
SYMBOL(cistern_guide_end):
    .byte 0

#if defined(__linux__) && defined(__ELF__)
    .section .note.GNU-stack, "", %progbits  // no executable stack
#endif
