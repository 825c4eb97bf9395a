// Tables as read-only data between two symbols each (tables.h). The build passes their paths as the strings
// CISTERN_HARDWARE_FILE and CISTERN_TIME_PARAMETERS_FILE.
#if defined(__APPLE__)
#define SYMBOL(name) _##name
    .section __TEXT,__const
#else
#define SYMBOL(name) name
    .section .rodata
    .hidden cistern_hardware_begin
    .hidden cistern_hardware_end
    .hidden cistern_time_parameters_begin
    .hidden cistern_time_parameters_end
#endif

    .globl SYMBOL(cistern_hardware_begin)
    .globl SYMBOL(cistern_hardware_end)
    .globl SYMBOL(cistern_time_parameters_begin)
    .globl SYMBOL(cistern_time_parameters_end)

SYMBOL(cistern_hardware_begin):
    .incbin CISTERN_HARDWARE_FILE
SYMBOL(cistern_hardware_end):
    .byte 0

SYMBOL(cistern_time_parameters_begin):
    .incbin CISTERN_TIME_PARAMETERS_FILE
SYMBOL(cistern_time_parameters_end):
    .byte 0

#if defined(__linux__) && defined(__ELF__)
    .section .note.GNU-stack, "", %progbits  // no executable stack
#endif
