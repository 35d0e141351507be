/*
 * Allocation. mem_try answers NULL: for lib/, and for every size that a peer chose. mem_new aborts:
 * for small objects of broker/ and tools/, where an answer to "no memory for 64 bytes" does not
 * exist.
 */
#ifndef LYC_BASE_MEM_H
#define LYC_BASE_MEM_H

#include <stddef.h>

/* Zeroed; NULL when there is none. The caller frees with free(). */
void *mem_try(size_t size);
/* Zeroed; aborts when there is none. The caller frees with free(). */
void *mem_get(size_t size);
#define mem_new(type) ((type *)mem_get(sizeof(type)))
/* Copies with a final NUL; mem_dup_try answers NULL, mem_dup aborts. A NULL string stays NULL. The
 * caller frees. */
char *mem_dup_try(const char *text, size_t len);
char *mem_dup(const char *text);

#endif
