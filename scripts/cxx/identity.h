/* Leaves the name and version of the compiler in a section that the linker copies into the program,
   where `arenabench` reads it back: figures of an allocator are worth little without its compiler. */
#ifdef __cplusplus
#ifdef __clang__
#define ARENABENCH_CXX "clang " __clang_version__
#else
#define ARENABENCH_CXX "gcc " __VERSION__
#endif
__asm__(".pushsection .arenabench.cxx,\"\",@progbits\n\t.asciz \"" ARENABENCH_CXX "\"\n\t.popsection");
#endif
