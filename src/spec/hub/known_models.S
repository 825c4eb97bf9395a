// The table of known models as read-only data between two symbols (known_models.cc). The build passes
// CISTERN_KNOWN_MODELS_FILE, the path of known_models.jsonl as a string.
#if defined(__APPLE__)
#define SYMBOL(name) _##name
    .section __TEXT,__const
#else
#define SYMBOL(name) name
    .section .rodata
    .hidden cistern_known_models_begin
    .hidden cistern_known_models_end
#endif

    .globl SYMBOL(cistern_known_models_begin)
    .globl SYMBOL(cistern_known_models_end)
SYMBOL(cistern_known_models_begin):
    .incbin CISTERN_KNOWN_MODELS_FILE
SYMBOL(cistern_known_models_end):
    .byte 0

#if defined(__linux__) && defined(__ELF__)
    .section .note.GNU-stack, "", %progbits  // no executable stack
#endif
