/* The programs that belong to this one: lyceumd, lyceum-plugin, lyceum. */
#ifndef LYC_CLIENT_SIBLING_H
#define LYC_CLIENT_SIBLING_H

#include <stddef.h>

/* The path of a program: beside this one, in the same build folder, or where all were installed. */
void sibling_find(const char *name, char *ret_path, size_t size);

#endif
