// The description of the interface as read-only data between two symbols (openapi.cc). The build passes
// CISTERN_OPENAPI_FILE, the path of openapi.json as a string.
#if defined(__APPLE__)
#define SYMBOL(name) _##name
    .section __TEXT,__const
#else
#define SYMBOL(name) name
    .section .rodata
    .hidden cistern_openapi_begin
    .hidden cistern_openapi_end
#endif

    .globl SYMBOL(cistern_openapi_begin)
    .globl SYMBOL(cistern_openapi_end)
SYMBOL(cistern_openapi_begin):
    .incbin CISTERN_OPENAPI_FILE
SYMBOL(cistern_openapi_end):
    .byte 0

#if defined(__linux__) && defined(__ELF__)
    .section .note.GNU-stack, "", %progbits  // no executable stack
#endif
